// The gate's pace: per chat, over all, by the settings, and after Telegram asked for a slower one.

package telegram

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func fine(context.Context) error { return nil }

// refuses returns a call that is answered 429.
func refuses(seconds int64) func(context.Context) error {
	return func(context.Context) error { return tooMany(seconds) }
}

// message is a call that sends a message to a chat.
func message(chat int64, p Priority) Call {
	return Call{Method: "sendMessage", Chat: chat, Priority: p}
}

// video is a call that sends a video by its file_id.
func video(chat int64) Call {
	return Call{Method: "sendVideo", Chat: chat, Priority: Pending, FileID: true}
}

func edit(chat int64) Call { return Call{Method: "editMessageText", Chat: chat, Priority: Courtesy} }

// quiet returns a gate that logs nowhere.
func quiet(options ...Option) *Gate {
	return NewGate(time.Second, append([]Option{LogTo(slog.New(slog.DiscardHandler))}, options...)...)
}

func TestGate_Pace(t *testing.T) {
	one, many := func(int) int64 { return 1 }, func(i int) int64 { return int64(i + 1) }
	for name, c := range map[string]struct {
		options []Option
		chat    func(i int) int64
		calls   int
		takes   time.Duration
	}{
		"one chat gets three at once, then one a second": {nil, one, 8, 5 * time.Second},
		"many chats share twenty-five a second":          {nil, many, 60, 2 * time.Second},
		"or what the settings say":                       {[]Option{PerSecond(5)}, many, 52, 10 * time.Second},
		"but not more than thirty":                       {[]Option{PerSecond(500)}, many, 312, 10 * time.Second},
		"and not less than one":                          {[]Option{PerSecond(0)}, many, 11, 10 * time.Second},
		"what is no message has no pace":                 {nil, func(int) int64 { return 0 }, 1000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, began := quiet(c.options...), time.Now()
				for i := range c.calls {
					if err := g.Do(t.Context(), message(c.chat(i), Answer), fine); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(began); (took - c.takes).Abs() > 100*time.Millisecond {
					t.Errorf("got %v; want %v", took, c.takes)
				}
			})
		})
	}
}

func TestGate_AGroupTakesTwentyAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, sent := quiet(), 0
		for range 600 {
			if g.Spare(-1) && g.Do(t.Context(), message(-1, Answer), fine) == nil {
				sent++
			}
			time.Sleep(100 * time.Millisecond)
		}
		if sent < 18 || sent > 23 {
			t.Errorf("got %d messages in a minute; want 20 and the burst", sent)
		}
	})
}

func TestGate_AChatKeepsItsPaceAmongTenThousandOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		send := func(chat int64) {
			if err := g.Do(t.Context(), message(chat, Answer), fine); err != nil {
				t.Fatal(err)
			}
		}
		for chat := range int64(9999) {
			send(chat + 2)
		}
		for range chatBurst {
			send(1)
		}
		time.Sleep(1100 * time.Millisecond)
		send(20_000) // the idle ones are forgotten, and chat 1 is not idle
		if n := len(g.chats); n > 100 {
			t.Errorf("got %d chats remembered; want those that are not idle", n)
		}
		began := time.Now()
		send(1)
		send(1)
		if took := time.Since(began); took < 800*time.Millisecond {
			t.Errorf("got two messages of a chat within %v; want 0.9 s between them", took)
		}
	})
}

func TestGate_AChatThatHasToWaitHoldsUpNoOtherAndIsNotFloodedAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := quiet(), time.Now()
		at := map[int64][]time.Duration{}
		var mu sync.Mutex
		send := func(chat int64) {
			go g.Do(t.Context(), message(chat, Pending), func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				at[chat] = append(at[chat], time.Since(began))
				return nil
			})
			synctest.Wait()
		}
		for range 10 {
			send(1)
		}
		for chat := range int64(200) { // a backlog of 8 s: those of chat 1 would be let go together at its end
			send(chat + 2)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := at[201][0]; got > 8*time.Second {
			t.Errorf("got the last of the others after %v; want it after 8 s at the most", got)
		}
		for i := chatBurst; i < 10; i++ {
			if got := at[1][i] - at[1][i-chatBurst]; got < 999*time.Millisecond {
				t.Errorf("got messages %d to %d of a chat within %v; want a second for one more than %d",
					i-chatBurst+1, i+1, got, chatBurst)
			}
		}
	})
}

func TestGate_WhatWasHeldUpOnItsWayIsNotTooMuchAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, road := quiet(PerSecond(30)), make(chan struct{})
		var arrived atomic.Int64
		for chat := range int64(200) {
			go g.Do(t.Context(), message(chat+1, Pending), func(context.Context) error { <-road; arrived.Add(1); return nil })
		}
		time.Sleep(time.Minute) // nothing gets through
		close(road)
		synctest.Wait()
		if n := arrived.Load(); n < 15 || n > 28 {
			t.Errorf("got %d messages at once; want fewer than the 30 that Telegram takes", n)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := arrived.Load(); n != 200 {
			t.Errorf("got %d messages; want all", n)
		}
	})
}

func TestGate_ManyWhoGiveUpLeaveTheNextTurnToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := quiet(), time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		for chat := range int64(60) {
			go g.Do(ctx, message(chat+1, Answer), fine)
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		if err := g.Do(t.Context(), message(999, Courtesy), fine); err != nil || time.Since(began) > 50*time.Millisecond {
			t.Errorf("got %v after %v; want the next turn, after 40 ms", err, time.Since(began))
		}
	})
}

// A turn that comes at the moment of giving up goes back: otherwise each such moment costs one of 15 places for ever,
// and after 15 of them the bot is silent until a restart.
func TestGate_ATurnThatComesWhileGivingUpGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for chat := range int64(200) { // in about half of them the turn comes first
			g.Do(gone, message(chat+1, Answer), fine)
			time.Sleep(100 * time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := g.Do(ctx, message(999, Answer), fine); err != nil {
			t.Errorf("got %v; want a place", err)
		}
		if g.away != 0 {
			t.Errorf("got %d messages on their way; want none", g.away)
		}
	})
}

func TestGate_AnErrorOfTheCallerIsNotTelegrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("the program stops")
		err := g.Do(ctx, message(1, Answer), func(ctx context.Context) error {
			cancel(stop)
			return failed(Down, 0, "cut off")
		})
		if ClassOf(err) != Stopped || !errors.Is(err, stop) {
			t.Errorf("a call cut by a stop: got %v, class %v; want stopped, with its cause", err, ClassOf(err))
		}
		if err := g.Do(ctx, message(1, Answer), fine); ClassOf(err) != Stopped && err != nil {
			t.Errorf("a wait cut by a stop: got %v; want stopped", err)
		}
		if len(g.Pauses()) > 0 || g.Do(t.Context(), message(1, Answer), fine) != nil {
			t.Error("a stop makes others wait")
		}
	})
}

func TestGate_SeveralChatsToldToWaitHalveThePaceWhichComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		g := NewGate(time.Second, LogTo(slog.New(slog.NewTextHandler(&log, nil))))
		pace := func() float64 { now, _ := g.Pace(); return now }
		var wg sync.WaitGroup
		for chat := range int64(8) { // on their way together: one event
			wg.Go(func() {
				g.Do(t.Context(), message(chat+1, Pending), func(context.Context) error { time.Sleep(time.Second); return tooMany(4) })
			})
		}
		wg.Wait()
		if got := pace(); got != 12.5 {
			t.Errorf("got a pace of %v; want half of 25, once", got)
		}
		if n := strings.Count(log.String(), "more slowly"); n != 1 {
			t.Errorf("got %d log lines; want 1: %s", n, log.String())
		}
		time.Sleep(5 * time.Second)
		began := time.Now()
		for chat := range int64(130) { // 5 at once and 125 in ten seconds
			if err := g.Do(t.Context(), message(chat+100, Pending), fine); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 9900*time.Millisecond || took > 10200*time.Millisecond {
			t.Errorf("got %v for 130 messages at half the pace; want 10 s", took)
		}
		time.Sleep(46 * time.Second) // about a minute since
		if got := pace(); got != 13.5 {
			t.Errorf("after a minute: got %v; want one a second more", got)
		}
		for chat := range int64(several) {
			g.Do(t.Context(), message(chat+1, Pending), refuses(1))
		}
		if got := pace(); got != 6.75 {
			t.Errorf("told again: got %v; want half of that", got)
		}
		time.Sleep(time.Hour)
		if now, set := g.Pace(); now != 25 || set != 25 {
			t.Errorf("after an hour: got %v of %v; want 25 of 25", now, set)
		}
		for range 20 {
			for chat := range int64(several) {
				g.Do(t.Context(), message(chat+1, Pending), refuses(1))
			}
			time.Sleep(2 * time.Second)
		}
		if got := pace(); got < 1 || got > 2 {
			t.Errorf("after twenty times: got %v; want one a second at least", got)
		}
	})
}
