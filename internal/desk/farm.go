// The farm: the other machines that make videos, and whether they take more.

package desk

import (
	"context"
	"errors"
	"net/http"
	"time"

	"retake.example/internal/farm"
	"retake.example/internal/store"
)

// farmhands are the other machines that make videos.
type farmhands interface {
	On() bool
	Workers() []farm.Worker
	Orders() (pending, redelivered int)
	Drain(ctx context.Context, worker string, on bool, reason string) error
	Renew() // what is offered has changed
}

// Farm is what the settings show of it.
type Farm struct {
	Workers     []farm.Worker `json:"workers"`
	Orders      int           `json:"orders"`
	Redelivered int           `json:"redelivered"`
}

// Seconds is how long a video takes on a worker, in words; "": unknown.
func (f Farm) Seconds(w farm.Worker) string {
	if w.Pace == 0 {
		return ""
	}
	return w.Pace.Round(100 * time.Millisecond).String()
}

// farm describes the farm; nil: there is none.
func (d *Desk) farm() *Farm {
	if d.opts.Farm == nil || !d.opts.Farm.On() {
		return nil
	}
	f := &Farm{Workers: d.opts.Farm.Workers()}
	f.Orders, f.Redelivered = d.opts.Farm.Orders()
	return f
}

// Drain has a worker take no more orders, or take them again.
func (d *Desk) Drain(w http.ResponseWriter, r *http.Request) error {
	fields, err := Fields(w, r)
	if err != nil {
		return err
	}
	outcome := map[string]string{"yes": "taking", "no": "drained"}[fields["take"]]
	if outcome == "" {
		return Invalid("error_fields", nil)
	}
	if d.opts.Farm == nil {
		return store.ErrNotFound
	}
	switch err := d.opts.Farm.Drain(d.ctx, fields["worker"], outcome == "drained", ""); {
	case errors.Is(err, farm.ErrNoWorker):
		return store.ErrNotFound
	case err != nil:
		return err
	}
	admin := AdminOf(r)
	if err := d.store.Tx(r.Context(), func(tx *store.Tx) error {
		return tx.Note(store.Event{Admin: &admin.ID, Action: "drain", Outcome: outcome})
	}); err != nil {
		return err
	}
	return Done(w, r, outcome, "")
}
