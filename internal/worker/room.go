// Keeping the videos within the room that the settings give them.

package worker

import (
	"context"
	"log/slog"
	"time"

	"retake.example/internal/store"
)

// MakeRoom deletes the oldest videos that users asked for, until all videos take no more than so many bytes; 0: no
// limit. It gives up if nothing is left that may go.
func MakeRoom(
	ctx context.Context,
	st *store.Store,
	limit int64,
	discard func(context.Context, store.Deleted),
	log *slog.Logger,
) {
	if limit == 0 {
		return
	}
	videos := 0
	for ctx.Err() == nil {
		size, err := st.MediaSize(ctx)
		var gone store.Deleted
		if err == nil && size > limit {
			err = st.Tx(ctx, func(tx *store.Tx) (err error) { gone, _, err = tx.MakeRoom(size - limit); return err })
		}
		if err != nil && ctx.Err() == nil {
			log.Error("make room for videos", "err", err)
			return
		}
		discard(ctx, gone)
		videos += len(gone.Assets)
		switch {
		case size <= limit:
			if videos > 0 {
				log.Info("the oldest videos were deleted: see limits.media_gb", "videos", videos)
			}
			return
		case len(gone.Assets) == 0:
			log.Warn("the videos take more than limits.media_gb, and none of them may go", "bytes", size)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(PurgeRest):
		}
	}
}
