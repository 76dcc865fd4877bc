// What a restored backup still owes to people: an owner decides whether it is sent.

package desk

import (
	"errors"
	"fmt"
	"net/http"

	"retake.example/internal/store"
)

// DecideHeld has sent, or not, what a backup owes that was put back. It may have been sent before.
func (d *Desk) DecideHeld(w http.ResponseWriter, r *http.Request) error {
	fields, err := Fields(w, r)
	if err != nil {
		return err
	}
	admin, outcome := AdminOf(r), map[string]string{"yes": "sent", "no": "left"}[fields["send"]]
	if outcome == "" {
		return Invalid("error_fields", nil)
	}
	var updates []store.Update
	err = d.store.Tx(r.Context(), func(tx *store.Tx) (err error) {
		if outcome == "sent" {
			updates, err = tx.SendHeld()
		} else {
			err = tx.LeaveHeld()
		}
		if errors.Is(err, store.ErrNotFound) {
			err = store.ErrNotFailed
		}
		if err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "decide", Outcome: outcome})
	})
	if err != nil {
		return fmt.Errorf("decide about what is held: %w", err)
	}
	if d.opts.Resume != nil && len(updates) > 0 {
		d.opts.Resume(d.ctx, updates)
	}
	return Done(w, r, outcome, "")
}
