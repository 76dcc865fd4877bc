// Answers are as durable as what they are about.

package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
)

// mute makes Telegram fail at everything that shows a person something, until clear.
func (w *world) mute() (clear func()) {
	var all []func()
	for _, method := range []string{"sendMessage", "editMessageText"} {
		all = append(all, w.tg.Inject(faketelegram.Fault{Method: method, Times: -1, HTML: 502}))
	}
	return func() {
		for _, clear := range all {
			clear()
		}
	}
}

// refused waits until Telegram has failed a call since n calls.
func (w *world) refused(n int) {
	w.Helper()
	w.until("a call that Telegram fails", func() bool {
		return slices.ContainsFunc(w.tg.Calls()[n:], func(c faketelegram.Call) bool {
			return c.Code == 502 && (c.Method == "sendMessage" || c.Method == "editMessageText")
		})
	})
}

func TestAnswer_SurvivesA502AndARestart(t *testing.T) {
	question := func(w *world, p *faketelegram.Person, name string) faketelegram.Message {
		w.Helper()
		m := w.names(p, name)
		w.calm()
		return m
	}
	waits := func(w *world, p *faketelegram.Person, name string) faketelegram.Message {
		w.Helper()
		mutate(w, w.store, holdRenders)
		w.asks(p, name)
		return w.hears(p, "Запрос создан")
	}
	for name, c := range map[string]struct {
		limit  int // of open requests; 0: many
		before func(w *world, p *faketelegram.Person) (act func())
		want   string
		rows   string // a count of rows that must be 1 at the end
	}{
		"a name": {before: func(w *world, p *faketelegram.Person) func() { return func() { p.Send("Маша") } },
			want: "Делаем видео с именем «Маша»?", rows: `SELECT count(*) FROM drafts`},
		"a name that is refused": {before: func(w *world, p *faketelegram.Person) func() { return func() { p.Send("М4ша") } },
			want: "есть цифры"},
		"a Yes over the limit": {limit: 1, before: func(w *world, p *faketelegram.Person) func() {
			waits(w, p, "Маша")
			m := question(w, p, "Оля")
			return func() { press(p, m, 0) }
		}, want: "Сейчас я делаю для вас 1 видео", rows: `SELECT count(*) FROM assets`},
		"a Yes to a question that was changed": {before: func(w *world, p *faketelegram.Person) func() {
			m := question(w, p, "Маша")
			press(p, m, 1)
			w.hears(p, "Напишите имя так")
			w.calm()
			return func() { press(p, m, 0) }
		}, want: "На этот вопрос вы уже ответили"},
		"a Yes to what is on its way": {before: func(w *world, p *faketelegram.Person) func() {
			waits(w, p, "Маша")
			m := question(w, p, "Маша")
			return func() { press(p, m, 0) }
		}, want: "Видео с именем «Маша» уже делается", rows: `SELECT count(*) FROM requests`},
		"a change": {before: func(w *world, p *faketelegram.Person) func() {
			m := question(w, p, "Маша")
			return func() { press(p, m, 1) }
		}, want: "Напишите имя так"},
		"/cancel": {before: func(w *world, p *faketelegram.Person) func() {
			waits(w, p, "Маша")
			return func() { p.Send("/cancel") }
		}, want: "видео с именем «Маша» отменено"},
		"a cancel that comes too late": {before: func(w *world, p *faketelegram.Person) func() {
			m := waits(w, p, "Маша")
			mutate(w, w.store, `UPDATE requests SET status = 'PROCESSING'`)
			return func() { press(p, m, 0) }
		}, want: lang.Say("ru", "cancel_late", nil)},
		"/delete_my_data": {before: func(w *world, p *faketelegram.Person) func() {
			p.Send("/delete_my_data")
			m := w.hears(p, "Удалить всё")
			w.calm()
			return func() { press(p, m, 0) }
		}, want: "я всё удалил"},
		"a language": {before: func(w *world, p *faketelegram.Person) func() {
			p.Send("/language")
			m := w.hears(p, "На каком языке")
			w.calm()
			return func() { press(p, m, 1) }
		}, want: "I will speak English"},
		"/status": {before: func(w *world, p *faketelegram.Person) func() {
			w.breakEngine()
			w.asks(p, "Маша")
			w.hears(p, "Упс!")
			w.calm()
			return func() { p.Send("/status") }
		}, want: "Маша — не получилось"},
		"the apology for a handler that fails": {before: func(w *world, p *faketelegram.Person) func() {
			m := question(w, p, "Маша")
			mutate(w, w.store, `CREATE TRIGGER broken BEFORE INSERT ON assets BEGIN SELECT raise(ABORT, 'broken'); END`)
			return func() { press(p, m, 0) }
		}, want: lang.Say("ru", "trouble", nil)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if c.limit > 0 {
				w.stop()
				w.limits[0] = c.limit
				w.start()
			}
			p := w.tg.Person(1, "Мария", "ru")
			act := c.before(w, p)
			w.calm()
			clear, calls := w.mute(), len(w.tg.Calls())
			act()
			w.refused(calls)
			w.stop()
			clear()
			w.start()
			w.hears(p, c.want)
			w.until("nothing left to say", func() bool {
				return count(t, w.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL AND set_aside IS NULL`) == 0
			})
			said := 0
			for _, m := range answers(p) {
				said += strings.Count(m.Text, c.want)
			}
			if said != 1 {
				t.Errorf("got it said %d times; want once", said)
			}
			if c.rows != "" {
				if n := count(t, w.store, c.rows); n != 1 {
					t.Errorf("%s: got %d; want 1", c.rows, n)
				}
			}
		})
	}
}

// While Telegram is away, each update has its effect once, however often its answer is tried.
func TestAnswer_IsRepeatedWithoutItsEffect(t *testing.T) {
	w := newWorld(t)
	p, admin := w.tg.Person(1, "Мария", "ru"), w.tg.Person(900, "Admin", "en")
	admin.Send("/start")
	w.hears(admin, "Send me the child's first name")
	w.calm()
	clears := []func(){
		w.tg.Inject(faketelegram.Fault{Method: "sendMessage", Chat: 1, Times: -1, RetryAfter: 1}),
		w.tg.Inject(faketelegram.Fault{Method: "sendMessage", Chat: 900, Times: -1, RetryAfter: 1}),
	}
	p.Send("Маша")
	admin.Send("/admin")
	w.until("several tries for each", func() bool {
		tries := map[int64]int{}
		for _, c := range w.tg.Calls() {
			if c.Method == "sendMessage" && c.Code == 429 {
				tries[c.Chat]++
			}
		}
		return tries[1] >= 2 && tries[900] >= 2
	})
	for _, clear := range clears {
		clear()
	}
	w.hears(p, "Делаем видео с именем «Маша»?")
	w.hears(admin, "/login/")
	w.calm()
	for what, query := range map[string]string{"drafts": `SELECT count(*) FROM drafts`,
		"links": `SELECT count(*) FROM links`} {
		if n := count(t, w.store, query); n != 1 {
			t.Errorf("got %d %s; want 1", n, what)
		}
	}
}

func TestAnswer_AFloodIsRefusedOnceThoughTelegramIsAway(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	p.Send("/start")
	w.hears(p, "Пришлите имя ребёнка")
	w.calm()
	clear := w.mute()
	began := time.Now()
	for range 70 {
		p.Send("/help")
	}
	const waiting = `SELECT count(*) FROM inbox WHERE raw LIKE '{"answers"%'`
	w.until("every message counted, and the refusal in the inbox", func() bool {
		return w.tg.Pending() == 0 && count(t, w.store, waiting) == 1
	})
	w.stop()
	clear()
	w.start()
	w.hears(p, "Столько сообщений сразу")
	w.until("the refusal taken", func() bool { return count(t, w.store, waiting) == 0 })
	most := 1 + int(time.Since(began)/time.Minute) // a busy machine may need more than the minute that a refusal is for
	if n := saying(p, "Столько сообщений сразу"); n > most {
		t.Errorf("got %d refusals; want %d", n, most)
	}
}

// Answers of Telegram that cannot be read send nobody more than two copies, whatever is said.
func TestAnswer_ThatMayHaveArrivedIsSaidTwiceAtMost(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	p.Send("/start")
	w.hears(p, "Здравствуйте")
	w.calm()
	over := w.tg.Inject(faketelegram.Fault{Method: "sendMessage", Times: -1, NoResult: true})
	p.Send("/help")
	w.until("the answer, twice", func() bool { return saying(p, "/delete_my_data") == 2 })
	p.Send("Маша")
	w.until("the question, twice", func() bool { return saying(p, "Делаем видео с именем «Маша»?") == 2 })
	over()
	w.calm()
	if n, m := saying(p, "/delete_my_data"), saying(p, "Делаем видео с именем «Маша»?"); n != 2 || m != 2 {
		t.Errorf("got %d and %d copies; want two of each", n, m)
	}
}

// A name is not lost because Telegram refuses the question about it for some seconds in words that nobody knows.
func TestAnswer_ThatIsRefusedInNewWordsComesLater(t *testing.T) {
	w := newWorld(t)
	p := w.tg.Person(1, "Мария", "ru")
	over := w.tg.Inject(faketelegram.Fault{Method: "sendMessage", Times: 4, Status: 400, Description: "Bad Request: of 2031"})
	defer over()
	p.Send("Маша")
	calls := func() (n int) {
		for _, c := range w.tg.Calls() {
			if c.Method == "sendMessage" {
				n++
			}
		}
		return n
	}
	w.until("three refusals", func() bool { return calls() >= 3 })
	over()
	w.hears(p, "Делаем видео с именем «Маша»?")
}
