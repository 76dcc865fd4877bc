// Waiting in tests: for a condition, as long as something changes.

package main

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// stall is how long nothing may change in a test that waits. Only a program that stands still takes so long: a test has
// no time limit of its own, because a busy machine may need any time for it.
const stall = 2 * time.Minute

// progress ends a context when nothing has changed for stall.
type progress struct {
	ctx   context.Context
	alarm *time.Timer
}

// newProgress returns one that a test ends.
func newProgress(t testing.TB) *progress {
	ctx, cancel := context.WithCancelCause(t.Context())
	p := &progress{ctx, time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing has changed for %v", stall)) })}
	t.Cleanup(func() { p.alarm.Stop(); cancel(nil) })
	return p
}

// changed says that something has.
func (p *progress) changed() { p.alarm.Reset(stall) }

// until waits until is reports true. It returns an error when nothing that state describes has changed for stall.
func until(t testing.TB, is func() bool, state func() string) error {
	p := newProgress(t)
	defer p.alarm.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	last := state()
	for next := time.Now(); !is(); {
		select {
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		case <-look.C:
		}
		if time.Since(next) < time.Second {
			continue
		}
		next = time.Now()
		if now := state(); now != last {
			last = now
			p.changed()
		}
	}
	return nil
}
