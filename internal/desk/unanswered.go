// What people sent to the bot and could not be handled or answered: an owner has it tried again.

package desk

import (
	"errors"
	"fmt"
	"net/http"

	"retake.example/internal/store"
)

// unansweredReason says why the last of these updates was set aside.
func unansweredReason(say Say, code string) string {
	switch code {
	case store.UpdateShape:
		return say("unanswered_shape", nil)
	case store.UpdateFailed:
		return say("unanswered_failed", nil)
	}
	return undeliveredReason(say, code)
}

// TryUnanswered has the bot handle and answer again what it could not.
func (d *Desk) TryUnanswered(w http.ResponseWriter, r *http.Request) error {
	admin := AdminOf(r)
	var updates []store.Update
	err := d.store.Tx(r.Context(), func(tx *store.Tx) (err error) {
		if updates, err = tx.TryAside(); errors.Is(err, store.ErrNotFound) {
			return store.ErrNotFailed
		} else if err != nil {
			return err
		}
		return tx.Note(store.Event{Admin: &admin.ID, Action: "answer again"})
	})
	if err != nil {
		return fmt.Errorf("try again what was set aside: %w", err)
	}
	if d.opts.Resume != nil {
		d.opts.Resume(d.ctx, updates)
	}
	return Done(w, r, "answering", "")
}
