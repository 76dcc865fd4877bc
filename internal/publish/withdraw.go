// Withdrawals: ending at the platforms what was under way when the person who asked for the video had it deleted.

package publish

import (
	"context"
	"log/slog"
	"time"

	"retake.example/internal/store"
)

const (
	withdrawSoon = time.Minute // after a withdrawal that a platform refused
	withdrawLate = time.Hour   // after many
)

// Withdrawals ends publications at the platforms where that can be done from here.
type Withdrawals struct {
	store     *store.Store
	platforms map[string]Platform
	uploading func(publication int64) bool // an attempt is still running: its end is another reason to look
	log       *slog.Logger
	look      chan struct{}
}

// NewWithdrawals prepares withdrawals; Run does them.
func NewWithdrawals(
	st *store.Store,
	platforms map[string]Platform,
	uploading func(publication int64) bool,
	log *slog.Logger,
) *Withdrawals {
	return &Withdrawals{store: st, platforms: platforms, uploading: uploading, log: log, look: make(chan struct{}, 1)}
}

// Look makes Run look for publications to withdraw.
func (w *Withdrawals) Look() {
	select {
	case w.look <- struct{}{}:
	default:
	}
}

// Run withdraws at the start and after each Look, until ctx ends. It tries again what a platform refuses; an admin sees
// the video until it is gone. discard removes what is left of a video outside of the database.
func (w *Withdrawals) Run(ctx context.Context, discard func(context.Context, store.Deleted)) {
	for pause := withdrawSoon; ctx.Err() == nil; {
		left, err := w.all(ctx, discard)
		if err != nil && ctx.Err() == nil {
			w.log.Error("withdraw publications", "err", err)
		}
		var again <-chan time.Time
		if left || err != nil {
			again = time.After(pause)
			pause = min(2*pause, withdrawLate)
		} else {
			pause = withdrawSoon
		}
		select {
		case <-ctx.Done():
		case <-w.look:
		case <-again:
		}
	}
}

// all withdraws what it can. left reports whether something has to be tried again.
func (w *Withdrawals) all(ctx context.Context, discard func(context.Context, store.Deleted)) (left bool, err error) {
	list, err := w.store.Withdrawals(ctx)
	if err != nil {
		return false, err
	}
	for _, p := range list {
		site, ok := w.platforms[p.Platform].(Changer)
		if !ok || w.uploading(p.ID) {
			continue
		}
		began := w.store.Now()
		if err := noticed(ctx, w.store, p.Channel, began, site.Erase(ctx, p.Publication, p.Size)); err != nil {
			if ctx.Err() == nil {
				w.log.Warn("a platform still has a video that should go", "asset", p.AssetID, "platform", p.Platform, "err", err)
			}
			left = true
			continue
		}
		var gone store.Deleted
		err := w.store.Tx(
			context.WithoutCancel(ctx),
			func(tx *store.Tx) (err error) { gone, err = tx.Withdrawn(p); return err },
		)
		if err != nil {
			return left, err
		}
		discard(context.WithoutCancel(ctx), gone)
	}
	return left, nil
}
