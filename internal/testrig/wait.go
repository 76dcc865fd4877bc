// Waiting: for a condition, as long as something changes.

package testrig

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// Stall is how long nothing may change in a test that waits. Only a program that stands still takes so long: a test has
// no time limit of its own, because a busy machine may need any time for it.
const Stall = 2 * time.Minute

// Progress ends a context when nothing has changed for Stall.
type Progress struct {
	context.Context
	alarm *time.Timer
}

// NewProgress returns one that a test ends.
func NewProgress(t testing.TB) *Progress {
	ctx, cancel := context.WithCancelCause(t.Context())
	p := &Progress{ctx, time.AfterFunc(Stall, func() { cancel(fmt.Errorf("nothing has changed for %v", Stall)) })}
	t.Cleanup(func() { p.alarm.Stop(); cancel(nil) })
	return p
}

// Changed says that something has.
func (p *Progress) Changed() { p.alarm.Reset(Stall) }

// Until waits until is reports true. It returns an error when nothing that state describes has changed for Stall.
func Until(t testing.TB, is func() bool, state func() string) error {
	p := NewProgress(t)
	defer p.alarm.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	last := state()
	for next := time.Now(); !is(); {
		select {
		case <-p.Done():
			return context.Cause(p)
		case <-look.C:
		}
		if time.Since(next) < time.Second {
			continue
		}
		next = time.Now()
		if now := state(); now != last {
			last = now
			p.Changed()
		}
	}
	return nil
}
