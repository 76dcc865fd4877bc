// Tests of claims.

package worker

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

// probes counts what an outage is asked for.
type probes struct {
	allowed, undone atomic.Int32
	looked          chan struct{} // closed when the timer has been round once
	closed          atomic.Bool
}

func (p *probes) Allow(time.Time) bool { p.allowed.Add(1); return true }

func (p *probes) Undo() { p.undone.Add(1) }

func (p *probes) Done() {}

func (p *probes) State(time.Time) (began time.Time, reason string, next time.Time, spent bool) {
	if p.closed.CompareAndSwap(false, true) {
		close(p.looked)
	}
	return began, reason, next, spent
}

// The only video that was due is cancelled just before an outage's probe: another one must be able to be that probe.
func TestClaim_AProbeThatFindsNothingToMakeIsGivenBack(t *testing.T) {
	s := testrig.NewStore(t)
	o := &probes{looked: make(chan struct{})}
	p := New(s, Options{Workers: map[store.Kind]int{store.Render: 1}, Outages: o}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx, func(context.Context, context.Context, *store.Task) *Completion { return nil })
	}()
	<-o.looked
	cancel()
	<-done
	if allowed, undone := o.allowed.Load(), o.undone.Load(); allowed == 0 || undone != allowed {
		t.Errorf("got %d probes allowed and %d given back; want all given back: there is nothing to make", allowed, undone)
	}
}
