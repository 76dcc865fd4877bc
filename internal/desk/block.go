// Levers against abuse: owners block the people who asked for a video, and stop taking new wishes.

package desk

import (
	"errors"
	"fmt"
	"net/http"

	"retake.example/internal/store"
)

// Block bans everyone who asked for a video. Nobody learns who that is.
func (d *Desk) Block(w http.ResponseWriter, r *http.Request) error {
	admin := AdminOf(r)
	for begun, more := false, true; more; begun = true {
		err := d.store.Tx(d.ctx, func(tx *store.Tx) (err error) {
			more, err = tx.BanAskers(r.PathValue("id"), admin.ID)
			return err
		})
		if begun && errors.Is(err, store.ErrNotFound) { // another admin blocks them, too
			break
		}
		if err != nil {
			return fmt.Errorf("block who asked for %s: %w", r.PathValue("id"), err)
		}
	}
	return Done(w, r, "blocked", "")
}

// Wishes has the bot take new wishes, or none.
func (d *Desk) Wishes(w http.ResponseWriter, r *http.Request) error {
	fields, err := Fields(w, r)
	if err != nil {
		return err
	}
	admin, outcome := AdminOf(r), map[string]string{"yes": "resumed", "no": "paused"}[fields["take"]]
	if outcome == "" {
		return Invalid("error_fields", nil)
	}
	err = d.store.Tx(r.Context(), func(tx *store.Tx) error {
		if outcome == "paused" {
			return tx.Pause(admin.ID)
		}
		return tx.Resume(admin.ID)
	})
	// Somebody else was quicker, and it is as it should be.
	if err != nil && !errors.Is(err, store.ErrExists) && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("take wishes: %w", err)
	}
	return Done(w, r, outcome, "")
}
