// Tests of outages: videos that fail one after the other for a reason that is not their own.

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/outage"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/telegram"
	"retake.example/internal/video"
)

// outages are the defaults.
func outages() Options {
	return Options{Backoff: retry.Exponential(10*time.Second, 10*time.Minute), Outages: outage.New(5, 24*time.Hour, probeEvery)}
}

var errKey = errors.New("engine: 401: the key has expired (request 1842)")

func TestAnExpiredKeyCostsNobodyAVideo(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		var expired atomic.Bool
		var tries atomic.Int64
		expired.Store(true)
		b := &bench{render: func(context.Context, video.Order) error {
			tries.Add(1)
			if expired.Load() {
				return fmt.Errorf("request %d: %w", tries.Load(), errKey)
			}
			return nil
		}}
		for i := range int64(20) {
			ask(t, s, fmt.Sprint("Имя ", i), i+1)
		}
		q, stop := start(t, s, b, outages())
		time.Sleep(30 * time.Second)
		synctest.Wait()
		o, next, _ := q.Outage()
		if n := tries.Load(); o.Began.IsZero() || !strings.Contains(o.Reason, "the key has expired") || n < 5 || n > 6 || next.Sub(o.Began) != time.Minute {
			t.Errorf("got outage %+v, the next try at %v, after %d; want one after five, or six as two work", o, next, n)
		}
		if outlooks, err := q.Outlooks(t.Context()); err != nil || len(outlooks) != 20 {
			t.Errorf("got %v, %v; want all in the queue", outlooks, err)
		} else {
			for id, o := range outlooks {
				if !o.Held {
					t.Errorf("%s is not held", id)
				}
			}
		}
		before := tries.Load()
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if n := tries.Load() - before; n < 29 || n > 31 {
			t.Errorf("got %d tries in half an hour; want one a minute", n)
		}
		if n := count(t, s, `SELECT max(attempt) FROM jobs WHERE kind = 'RENDER'`); n != 0 {
			t.Errorf("got %d attempts spent; want none", n)
		}
		if n := count(t, s, `SELECT count(DISTINCT asset_id) FROM attempts WHERE outcome = 'deferred'`); n != 20 {
			t.Errorf("got %d videos tried; want each in its turn", n)
		}

		// A restart in between changes nothing.
		stop()
		q, stop = start(t, s, b, outages())
		defer stop()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if o, _, _ := q.Outage(); o.Began.IsZero() || tries.Load() > before+38 {
			t.Errorf("got outage %+v after %d tries; want it to go on, one a minute", o, tries.Load()-before)
		}

		expired.Store(false)
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM requests WHERE status = 'COMPLETED'`); n != 20 || b.heard("APOLOGISE") != 0 {
			t.Errorf("got %d served and %d apologies; want 20 and none", n, b.heard("APOLOGISE"))
		}
		if o, _, _ := q.Outage(); !o.Began.IsZero() || count(t, s, `SELECT count(*) FROM outage`) != 0 {
			t.Errorf("got outage %+v; want it over", o)
		}
	})
}

// TestSlowFailuresOfOneKeyCostNobodyAVideo: the first have spent their attempts before five different ones were tried.
func TestSlowFailuresOfOneKeyCostNobodyAVideo(t *testing.T) {
	for _, took := range []time.Duration{time.Second, 7 * time.Second, 30 * time.Second, 5 * time.Minute} {
		for _, workers := range []int{1, 2, 3} {
			t.Run(fmt.Sprintf("%v by %d", took, workers), func(t *testing.T) {
				inBubble(t, func(t *testing.T, s *store.Store) {
					var expired atomic.Bool
					expired.Store(true)
					b := &bench{render: func(ctx context.Context, _ video.Order) error {
						select {
						case <-time.After(took):
						case <-ctx.Done():
							return ctx.Err()
						}
						if expired.Load() {
							return errKey
						}
						return nil
					}}
					for i := range int64(20) {
						ask(t, s, fmt.Sprint("Имя ", i), i+1)
					}
					o := outages()
					o.Workers = workers
					q, stop := start(t, s, b, o)
					defer stop()
					time.Sleep(2 * time.Hour)
					synctest.Wait()
					if o, _, _ := q.Outage(); o.Began.IsZero() {
						t.Error("got no outage; want one")
					}
					expired.Store(false)
					time.Sleep(3 * time.Hour)
					synctest.Wait()
					if n := b.heard("VIDEO"); n != 20 || b.heard("APOLOGISE") != 0 {
						t.Errorf("got %d videos and %d apologies; want 20 and none", n, b.heard("APOLOGISE"))
					}
				})
			})
		}
	}
}

// TestTooFewForAnOutageAreNotWaitedFor: four that fail alike are no outage, so nobody's apology waits for the last of
// them.
func TestTooFewForAnOutageAreNotWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &bench{render: func(context.Context, video.Order) error { time.Sleep(20 * time.Second); return errEngine }}
		for i := range int64(4) {
			ask(t, s, fmt.Sprint("Ж ", i), i+1)
		}
		o := outages()
		o.Workers = 1
		_, stop := start(t, s, b, o)
		defer stop()
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM attempts WHERE outcome = 'deferred'`); n != 0 || b.heard("APOLOGISE") != 4 {
			t.Errorf("got %d waits and %d apologies; want none and 4", n, b.heard("APOLOGISE"))
		}
	})
}

// TestTwoThatFailAlikeAreGivenUpSoonWhenOthersAreMade: to wait for others is no reason to keep them waiting.
func TestTwoThatFailAlikeAreGivenUpSoonWhenOthersAreMade(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &bench{render: func(_ context.Context, o video.Order) error {
			time.Sleep(20 * time.Second)
			if strings.HasPrefix(o.Name, "Ж") {
				return errEngine
			}
			return nil
		}}
		for i := range int64(2) {
			ask(t, s, fmt.Sprint("Ж ", i), i+1)
		}
		for i := range int64(20) {
			ask(t, s, fmt.Sprint("Имя ", i), i+101)
		}
		o := outages()
		o.Workers = 1
		_, stop := start(t, s, b, o)
		defer stop()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if n := b.heard("APOLOGISE"); n != 2 {
			t.Errorf("got %d apologies after five minutes; want 2", n)
		}
	})
}

func TestTryNowDoesNotWait(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		var expired atomic.Bool
		expired.Store(true)
		b := &bench{render: func(context.Context, video.Order) error {
			if expired.Load() {
				return errKey
			}
			return nil
		}}
		for i := range int64(8) {
			ask(t, s, fmt.Sprint("Имя ", i), i+1)
		}
		q, stop := start(t, s, b, outages())
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		expired.Store(false)
		if err := q.TryNow(t.Context(), store.Admin{ID: 8, Owner: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM requests WHERE status = 'COMPLETED'`); n != 8 {
			t.Errorf("got %d served within a second; want all 8", n)
		}
	})
}

func TestReasonsOfTheirOwnAreNoOutage(t *testing.T) {
	for name, reason := range map[string]func(i int, name string) error{
		"each another":       func(i int, name string) error { return errors.New("no model for " + strings.Repeat("x", i+1)) },
		"each with its name": func(_ int, name string) error { return fmt.Errorf("cannot say %q", name) },
		// as engines tell it
		"each with a hidden one": func(int, string) error { return errors.New("engine: cannot say [name]") },
		"refused permanently":    func(int, string) error { return retry.Permanent(errKey) },
		"one asks to wait":       func(int, string) error { return retry.Wait(errKey, time.Hour) },
		"a video made each time": func(i int, _ string) error { return map[bool]error{true: errKey}[i%3 != 2] },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *store.Store) {
				index := map[string]int{}
				b := &bench{render: func(_ context.Context, o video.Order) error { return reason(index[o.Name], o.Name) }}
				for i := range 12 {
					index[ask(t, s, fmt.Sprint("Имя ", i), int64(i)+1).Name] = i
				}
				o := outages()
				o.Workers = 1
				q, stop := start(t, s, b, o)
				defer stop()
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if o, _, _ := q.Outage(); !o.Began.IsZero() {
					t.Errorf("got outage %+v; want none", o)
				}
				waiting := count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'RENDER'`)
				if done := b.heard("APOLOGISE") + b.heard("VIDEO"); done+waiting != 12 || waiting != 0 && name != "one asks to wait" {
					t.Errorf("got %d answered and %d waiting; want all 12 answered", done, waiting)
				}
			})
		})
	}
}

// TestBadNamesAmongGoodOnesAreGivenUpInTheEnd: five in a row that fail alike look like an outage, but others are made.
func TestBadNamesAmongGoodOnesAreGivenUpInTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &bench{render: func(_ context.Context, o video.Order) error {
			if strings.HasPrefix(o.Name, "Ж") {
				return errEngine
			}
			return nil
		}}
		for i := range int64(7) {
			ask(t, s, fmt.Sprint("Ж ", i), i+1)
		}
		for i := range int64(5) {
			ask(t, s, fmt.Sprint("Имя ", i), i+101)
		}
		q, stop := start(t, s, b, outages())
		defer stop()
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if o, _, _ := q.Outage(); !o.Began.IsZero() || b.heard("APOLOGISE") != 7 || b.heard("VIDEO") != 5 {
			t.Errorf("got outage %+v, %d apologies and %d videos; want none, 7 and 5", o, b.heard("APOLOGISE"), b.heard("VIDEO"))
		}
	})
}

func TestAnOutageThatDoesNotEndIsToldToEverybody(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &bench{render: func(context.Context, video.Order) error { return errKey }}
		for i := range int64(8) {
			ask(t, s, fmt.Sprint("Имя ", i), i+1)
		}
		q, stop := start(t, s, b, outages())
		defer stop()
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		if n := b.heard("APOLOGISE"); n != 0 {
			t.Errorf("got %d apologies; want none yet", n)
		}
		time.Sleep(time.Hour + 5*time.Minute)
		synctest.Wait()
		if _, _, spent := q.Outage(); !spent {
			t.Error("got an outage that holds; want it spent")
		}
		if n := count(t, s, `SELECT max(n) FROM (SELECT count(*) n FROM attempts WHERE kind = 'RENDER' GROUP BY asset_id)`); n > 6 {
			t.Errorf("got %d lines of history; want two before it, a day of tries in one, and three after", n)
		}
		if n := b.heard("APOLOGISE"); n != 8 {
			t.Errorf("got %d apologies; want 8", n)
		}
		// Everyone who asks now is not held, and is told after three attempts.
		ask(t, s, "Лев", 77)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if n := b.heard("APOLOGISE 77"); n != 1 {
			t.Errorf("got %d apologies to the newcomer; want 1", n)
		}
	})
}

func TestAdminsAreToldOfAnOutageOnceAndMayTry(t *testing.T) {
	w := newWorld(t)
	w.stop()
	w.outage = 3
	w.start()
	admin := w.tg.Person(900, "Admin", "en")
	admin.Send("/start")
	w.breakEngine()
	var parents []*faketelegram.Person
	for i := range int64(7) {
		p := w.tg.Person(i+1, "Мария", "ru")
		w.asks(p, "Маша "+strings.Repeat("а", int(i)+1))
		parents = append(parents, p)
	}
	told := w.hears(admin, "Several videos in a row could not be made")
	if !strings.Contains(told.Text, "no such model") || strings.Contains(told.Text, "Маша") || len(told.Buttons) != 1 {
		t.Errorf("got %+v; want the reason, no name, and the button", told)
	}
	for _, p := range parents {
		w.hears(p, "Видео готовится дольше обычного")
	}
	// A restart tells nobody again, and somebody else's press tries nothing.
	w.stop()
	w.start()
	parents[0].Press(told.ID, telegram.TryButton)
	w.until("the press is handled", func() bool {
		return w.tg.Pending() == 0 && count(w, w.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`) == 0
	})
	w.repairEngine()
	press(admin, told, 0)
	w.hears(admin, "I am trying one now")
	for _, p := range parents {
		w.getsVideos(p, 1)
	}
	w.hears(admin, "Videos are being made again")
	w.calm()
	began := 0
	for _, m := range answers(admin) {
		if strings.Contains(m.Text, "Several videos in a row") {
			began++
		}
	}
	if began != 1 {
		t.Errorf("got %d messages about the outage; want 1", began)
	}
	for _, p := range parents {
		for _, m := range answers(p) {
			if strings.Contains(m.Text, "Упс") {
				t.Errorf("got %q; want no apology", m.Text)
			}
		}
	}
}

func TestThePageShowsAnOutageWithAButton(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	d.queue.outages = outage.New(2, 24*time.Hour, probeEvery)
	session, admin := d.signIn(8), d.signIn(7)
	refusal := d.want(409, d.send(call{method: "POST", path: "/try-now", session: admin, json: true}))
	if refused(t, refusal) != "NOT_FAILED" {
		t.Errorf("got %s; want NOT_FAILED without an outage", refusal)
	}
	ask(t, d.store, "Маша", 1)
	ask(t, d.store, "Лев", 2)
	for range 2 {
		fail(t, d.queue, store.Render, errors.New("dial tcp: connection refused"))
	}
	page := d.want(200, d.send(call{method: "GET", path: "/", session: session}))
	for _, want := range []string{"Videos have been failing for one reason", "A service it needs did not answer.", `action="/try-now"`, "0 of 0 busy", "35 GB free", "Oldest request"} {
		if !strings.Contains(page, want) {
			t.Errorf("got %s; want %q in it", page, want)
		}
	}
	body := d.want(200, d.send(call{method: "GET", path: "/", session: session, json: true}))
	for _, want := range []string{`"outage":{"began":"`, `"disk_free":38000000000`, `"oldest_waiting":"`} {
		if !strings.Contains(body, want) {
			t.Errorf("got %s; want %s in it", body, want)
		}
	}
	if n := count(t, d.store, `SELECT count(*) FROM jobs WHERE kind = 'RENDER' AND due > 0 AND attempt = 0`); n != 2 {
		t.Errorf("got %d renders held with their attempts given back; want 2", n)
	}
	w := d.send(call{method: "POST", path: "/try-now", session: admin})
	d.want(303, w)
	if to := w.Header().Get("Location"); to != "/?notice=trying" {
		t.Errorf("got sent to %s", to)
	}
	task := begin(t, d.store, store.Render)
	write(t, d.store, func(tx *store.Tx) error { return tx.FinishRender(task.Job, store.Video{File: "x.mp4"}) })
	if !d.queue.outages.RecordSuccess(task.AssetID) {
		t.Error("a video that is made ends no outage")
	}
	if page := d.want(200, d.send(call{method: "GET", path: "/", session: session})); strings.Contains(page, "try-now") {
		t.Errorf("got %s; want no outage any more", page)
	}
}
