// Package routine starts the program's goroutines. A panic on a goroutine of its own would end the program; one that
// this package has started returns it as an error, and the others go on.
package routine

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Panic is the error of a function that has panicked. It says what the runtime has found, or else only of which type
// the panic was: its text may quote a name.
type Panic struct{ What string }

func (p *Panic) Error() string { return "panic: " + p.What }

// Call calls fn and returns its error. A panic becomes a *Panic, and the log has its stack.
func Call(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			what := fmt.Sprintf("%T", p)
			if found, ok := p.(runtime.Error); ok {
				what = found.Error()
			}
			slog.Error("panic", "what", what, "stack", string(debug.Stack()))
			err = &Panic{what}
		}
	}()
	return fn()
}

// Go calls fn on a goroutine. The channel gets its error, whether anybody waits for it or not.
func Go(fn func() error) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- Call(fn) }()
	return ended
}

// Group waits for goroutines. The zero value is ready.
type Group struct {
	wg     sync.WaitGroup
	mu     sync.Mutex
	err    error
	cancel context.CancelFunc // nil: an error ends no other
}

// WithContext returns a group and a context that ends with the first error of one of the group's functions, or when all
// have returned.
func WithContext(ctx context.Context) (*Group, context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	return &Group{cancel: cancel}, ctx
}

// Go calls fn on a goroutine of the group.
func (g *Group) Go(fn func() error) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		err := Call(fn)
		if err == nil {
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.err == nil {
			g.err = err
		}
		if g.cancel != nil {
			g.cancel()
		}
	}()
}

// Run is Go for a function without an error.
func (g *Group) Run(fn func()) {
	g.Go(func() error { fn(); return nil })
}

// again is the pause after the first panic of a function that Keep calls; longestPause after many in a row.
const (
	again        = time.Second
	longestPause = time.Minute
)

// Keep calls fn on a goroutine of the group, and again after a pause if it panics, until ctx ends. So work that goes on
// as long as the program survives one fault.
func (g *Group) Keep(ctx context.Context, fn func()) {
	g.Go(func() error {
		for pause := again; ; pause = min(2*pause, longestPause) {
			if Call(func() error { fn(); return nil }) == nil {
				return nil
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
		}
	})
}

// Wait returns when all functions have returned, with the first of their errors.
func (g *Group) Wait() error {
	g.wg.Wait()
	if g.cancel != nil {
		g.cancel()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}
