// Limits: every way that costs a render counts, and nothing that a user can do resets them.

package main

import (
	"strings"
	"testing"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
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
		"another language": func(w *world, p *faketelegram.Person, _ faketelegram.Message) func() {
			q := w.names(p, "Маша")
			mutate(w, w.store, `UPDATE assets SET lang = 'en'`) // the first wish was in it
			return func() { press(p, q, 0) }
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
	pause := func(w *world, _ *faketelegram.Person) {
		write(w, w.store, func(tx *store.Tx) error { return tx.Pause(8) })
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
		"paused":                       {[3]int{9, 9, 9}, pause, false, "не принимаю новые просьбы"},
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
				said := since(p)
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
				if got := said(); state.says == "" && len(got) != 0 {
					t.Errorf("got %v; want nothing said", got)
				}
			})
		}
	}
}
