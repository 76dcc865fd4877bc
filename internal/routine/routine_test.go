package routine

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var errBroken = errors.New("broken")

func isPanic(err error) bool {
	_, ok := errors.AsType[*Panic](err)
	return ok
}

// quietly keeps what is logged.
func quietly(t *testing.T) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return &out
}

func TestCall_APanicIsAnErrorWithoutItsText(t *testing.T) {
	out := quietly(t)
	err := Call(func() error { panic("Маша") })
	if !isPanic(err) || strings.Contains(err.Error()+out.String(), "Маша") {
		t.Errorf("got %v and %q; want a panic, and its text nowhere", err, out)
	}
	if !strings.Contains(out.String(), "routine_test.go") {
		t.Errorf("got %q; want the stack", out)
	}
	if err := Call(func() error { return errBroken }); err != errBroken {
		t.Errorf("got %v; want the error of the function", err)
	}
}

func TestGo_APanicIsItsError(t *testing.T) {
	quietly(t)
	if err := <-Go(func() error { panic("a fault of ours") }); !isPanic(err) {
		t.Errorf("got %v; want the panic", err)
	}
	if err := <-Go(func() error { return nil }); err != nil {
		t.Errorf("got %v; want none", err)
	}
}

func TestGroup_APanicEndsTheOthersInOrder(t *testing.T) {
	quietly(t)
	g, ctx := WithContext(t.Context())
	ended := false
	g.Run(func() { <-ctx.Done(); ended = true })
	g.Run(func() { panic("x") })
	if err := g.Wait(); !isPanic(err) || !ended {
		t.Errorf("got %v and %v; want the panic after all others have ended", err, ended)
	}
}

func TestGroup_TheFirstErrorCounts(t *testing.T) {
	var g Group
	first := make(chan struct{})
	g.Go(func() error { defer close(first); return errBroken })
	g.Go(func() error { <-first; return nil })
	if err := g.Wait(); err != errBroken {
		t.Errorf("got %v; want the error", err)
	}
}

func TestKeep_CallsAgainAfterAPanic(t *testing.T) {
	quietly(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var g Group
		calls := 0
		g.Keep(ctx, func() {
			if calls++; calls < 4 {
				panic("x")
			}
			<-ctx.Done()
		})
		time.Sleep(8 * time.Second)
		synctest.Wait()
		if calls != 4 {
			t.Errorf("got %d calls; want the fourth after 1, 2 and 4 s", calls)
		}
		cancel()
		if err := g.Wait(); err != nil {
			t.Errorf("got %v; want none: the last call returned", err)
		}
	})
}
