// The timer: work that becomes due.

package worker

import (
	"context"
	"time"

	"retake.example/internal/store"
)

// timer looks for work that has become due, until ctx ends. It sleeps until then: nothing polls.
func (p *Pool) timer(ctx context.Context) {
	for ctx.Err() == nil {
		seen := p.store.Now() // before the transaction: it sees whatever is due by then
		p.RetryWrite(ctx, func() error {
			return p.answering(ctx, func(tx *store.Tx) error {
				for kind := range p.opts.Workers {
					tx.MarkDue(kind, 0)
				}
				return nil
			})
		})
		due, err := p.store.NextDue(ctx, seen)
		began, _, probe, spent := p.opts.Outages.State(p.store.Now())
		if err == nil && !began.IsZero() && !spent && probe.After(seen) && (due.IsZero() || probe.Before(due)) {
			due = probe
		}
		var alarm <-chan time.Time
		switch {
		case err != nil:
			if ctx.Err() == nil {
				p.log.Error("find the next due job", "err", err)
			}
			alarm = time.After(5 * time.Second)
		case !due.IsZero():
			alarm = time.After(due.Sub(p.store.Now())) // at once, if it has become due since
		}
		select {
		case <-ctx.Done():
		case <-p.look:
		case <-alarm:
		}
	}
}
