// Tests of Retry with a clock that is wrong for a minute.

package main

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

func TestRetry_AClockThatIsWrongForAMinuteEndsAndLengthensNoWait(t *testing.T) {
	for name, wrong := range map[string]time.Duration{
		"ten years ahead": 87_660 * time.Hour, "two days ahead": 48 * time.Hour, "an hour back": -time.Hour, "five days back": -120 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *store.Store) {
				var off atomic.Int64
				setNow(s, func() time.Time { return time.Now().Add(time.Duration(off.Load())) })
				b := &bench{render: func(context.Context, video.Order) error { return away{} }}
				_, stop := start(t, s, b, Options{Backoff: retry.Exponential(10*time.Second, 10*time.Minute), OutageMax: 24 * time.Hour})
				defer stop()
				began := time.Now()
				ask(t, s, "Маша", 1)
				time.Sleep(time.Hour)
				off.Store(int64(wrong))
				time.Sleep(time.Minute)
				off.Store(0)
				time.Sleep(22 * time.Hour)
				synctest.Wait()
				if n := b.heard("APOLOGISE"); n != 0 {
					t.Fatalf("got an apology after %v; want the wait to go on for a day", time.Since(began))
				}
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				if n := b.heard("APOLOGISE"); n != 1 {
					t.Errorf("got %d apologies after %v; want one: the wait is over", n, time.Since(began))
				}
				if n := count(t, s, `SELECT count(*) FROM jobs`); n != 0 {
					t.Errorf("got %d jobs left", n)
				}
			})
		})
	}
}
