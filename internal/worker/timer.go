// The timer: work that becomes due.

package worker

import (
	"context"
	"errors"
	"time"

	"retake.example/internal/store"
)

// timer looks for work that has become due, until ctx ends. It sleeps until then: nothing polls.
func (p *Pool) timer(ctx context.Context) {
	clock := jumps{wall: p.store.Now(), steady: time.Now()}
	for ctx.Err() == nil {
		jumped := clock.jumped(p.store.Now())
		seen := p.store.Now() // before the transaction: it sees whatever is due by then
		p.RetryWrite(ctx, func() error {
			return p.answering(ctx, func(tx *store.Tx) error {
				if jumped != 0 {
					if err := errors.Join(tx.CapWaits(), tx.ShiftWaits(jumped)); err != nil {
						return err
					}
				}
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
			alarm = time.After(min(due.Sub(p.store.Now()), lookAtClock)) // at once, if it has become due since
		}
		select {
		case <-ctx.Done():
		case <-p.look:
		case <-alarm:
		}
	}
}

// lookAtClock is how long the timer sleeps at most while a job is to become due: a clock that is set back must not hold
// it.
const lookAtClock = time.Minute

// jumps finds out when the wall clock does not go as the monotonic one does.
type jumps struct{ wall, steady time.Time }

// jumped returns how far the wall clock has been set since the last call; 0: it has not.
func (j *jumps) jumped(wall time.Time) time.Duration {
	steady := time.Now()
	off := wall.Round(0).Sub(j.wall.Round(0)) - steady.Sub(j.steady)
	j.wall, j.steady = wall, steady
	if off.Abs() <= time.Second {
		return 0
	}
	return off
}
