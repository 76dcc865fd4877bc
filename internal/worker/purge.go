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

// Purge deletes what has been kept for too long, once an hour, until ctx ends; not in the first hour. It never trusts
// one reading of the clock: a clock that is further past the newest earlier row than the program has seen time pass may
// be wrong, and nothing is deleted before the program has run for as long as the difference. One purge takes a fifth of
// a table at most. If there is nothing, it writes nothing. discard removes what a deletion leaves outside of the
// database; each is called with every purge.
func Purge(
	ctx context.Context,
	st *store.Store,
	keep store.Keep,
	discard func(context.Context, store.Gone),
	each func(),
	log *slog.Logger,
) {
	began := time.Now()
	newest, err := st.Newest(ctx)
	if newest.IsZero() && err == nil {
		newest = st.Now()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(purgeEvery):
		}
		if err != nil {
			if newest, err = st.Newest(ctx); err != nil {
				log.Error("purge", "err", err)
				continue
			}
		}
		ran := time.Since(began) // by the monotonic clock
		if ahead := st.Now().Sub(newest) - ran; ahead > ran {
			log.Warn(
				"nothing is purged: the clock may be wrong",
				"ahead",
				ahead.Round(time.Second),
				"running",
				ran.Round(time.Second),
			)
			continue
		}
		each()
		if err := purge(ctx, st, keep, discard, log); err != nil && ctx.Err() == nil {
			log.Error("purge", "err", err)
		}
	}
}

func purge(
	ctx context.Context,
	st *store.Store,
	keep store.Keep,
	discard func(context.Context, store.Gone),
	log *slog.Logger,
) error {
	share, err := st.Share(ctx)
	if err != nil {
		return err
	}
	rows := 0
	for {
		some, err := st.Stale(ctx, keep)
		var gone store.Gone
		table, n := "", 0
		if err == nil && some {
			err = st.Tx(ctx, func(tx *store.Tx) (err error) { gone, table, n, err = tx.PurgeSome(keep, share); return err })
		}
		if err != nil || n == 0 {
			if rows > 0 {
				log.Info("purged", "rows", rows)
				err = errors.Join(err, st.Checkpoint(ctx)) // a quiet bot would keep deleted names in the log for weeks
			}
			return err
		}
		rows += n
		share[table] -= n
		discard(ctx, gone) // a stop waits for no bucket: the next sweep takes what is left
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(PurgeRest):
		}
	}
}
