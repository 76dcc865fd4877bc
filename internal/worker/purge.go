// The purge: what has been kept for too long is deleted.

package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"retake.example/internal/store"
)

const (
	purgeEvery = time.Hour
	// PurgeRest is the pause between two transactions of a purge, in which others write.
	PurgeRest = 100 * time.Millisecond
)

// Purge deletes what has been kept for too long, once an hour, until ctx ends. If there is nothing, it writes nothing. discard
// removes what a deletion leaves outside of the database; each is called once an hour too.
func Purge(ctx context.Context, st *store.Store, keep store.Keep, discard func(context.Context, store.Gone), each func(), log *slog.Logger) {
	for ctx.Err() == nil {
		each()
		if err := purge(ctx, st, keep, discard, log); err != nil && ctx.Err() == nil {
			log.Error("purge", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(purgeEvery):
		}
	}
}

func purge(ctx context.Context, st *store.Store, keep store.Keep, discard func(context.Context, store.Gone), log *slog.Logger) error {
	rows := 0
	for {
		if some, err := st.Stale(ctx, keep); err != nil || !some {
			if rows > 0 {
				log.Info("purged", "rows", rows)
				err = errors.Join(err, st.Checkpoint(ctx)) // a quiet bot would keep deleted names in the log for weeks
			}
			return err
		}
		var gone store.Gone
		n := 0
		if err := st.Tx(ctx, func(tx *store.Tx) (err error) { gone, n, err = tx.Purge(keep); return err }); err != nil || n == 0 {
			return err
		}
		rows += n
		discard(ctx, gone) // a stop waits for no bucket: the next sweep takes what is left
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(PurgeRest):
		}
	}
}
