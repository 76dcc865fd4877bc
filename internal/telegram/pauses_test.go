// Pauses: what a 429 or a failure holds, for how long, what it must not hold, and that everybody can see it.

package telegram

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A 429 with an hour to wait, to each kind of call: the calls that must go on, and the ones that must not.
func TestPause_A429HoldsOnlyWhatItMust(t *testing.T) {
	calls := map[string]Call{
		"a message to chat 1": message(1, Answer), "a video to chat 1": video(1), "an edit in chat 1": edit(1),
		"a message to chat 2": message(2, Answer), "a video to chat 2": video(2), "an edit in chat 2": edit(2),
		"a message to group -1": message(-1, Answer),
		"a menu":                {Method: "setMyCommands"}, "an answer to a press": {Method: "answerCallbackQuery"},
		"a deletion": {Method: "deleteMessage"}, "a look": {Method: "getMe"},
	}
	for refused, holds := range map[string][]string{
		"a message to chat 1":   {"a message to chat 1", "a video to chat 1", "an edit in chat 1"},
		"a video to chat 1":     {"a message to chat 1", "a video to chat 1", "an edit in chat 1"},
		"an edit in chat 1":     {"an edit in chat 1"},
		"a message to group -1": {"a message to group -1"},
		"a menu":                {"a menu"},
		"an answer to a press":  {"an answer to a press"},
		"a deletion":            {"a deletion"},
		"a look":                {"a look"},
	} {
		t.Run(refused, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				g := NewGate(time.Second, LogTo(slog.New(slog.NewTextHandler(&log, nil))))
				err := g.Do(t.Context(), calls[refused], refuses(3600))
				e, ok := errors.AsType[*Error](err)
				if !ok || e.Class != Wait || e.Code() != "telegram_rate" || e.Permanent() || e.MaybeSent() {
					t.Fatalf("got %v; want an error that asks to wait", err)
				}
				if wait, _ := e.RetryAfter(); wait != time.Hour+100*time.Millisecond {
					t.Errorf("got %v to wait; want the hour and a little more", wait)
				}
				time.Sleep(10 * time.Second) // chats have their turns back
				for name, c := range calls {
					made := false
					err := g.Do(t.Context(), c, func(context.Context) error { made = true; return nil })
					want := true
					for _, h := range holds {
						want = want && h != name
					}
					if made != want || (err == nil) != want {
						t.Errorf("%s: made %v, %v; want made %v", name, made, err, want)
					}
					if wait, waits := retryAfter(err); !want && (!waits || wait < 59*time.Minute) {
						t.Errorf("%s: got %v to wait; want the rest of the hour", name, wait)
					}
				}
				g.Up() // polling works; the 429 stands
				if got := g.Pauses(); len(got) != 1 || got[0].Code != "telegram_rate" ||
					got[0].Until.Before(time.Now().Add(50*time.Minute)) {
					t.Errorf("got pauses %+v; want the one", got)
				}
				if n := strings.Count(log.String(), "level=WARN"); n != 1 {
					t.Errorf("got %d warnings; want 1: %s", n, log.String())
				}
				time.Sleep(time.Hour)
				if got := g.Pauses(); len(got) != 0 {
					t.Errorf("after the hour: got pauses %+v; want none", got)
				}
				if err := g.Do(t.Context(), calls[refused], fine); err != nil {
					t.Errorf("after the hour: got %v; want the call made", err)
				}
			})
		})
	}
}

func retryAfter(err error) (time.Duration, bool) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter()
	}
	return 0, false
}

func TestPause_AShorter429DoesNotEndALongerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		var wg sync.WaitGroup
		for i, seconds := range []int64{30, 1} { // both on their way; the short one is answered last
			wg.Go(func() {
				g.Do(t.Context(), message(1, Answer), func(context.Context) error {
					time.Sleep(time.Duration(i+1) * 100 * time.Millisecond)
					return tooMany(seconds)
				})
			})
		}
		wg.Wait()
		time.Sleep(5 * time.Second)
		if err := g.Do(t.Context(), message(1, Answer), fine); ClassOf(err) != Wait {
			t.Errorf("after 5 s: got %v; want to be told to wait for the rest of 30 s", err)
		}
	})
}

func TestPause_ASuccessThatWasOnItsWayDoesNotEndA429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		var wg sync.WaitGroup
		wg.Go(func() {
			g.Do(t.Context(), message(1, Answer), func(context.Context) error { time.Sleep(time.Second); return nil })
		})
		synctest.Wait()
		g.Do(t.Context(), message(1, Answer), refuses(3600))
		wg.Wait()
		if err := g.Do(t.Context(), message(1, Answer), fine); ClassOf(err) != Wait {
			t.Errorf("got %v; want to be told to wait", err)
		}
	})
}

func TestPause_AShortOneIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []Call{message(1, Answer), {Method: "getMe"}} {
			g, began := quiet(), time.Now()
			g.Do(t.Context(), c, refuses(1))
			if err := g.Do(t.Context(), c, fine); err != nil || time.Since(began) != 1100*time.Millisecond {
				t.Errorf("%s: got %v after %v; want the call after 1.1 s", c.Method, err, time.Since(began))
			}
		}
	})
}

func TestPause_SeveralChatsToldWithinSecondsHoldAll(t *testing.T) {
	for name, c := range map[string]struct {
		calls  []Call
		apart  time.Duration
		all    bool // messages wait
		edits  bool // edits wait
		paused int
	}{
		"three people's chats": {[]Call{message(1, Answer), video(2), message(3, Pending)}, time.Second, true,
			true, 4},
		"two":                  {[]Call{message(1, Answer), video(2)}, 0, false, false, 2},
		"three times the same": {[]Call{message(1, Answer), video(1), message(1, Answer)}, 0, false, false, 1},
		"three, but not within seconds": {[]Call{message(1, Answer), message(2, Answer), message(3, Answer)},
			6 * time.Second, false, false, 3},
		"three groups, by a stranger": {[]Call{message(-1, Answer), message(-2, Answer), message(-3, Answer)}, 0,
			false, false, 3},
		"three edits: they hold edits": {[]Call{edit(1), edit(2), edit(3)}, 0, false, true, 4},
		"a menu, a deletion and an answer": {[]Call{{Method: "setMyCommands"}, {Method: "deleteMessage"},
			{Method: "answerCallbackQuery"}}, 0, false, false, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := quiet()
				for i, call := range c.calls {
					if i > 0 {
						time.Sleep(c.apart)
					}
					g.Do(t.Context(), call, func(context.Context) error { return tooMany(int64(100 + 100*i)) })
				}
				g.Up() // polling works; the 429s stand
				if err := g.Do(t.Context(), message(9, Answer), fine); (err != nil) != c.all {
					t.Errorf("a message to another chat: got %v; want it held: %v", err, c.all)
				}
				if err := g.Do(t.Context(), edit(9), fine); (err != nil) != c.edits {
					t.Errorf("an edit in another chat: got %v; want it held: %v", err, c.edits)
				}
				if got := g.Pauses(); len(got) != c.paused {
					t.Errorf("got pauses %+v; want %d", got, c.paused)
				}
				time.Sleep(101 * time.Second) // the shortest of the three
				if err := g.Do(t.Context(), message(9, Answer), fine); err != nil {
					t.Errorf("after the shortest: got %v; want the message sent", err)
				}
			})
		})
	}
}

func TestPause_ThoseInLineAreToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := quiet(), time.Now()
		var held, sent atomic.Int64
		var wg sync.WaitGroup
		for chat := range int64(several) {
			wg.Go(func() {
				g.Do(t.Context(), message(chat+1, Answer), func(context.Context) error {
					time.Sleep(500 * time.Millisecond)
					return tooMany(3600)
				})
			})
		}
		synctest.Wait()
		for chat := range int64(100) {
			wg.Go(func() {
				switch err := g.Do(t.Context(), message(chat+10, Answer), fine); {
				case err == nil:
					sent.Add(1)
				case ClassOf(err) == Wait && time.Since(began) < time.Second:
					held.Add(1)
				}
			})
		}
		wg.Wait()
		if s, h := sent.Load(), held.Load(); s > 20 || s+h != 100 {
			t.Errorf("got %d sent, %d told to wait at once; want the rest told to wait", s, h)
		}
	})
}

// 500 for one chat, for ever, while everybody else is served: it waits longer each time, and the others' successes
// change nothing about that.
func TestPause_OneFailingChatWaitsLongerEachTimeWhateverTheOthersDo(t *testing.T) {
	for name, problem := range map[string]func() error{
		"500":        func() error { return failed(Down, 500, "telegram answered 500") },
		"unreadable": func() error { return failed(Unreadable, 200, "an answer that cannot be read") },
		"cut off":    func() error { return failed(Down, 0, "connection reset") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, began := quiet(), time.Now()
				ctx, stop := context.WithTimeout(t.Context(), time.Hour)
				defer stop()
				go func() {
					for chat := int64(100); ctx.Err() == nil; chat++ {
						if err := g.Do(ctx, message(chat, Answer), fine); err != nil && ctx.Err() == nil {
							t.Errorf("another chat after %v: %v", time.Since(began), err)
						}
						time.Sleep(time.Second)
					}
				}()
				var pauses []time.Duration
				for range 11 {
					err := g.Do(ctx, video(1), func(context.Context) error { return problem() })
					wait, waits := retryAfter(err)
					if !waits {
						t.Fatalf("got %v; want a wait", err)
					}
					pauses = append(pauses, wait)
					time.Sleep(wait)
				}
				if got, want := fmt.Sprint(pauses), "[1s 2s 4s 8s 16s 32s 1m4s 2m0s 2m0s 2m0s 2m0s]"; got != want {
					t.Errorf("got pauses %s; want %s", got, want)
				}
				if got := g.Pauses(); len(got) != 1 || got[0].Chat != 1 || got[0].Method != "sendVideo" {
					t.Errorf("got %+v; want the chat's pause shown", got)
				}
				g.Do(ctx, video(1), func(context.Context) error { return problem() })
				if err := g.Do(ctx, message(1, Answer), fine); err != nil {
					t.Errorf("a line of text to the same chat: got %v; want it sent", err)
				}
				time.Sleep(longestPause)
				if err := g.Do(ctx, video(1), fine); err != nil {
					t.Error(err)
				}
				g.Do(ctx, video(1), func(context.Context) error { return problem() })
				if got := g.Pauses(); len(got) != 0 {
					t.Errorf("after a success and one more failure: got %+v; want it begun again", got)
				}
				stop()
				time.Sleep(2 * time.Second)
			})
		})
	}
}

func TestPause_Unreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		g := NewGate(time.Second, LogTo(slog.New(slog.NewTextHandler(&log, nil))))
		noWay := func(context.Context) error {
			e := failed(Down, 0, "telegram cannot be reached: dial tcp: connection refused")
			e.place = true
			return e
		}
		var pauses []time.Duration
		for i := range int64(7) {
			wait, _ := retryAfter(g.Do(t.Context(), message(i+1, Answer), noWay))
			pauses = append(pauses, wait)
			if wait > patience {
				if err := g.Do(t.Context(), Call{Method: "getMe"}, fine); ClassOf(err) != Down {
					t.Errorf("another call meanwhile: got %v; want it told that telegram is away", err)
				}
			}
			time.Sleep(wait)
		}
		if got, want := fmt.Sprint(pauses), "[1s 2s 4s 8s 16s 30s 30s]"; got != want {
			t.Errorf("got pauses %s; want %s", got, want)
		}
		if tr := g.Troubles(); len(tr) != 1 || tr[0].Code != "telegram_unreachable" || time.Since(tr[0].Since) < time.Minute {
			t.Errorf("got troubles %+v; want that telegram is unreachable, since the beginning", tr)
		}
		if p := g.Pauses(); len(p) < 1 || p[0].Chat != 0 || p[0].Code != "telegram_unreachable" {
			t.Errorf("got pauses %+v; want the one of all calls first", p)
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 {
			t.Errorf("got %d warnings; want 1: %s", n, log.String())
		}
		g.Do(t.Context(), message(50, Answer), noWay)
		g.Up()
		if err := g.Do(t.Context(), message(51, Answer), fine); err != nil || len(g.Troubles()) > 0 {
			t.Errorf("after a poll came through: got %v, troubles %+v; want the call made", err, g.Troubles())
		}
	})
}

// A place that answers nobody: after several chats all others wait too, instead of each finding out.
func TestPause_SeveralFailingChatsMeanThatTelegramIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		for range 3 { // the pauses of the place grow past what calls wait for
			for chat := range int64(several) {
				g.Do(t.Context(), message(chat+1, Answer), func(context.Context) error {
					return failed(Down, 502,
						"telegram answered 502")
				})
			}
			time.Sleep(3 * time.Second)
		}
		if tr := g.Troubles(); len(tr) != 1 || tr[0].Code != "telegram_unreachable" {
			t.Errorf("got troubles %+v; want that telegram is unreachable", tr)
		}
		g.Up()
		if tr := g.Troubles(); len(tr) != 0 {
			t.Errorf("after a poll came through: got troubles %+v; want none", tr)
		}
		began := time.Now()
		for chat := range int64(several) {
			if err := g.Do(t.Context(), message(chat+1, Answer), fine); err != nil || time.Since(began) > 0 {
				t.Errorf("after a poll came through: got %v after %v; want the message sent at once", err, time.Since(began))
			}
		}
	})
}

func TestPause_AfterAnAbsenceNothingGoesOutBeforeAnotherPollerWouldHaveBeenNoticed(t *testing.T) {
	for name, away := range map[string]func(g *Gate){
		"a machine that was off": func(g *Gate) { g.Absent(2 * time.Minute) },
		"a machine that was cut off": func(g *Gate) {
			g.Polling()
			g.Polled(nil)
			for range 4 {
				g.Polled(failed(Down, 0, "no way"))
				time.Sleep(20 * time.Second)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := quiet()
				away(g)
				sends := func(want bool, when string) {
					t.Helper()
					if err := g.Do(t.Context(), message(1, Pending), fine); (err == nil) != want {
						t.Errorf("%s: got %v; want the message sent: %v", when, err, want)
					}
				}
				sends(false, "before a poll")
				g.Polling()
				sends(false, "when a poll begins")
				g.Polled(nil) // with updates that were waiting
				g.Polling()
				time.Sleep((proof - 3) * time.Second)
				sends(false, "when polls were answered for a while")
				time.Sleep(3 * time.Second)
				sends(true, "when another poller would have been noticed")
				g.Polled(nil)
				g.Polling()
				g.Polled(failed(Down, 0, "no way"))
				time.Sleep(30 * time.Second)
				g.Polling()
				sends(true, "after a short absence")
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		g.Absent(10 * time.Second)
		if err := g.Do(t.Context(), message(1, Pending), fine); err != nil {
			t.Errorf("after a restart: got %v; want the message sent", err)
		}
	})
}

func TestPause_ATroubleOfTheBotIsSeenAtOnceAndEnds(t *testing.T) {
	for code, e := range map[string]*Error{
		"telegram_token": refusal(401, "Unauthorized", parameters{}),
		"telegram_webhook": refusal(409,
			"Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
			parameters{}),
		"telegram_other_poller": refusal(409,
			"Conflict: terminated by other getUpdates request; make sure that only one bot instance is running", parameters{}),
		"telegram_logged_out":  refusal(400, "Logged out", parameters{}),
		"telegram_unreachable": failed(Down, 0, "no way"),
	} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := quiet()
				g.Polled(nil)
				g.Polled(e)
				if tr := g.Troubles(); len(tr) != 1 || tr[0].Code != code || tr[0].Text == "" {
					t.Errorf("got %+v; want %s", tr, code)
				}
				err := g.Do(t.Context(), message(1, Answer), fine)
				if rival := code == "telegram_other_poller"; (err != nil) != rival {
					t.Errorf("a message meanwhile: got %v; want it held: %v", err, rival)
				}
				if err := g.Do(t.Context(), Call{Method: "sendMessage", Chat: 2, Priority: Pending, Alarm: true}, fine); err != nil {
					t.Errorf("telling an owner: got %v; want it sent", err)
				}
				g.Polled(errors.New("the disk is full")) // of our own
				g.Polled(nil)
				time.Sleep(61 * time.Second)
				if tr := g.Troubles(); len(tr) != 0 {
					t.Errorf("got %+v after a poll; want none", tr)
				}
				if err := g.Do(t.Context(), message(1, Answer), fine); err != nil {
					t.Errorf("afterwards: got %v; want the message sent", err)
				}
			})
		})
	}
}

// Two programs that poll in turns: each hears something now and then, and neither sends.
func TestPause_AnotherPollerKeepsUsFromSendingAlthoughSomePollsComeThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		for range 20 {
			g.Polled(refusal(409, "Conflict: terminated by other getUpdates request", parameters{}))
			time.Sleep(15 * time.Second)
			g.Polled(nil)
			time.Sleep(15 * time.Second)
			err := g.Do(t.Context(), message(1, Answer), fine)
			if ClassOf(err) != OtherPoller {
				t.Fatalf("got %v; want that another program polls", err)
			}
			if wait, waits := retryAfter(err); !waits || wait <= 0 {
				t.Errorf("got %v; want a wait", wait)
			}
		}
	})
}

// Another trouble than the other program's says nothing of it: a fence after it last polled, messages go out.
func TestPause_AnotherPollerIsGoneAfterAWhileWhateverElseIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		g.Polled(refusal(409, "Conflict: terminated by other getUpdates request", parameters{}))
		time.Sleep(fence*time.Second - time.Millisecond)
		g.Polled(refusal(404, "Not Found", parameters{}))
		if err := g.Do(t.Context(), message(1, Answer), fine); ClassOf(err) != OtherPoller {
			t.Errorf("within the fence: got %v; want that another program polls", err)
		}
		time.Sleep(time.Millisecond)
		if err := g.Do(t.Context(), message(1, Answer), fine); ClassOf(err) == OtherPoller {
			t.Errorf("after it: got %v; want no word of another program", err)
		}
	})
}

func TestPause_WhatIsLeftOfItIsKnownForEachChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		g.Do(t.Context(), message(5, Pending), refuses(600))
		time.Sleep(time.Minute)
		if got := g.Left(5); got < 9*time.Minute || got > 9*time.Minute+time.Second {
			t.Errorf("got %v left; want nine minutes", got)
		}
		if got := g.Left(6); got != 0 {
			t.Errorf("another chat: got %v; want no wait", got)
		}
	})
}

func TestPause_ACallThatIsStoppedSaysNothingOfTelegram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			g.Do(ctx, video(1), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		})
		synctest.Wait()
		g.Do(t.Context(), video(1), func(context.Context) error { return failed(Down, 0, "telegram is away") })
		before := g.Left(1)
		stop()
		wg.Wait()
		if left := g.Left(1); left != before || left == 0 {
			t.Errorf("got a pause of %v before the stop and %v after it; want the same", before, left)
		}
	})
}

func TestPause_OneThatIsOverIsNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		g.Do(t.Context(), message(1, Answer), func(context.Context) error {
			return &Error{Class: Down, text: "telegram is away", place: true}
		})
		if n := len(g.Troubles()); n != 1 {
			t.Errorf("got %d troubles; want the one", n)
		}
		time.Sleep(time.Minute)
		if got := g.Troubles(); len(got) != 0 {
			t.Errorf("got %+v a minute later; want none", got)
		}
	})
}

// A pause of all calls that Telegram has asked for is no trouble of Telegram's, and stands though a call gets through.
func TestPause_OneThatTelegramAskedForIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quiet()
		g.mu.Lock()
		g.extend(scope{}, Wait, time.Now(), time.Now().Add(time.Minute), 0)
		g.answered(scope{method: "sendMessage"})
		g.mu.Unlock()
		if left := g.LeftForAll(); left != time.Minute {
			t.Errorf("after an answer: got %v left; want the minute", left)
		}
		if troubles := g.Troubles(); len(troubles) != 0 {
			t.Errorf("got %v; want no trouble", troubles)
		}
	})
}
