// The purge: what has been kept for too long is deleted.

package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"retake.example/internal/store"
)

const (
	purgeEvery = time.Hour
	// PurgeRest is the pause between two transactions of a purge, in which others write.
	PurgeRest = 100 * time.Millisecond
)

// A Purger deletes what has been kept for too long, once an hour; not in the first hour. It never trusts one reading of
// the clock: a clock that is further past the newest earlier row than the program has seen time pass may be wrong, and
// nothing is deleted before the program has run for as long as the difference, or an owner says that the clock is
// right. One purge takes a fifth of a table at most, unless an owner has said so.
type Purger struct {
	store *store.Store
	keep  store.Keep
	log   *slog.Logger
	yes   chan struct{} // the clock is right
	rest  chan struct{} // take all

	mu      sync.Mutex
	ahead   time.Duration // of the clock that is not trusted; 0: it is
	limited bool          // the last purge has left something
}

// NewPurger returns a Purger. Run starts it.
func NewPurger(st *store.Store, keep store.Keep, log *slog.Logger) *Purger {
	return &Purger{store: st, keep: keep, log: log, yes: make(chan struct{}, 1),
		rest: make(chan struct{}, 1)}
}

// Blocked returns how far the clock is ahead if nothing is deleted because of that; 0: it is trusted.
func (p *Purger) Blocked() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ahead
}

// Trust makes a purge that is blocked run now: an owner says that the clock is right. It returns ErrNotFailed if none
// is.
func (p *Purger) Trust() error {
	if p.Blocked() == 0 {
		return store.ErrNotFailed
	}
	p.block(0)
	Nudge(p.yes)
	return nil
}

// Limited reports whether the last purge took as much as one may, and left the rest.
func (p *Purger) Limited() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limited
}

// Finish makes a purge take now what the last one left: an owner says so. It returns ErrNotFailed if it left nothing.
func (p *Purger) Finish() error {
	if !p.Limited() {
		return store.ErrNotFailed
	}
	p.leave(false)
	Nudge(p.rest)
	return nil
}

func (p *Purger) leave(some bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limited = some
}

// block stops all purges while the clock is ahead: then nothing is limited either.
func (p *Purger) block(ahead time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead, p.limited = ahead, p.limited && ahead == 0
}

// Run purges until ctx ends, and empties the log of the database each time. If there is nothing, it writes nothing.
// discard removes what a deletion leaves outside of the database; each is called with every purge.
func (p *Purger) Run(ctx context.Context, discard func(context.Context, store.Deleted), each func()) {
	began := time.Now()
	newest, err := p.store.Newest(ctx)
	if newest.IsZero() && err == nil {
		newest = p.store.Now()
	}
	for {
		trusted, all := false, false
		select {
		case <-ctx.Done():
			return
		case <-p.yes:
			trusted, all, newest, began = true, true, p.store.Now(), time.Now()
		case <-p.rest:
			all = true
		case <-time.After(purgeEvery):
		}
		if err != nil {
			if newest, err = p.store.Newest(ctx); err != nil {
				p.log.Error("purge", "err", err)
				continue
			}
		}
		ran := time.Since(began) // by the monotonic clock
		if ahead := p.store.Now().Sub(newest) - ran; ahead > ran && !trusted {
			p.block(ahead)
			p.log.Warn("nothing is purged: the clock may be wrong", "ahead", ahead.Round(time.Second),
				"running", ran.Round(time.Second))
			continue
		}
		p.block(0)
		each()
		if err := p.purge(ctx, discard, all); err != nil && ctx.Err() == nil {
			p.log.Error("purge", "err", err)
		}
	}
}

// look finds out whether a purge that may not take more has left something that people would miss.
func (p *Purger) look(ctx context.Context, left bool) (err error) {
	if left {
		left, err = p.store.Overdue(ctx, p.keep)
	}
	p.leave(left)
	return err
}

func (p *Purger) purge(ctx context.Context, discard func(context.Context, store.Deleted), all bool) (err error) {
	share := map[string]int(nil)
	if !all {
		if share, err = p.store.Share(ctx); err != nil {
			return err
		}
	}
	rows := 0
	for {
		some, err := p.store.Stale(ctx, p.keep)
		var gone store.Deleted
		table, n := "", 0
		if err == nil && some {
			err = p.store.Tx(ctx, func(tx *store.Tx) (err error) {
				gone, table, n, err = tx.PurgeSome(p.keep, share)
				return err
			})
		}
		if err != nil || n == 0 {
			if err == nil {
				err = p.look(ctx, share != nil && some)
			}
			if rows > 0 {
				p.log.Info("purged", "rows", rows)
			}
			// A quiet bot would keep names in the log for weeks, whatever deleted them: a purge, an admin, an answer.
			if failed := p.store.Checkpoint(ctx); failed != nil && ctx.Err() == nil {
				p.log.Warn("what was deleted is still in the write-ahead log", "err", failed)
			}
			return err
		}
		rows += n
		if share != nil {
			share[table] -= n
		}
		discard(ctx, gone) // a stop waits for no bucket: the next sweep takes what is left
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(PurgeRest):
		}
	}
}
