// What keeps old things from being deleted at once: a clock that is not trusted, or more than a purge may take. An
// owner may say yes to either.

package desk

import (
	"fmt"
	"net/http"
	"time"

	"retake.example/internal/store"
)

// purge deletes what has been kept for too long.
type purge interface {
	Blocked() time.Duration // how far the clock is ahead if nothing is deleted because of that; 0: it is trusted
	Trust() error
	Limited() bool // the last purge took as much as one may, and left the rest
	Finish() error
}

// doubted is how far the clock is ahead that is not trusted; 0: it is.
func (d *Desk) doubted() time.Duration {
	if d.opts.Purge == nil {
		return 0
	}
	return d.opts.Purge.Blocked()
}

// ahead is a number of days or hours in words.
func ahead(say Say, d time.Duration) string {
	if days := int(d.Hours() / 24); days > 1 {
		return say("days", Vars{"Count": days})
	}
	return say("hours", Vars{"Count": max(1, int(d.Hours()))})
}

// TrustClock deletes what has been kept for too long by the clock there is.
func (d *Desk) TrustClock(w http.ResponseWriter, r *http.Request) error {
	return d.allow(w, r, "trust clock", "clock_trusted", func(p purge) bool { return p.Blocked() > 0 }, purge.Trust)
}

// PurgeRest deletes at once what a purge has left because it may not take more.
func (d *Desk) PurgeRest(w http.ResponseWriter, r *http.Request) error {
	return d.allow(w, r, "purge", "purging", purge.Limited, purge.Finish)
}

// allow is an owner's yes to what the purge waits for.
func (d *Desk) allow(w http.ResponseWriter, r *http.Request, action, outcome string, waits func(purge) bool,
	yes func(purge) error) error {
	if d.opts.Purge == nil {
		return store.ErrNotFailed
	}
	admin := AdminOf(r)
	err := d.store.Tx(r.Context(), func(tx *store.Tx) error {
		if !waits(d.opts.Purge) {
			return store.ErrNotFailed
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: action})
	})
	if err == nil {
		err = yes(d.opts.Purge)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return Done(w, r, outcome, "")
}
