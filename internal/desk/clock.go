// A clock that is not trusted: nothing is deleted by it until an owner says that it is right.

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
	if d.opts.Purge == nil {
		return store.ErrNotFailed
	}
	admin := AdminOf(r)
	err := d.store.Tx(r.Context(), func(tx *store.Tx) error {
		if d.opts.Purge.Blocked() == 0 {
			return store.ErrNotFailed
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "trust clock"})
	})
	if err == nil {
		err = d.opts.Purge.Trust()
	}
	if err != nil {
		return fmt.Errorf("trust the clock: %w", err)
	}
	return Done(w, r, "clock_trusted", "")
}
