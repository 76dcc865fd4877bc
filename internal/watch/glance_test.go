// Tests of what answers in place of something that hangs.

package watch

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestGlance_NobodyWaitsForWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan error)
		asked := 0
		g := NewGlance(250*time.Millisecond, func(context.Context) error { asked++; return <-answer })
		look := func() (err error, took time.Duration) {
			began := time.Now()
			err = g.Err()
			return err, time.Since(began)
		}
		for range 10 { // ten readers of the page
			if err, took := look(); err != nil || took > 250*time.Millisecond {
				t.Errorf("got %v after %v; want nothing known, soon", err, took)
			}
		}
		away := errors.New("away")
		answer <- away
		if asked != 1 {
			t.Errorf("got %d questions; want one at a time", asked)
		}
		synctest.Wait()
		if err, took := look(); err != away || took > 250*time.Millisecond {
			t.Errorf("got %v after %v; want the last answer", err, took)
		}
		go func() { answer <- nil }()
		synctest.Wait()
		go func() { answer <- nil }()
		if err, took := look(); err != nil || took != 0 {
			t.Errorf("got %v after %v; want it well again", err, took)
		}
	})
}
