// Limits: every way that costs a render counts, and nothing that a user can do resets them.

package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
)

func TestLimits_EveryWayToSpendInEveryState(t *testing.T) {
	// A way takes a parent with a failed video to the press that costs a render.
	ways := map[string]func(w *world, p *faketelegram.Person, apology faketelegram.Message) (spend func()){
		"a wish": func(w *world, p *faketelegram.Person, _ faketelegram.Message) func() {
			q := w.names(p, "Оля")
			return func() { press(p, q, 0) }
		},
		"another template": func(w *world, p *faketelegram.Person, _ faketelegram.Message) func() {
			q := w.names(p, "Маша")
			return func() { press(p, q, 1) }
		},
		"the button under the apology": func(w *world, p *faketelegram.Person, apology faketelegram.Message) func() {
			return func() { press(p, apology, 0) }
		},
		"the button of /status": func(w *world, p *faketelegram.Person, _ faketelegram.Message) func() {
			p.Send("/status")
			m := w.hears(p, "Попробуем ещё раз?")
			return func() { press(p, m, 0) }
		},
	}
	forget := func(w *world, p *faketelegram.Person) {
		p.Send("/delete_my_data")
		press(p, w.hears(p, lang.Say("ru", "forget_ask", nil)), 0)
		w.until("forgotten", func() bool { return count(w, w.store, `SELECT count(*) FROM users`) == 0 })
	}
	ban := func(w *world, p *faketelegram.Person) {
		write(w, w.store, func(tx *store.Tx) error { return tx.Ban(p.ID(), 8, "") })
	}
	states := map[string]struct {
		limits  [3]int
		prepare func(w *world, p *faketelegram.Person)
		renders bool
		says    string // "": nothing at all
	}{
		"normal":                       {[3]int{9, 9, 9}, nil, true, "Запрос создан"},
		"over the limit of an hour":    {[3]int{9, 1, 9}, nil, false, "через 60 минут"},
		"over the limit of a day":      {[3]int{9, 9, 1}, nil, false, "через 24 часа"},
		"over the limit, data deleted": {[3]int{9, 1, 9}, forget, false, "Можно продолжить через"},
		"banned":                       {[3]int{9, 9, 9}, ban, false, ""},
	}
	for way, take := range ways {
		for name, state := range states {
			t.Run(way+"/"+name, func(t *testing.T) {
				w := newWorldOf(t, choices)
				w.stop()
				w.limits = state.limits
				w.start()
				w.breakEngine()
				p := w.tg.Person(1, "Мария", "ru")
				press(p, w.names(p, "Маша"), 0)
				apology := w.hears(p, "Упс!")
				w.calm()
				w.repairEngine()
				mutate(t, w.store, holdRenders)
				if strings.Contains(name, "deleted") { // a new question: the old one is deleted, too
					state.prepare(w, p)
					button := strings.HasPrefix(way, "the button")
					if button {
						press(p, apology, 0)
						w.until("a kind answer", func() bool { return len(p.Toasts()) > 0 })
					} else {
						take(w, p, apology)()
						w.hears(p, state.says)
					}
					w.calm()
					if n := count(t, w.store, `SELECT count(*) FROM assets`); n != 0 {
						t.Errorf("got %d videos; want none", n)
					}
					return
				}
				spend := take(w, p, apology)
				w.calm()
				if state.prepare != nil {
					state.prepare(w, p)
				}
				before := len(answers(p))
				spend()
				if state.says != "" {
					w.hears(p, state.says)
				}
				w.until("nothing waits", func() bool {
					return w.tg.Pending() == 0 && count(t, w.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`) == 0
				})
				if n := count(t, w.store, `SELECT count(*) FROM assets`); (n == 2) != state.renders {
					t.Errorf("got %d videos; want a new one: %v", n, state.renders)
				}
				if state.says == "" && len(answers(p)) != before {
					t.Errorf("got %v; want nothing said", answers(p)[before:])
				}
			})
		}
	}
}

func TestLimits_OutliveADeletionAndAreForgottenInADay(t *testing.T) {
	q := newQueue(newStore(t))
	now := time.Date(2026, 12, 30, 23, 50, 0, 0, time.UTC)
	setNow(q.store, func() time.Time { return now })
	limits := store.Limits{Hour: 2, Day: 3, All: 4}
	asks := func(user int64) (r store.Refused) {
		write(t, q.store, func(tx *store.Tx) error {
			if _, err := tx.UpsertUser(user, "ru"); err != nil {
				return err
			}
			if err := tx.Allow(user, limits); errors.As(err, &r) || err != nil {
				return nil
			}
			return tx.Note(store.Event{User: user, Action: "ask"})
		})
		return r
	}
	for _, step := range []struct {
		after  time.Duration
		user   int64
		reason string
		until  time.Duration
	}{
		{0, 1, "", 0},
		{time.Minute, 1, "", 0},
		{time.Minute, 1, "hour", 58 * time.Minute}, // of the first
		{20 * time.Minute, 1, "hour", 38 * time.Minute},
		{38 * time.Minute, 1, "", 0},
		{0, 1, "day", 23 * time.Hour},
		{0, 2, "", 0},
		{0, 3, "all", 23 * time.Hour},
		{23 * time.Hour, 1, "", 0},
		{0, 1, "day", time.Minute},
		{0, 3, "all", time.Minute},
		{49 * time.Hour, 3, "", 0},
	} {
		now = now.Add(step.after)
		r := asks(step.user)
		if r.Reason != step.reason || step.reason != "" && r.Until.Sub(now) != step.until {
			t.Fatalf("%s, user %d: got %q for %v; want %q for %v", now, step.user, r.Reason, r.Until.Sub(now), step.reason, step.until)
		}
		write(t, q.store, func(tx *store.Tx) error { _, err := tx.Forget(step.user); return err })
	}
	for n := 1; n > 0; {
		write(t, q.store, func(tx *store.Tx) (err error) { _, n, err = tx.Purge(store.Keep{}); return err })
	}
	if rows, keys := count(t, q.store, `SELECT count(*) FROM ledger`), count(t, q.store, `SELECT count(*) FROM ledger_keys`); rows != 1 || keys != 1 {
		t.Errorf("got %d rows and %d keys; want those of today", rows, keys)
	}
	now = now.Add(49 * time.Hour)
	for n := 1; n > 0; {
		write(t, q.store, func(tx *store.Tx) (err error) { _, n, err = tx.Purge(store.Keep{}); return err })
	}
	if n := count(t, q.store, `SELECT (SELECT count(*) FROM ledger) + (SELECT count(*) FROM ledger_keys)`); n != 0 {
		t.Errorf("got %d rows two days later; want none", n)
	}
}

func TestLimits_ARetryThatJoinsCostsNothingAndIsNotRefused(t *testing.T) {
	q := newQueue(newStore(t))
	a := ask(t, q.store, "Маша", 1, 2)
	failForGood(t, q)
	press := func(user int64) error {
		_, err := q.Retry(t.Context(), a.ID, retry.ButtonPressed{User: user, Chat: user, Limits: store.Limits{Day: 1}})
		return err
	}
	for _, user := range []int64{1, 2} {
		write(t, q.store, func(tx *store.Tx) error { return tx.Note(store.Event{User: user, Action: "ask"}) })
	}
	if err := press(1); !errors.As(err, &store.Refused{}) {
		t.Errorf("got %v; want it refused", err)
	}
	if n := count(t, q.store, `SELECT count(*) FROM assets`); n != 1 {
		t.Errorf("got %d videos; want no new one", n)
	}
	if _, err := q.Retry(t.Context(), a.ID, retry.ButtonPressed{User: 2, Chat: 2}); err != nil {
		t.Fatal(err)
	}
	if err := press(1); err != nil {
		t.Errorf("got %v for one who joins; want that granted", err)
	}
}
