// Keeping the videos within the room that the settings give them.

package worker

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"retake.example/internal/store"
)

// Room is how much all videos may take.
type Room struct {
	limit int64
	used  atomic.Int64
	told  bool // the run before found little room, so that owners know
}

// NewRoom returns a Room of so many bytes; 0: no limit.
func NewRoom(limit int64) *Room {
	return &Room{limit: limit}
}

// Low reports whether the next videos may cost the oldest, with the bytes that the videos take and may take. It knows
// what the last Make has found.
func (r *Room) Low() (low bool, used, limit int64) {
	used = r.used.Load()
	return r.limit > 0 && used > r.limit/10*9, used, r.limit
}

// Make deletes the oldest videos that users asked for, until all videos take no more than the limit. It gives up if
// nothing is left that may go. It deletes nothing in the run that first finds Low: owners are told before.
func (r *Room) Make(
	ctx context.Context,
	st *store.Store,
	discard func(context.Context, store.Deleted),
	log *slog.Logger,
) {
	if r.limit == 0 {
		return
	}
	size, err := st.MediaSize(ctx)
	if err != nil {
		if ctx.Err() == nil {
			log.Error("make room for videos", "err", err)
		}
		return
	}
	r.used.Store(size)
	if low, _, _ := r.Low(); !low || !r.told {
		r.told = low
		return
	}
	videos := 0
	for ctx.Err() == nil {
		size, err := st.MediaSize(ctx)
		if err == nil {
			r.used.Store(size)
		}
		var gone store.Deleted
		if err == nil && size > r.limit {
			err = st.Tx(ctx, func(tx *store.Tx) (err error) { gone, _, err = tx.MakeRoom(size - r.limit); return err })
		}
		if err != nil && ctx.Err() == nil {
			log.Error("make room for videos", "err", err)
			return
		}
		discard(ctx, gone)
		videos += len(gone.Assets)
		switch {
		case size <= r.limit:
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
