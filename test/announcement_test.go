// Announcements of the built program: kills while one is being sent, and the way from the question to the last copy.

package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/store"
)

// TestAnnouncement_KilledAtManyCopiesReachesEveryoneOnce kills the program at a message, at its answer, and at random
// moments between.
func TestAnnouncement_KilledAtManyCopiesReachesEveryoneOnce(t *testing.T) {
	const people, kills = 120, 12
	var sends, fatal atomic.Int64
	var v *victim
	between := func(tg http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if filepath.Base(r.URL.Path) != "sendMessage" || sends.Add(1) != fatal.Load() {
				tg.ServeHTTP(w, r)
				return
			}
			if fatal.Load()%2 == 0 { // Telegram has taken it, and the answer is lost with the program
				tg.ServeHTTP(httptest.NewRecorder(), r)
			}
			v.cmd.Process.Kill()
			panic(http.ErrAbortHandler) // no answer
		})
	}
	v = newVictimBehind(t, between)
	t.Setenv("RETAKE_TELEGRAM_ANNOUNCEMENTS", "true")
	t.Setenv("RETAKE_TELEGRAM_PER_SECOND", "30")
	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	everyone := map[int64]*faketelegram.Person{}
	for id := int64(1); id <= people; id++ {
		everyone[id] = v.tg.Person(id, "Мария", []string{"ru", "en"}[id%2])
		everyone[id].Send("🙂")
		write(t, s, func(tx *store.Tx) error {
			if _, err := tx.UpsertUser(id, []string{"ru", "en"}[id%2]); err != nil {
				return err
			}
			return tx.SetConsent(id, map[bool]store.Answer{true: store.Declined, false: store.Agreed}[id%10 == 0])
		})
	}
	var id int64
	write(t, s, func(tx *store.Tx) (err error) {
		id, err = tx.SaveAnnouncement(0, map[string]string{"": "Новости!", "en": "News!"}, time.Time{}, 8)
		return err
	})
	v.start()
	w := &world{T: t, log: v.log, tg: v.tg, store: s}
	w.calm() // everyone has been answered
	v.kill()
	write(t, s, func(tx *store.Tx) error { return tx.StartAnnouncement(id, time.Time{}, people-people/10, 8) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range int64(kills) {
		fatal.Store(sends.Load() + 2 + i%5)
		v.start()
		<-v.dead
	}
	fatal.Store(0)
	v.start()
	if s, err = openStore(filepath.Join(v.dir, "retake.db")); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w.store = s
	w.until("all is sent", func() bool { return text(t, s, `SELECT status FROM announcements`) == "done" })
	v.kill()
	twice := 0
	for user, p := range everyone {
		n := 0
		for _, m := range p.Messages() {
			if m.FromBot && m.Text == map[int64]string{0: "Новости!", 1: "News!"}[user%2] {
				n++
			}
		}
		if least := map[bool]int{true: 0, false: 1}[user%10 == 0]; n < least || user%10 == 0 && n > 0 || n > 2 {
			t.Errorf("%d: got %d copies; want %d", user, n, least)
		}
		if n == 2 {
			twice++
		}
	}
	if twice > kills {
		t.Errorf("got %d people with two copies after %d kills; want the one under way at each", twice, kills)
	}
	t.Logf("%d people of %d have it twice after %d kills", twice, people-people/10, kills)
	if got := text(t, s, `SELECT people || ' ' || delivered || ' ' || failed FROM announcements`); got !=
		fmt.Sprintf("%d %d 0", people-people/10, people-people/10) {
		t.Errorf("got %s; want everyone who agreed counted once", got)
	}
}

// TestAnnouncement_FromTheQuestionAfterAVideoToTheLastOne is the whole way of one person.
func TestAnnouncement_FromTheQuestionAfterAVideoToTheLastOne(t *testing.T) {
	v := newVictim(t)
	t.Setenv("RETAKE_TELEGRAM_ANNOUNCEMENTS", "true")
	p := v.tg.Person(1, "Мария", "ru")
	v.start()
	s, err := openStore(filepath.Join(v.dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := &world{T: t, log: v.log, tg: v.tg, store: s}
	for _, name := range []string{"Маша", "Саша"} { // the second video asks nothing any more
		w.asks(p, name)
		w.until("the video of "+name, func() bool { return videos(p) == map[string]int{"Маша": 1, "Саша": 2}[name] })
		if name == "Маша" {
			press(p, w.hears(p, "Можно иногда писать вам"), 0)
			w.hears(p, "Напишу, когда появится что-то новое")
		}
	}
	w.calm()
	announce := func(text string) {
		t.Helper()
		v.kill()
		write(t, s, func(tx *store.Tx) error {
			id, err := tx.SaveAnnouncement(0, map[string]string{"": text}, time.Time{}, 8)
			if err != nil {
				return err
			}
			return tx.StartAnnouncement(id, time.Time{}, 1, 8)
		})
		v.start()
		w.until("all is sent", func() bool {
			return count(t, s, `SELECT count(*) FROM announcements WHERE status <> 'done'`) == 0
		})
	}
	announce("Первое объявление")
	m := w.hears(p, "Первое объявление")
	press(p, m, 0)
	w.until("the toast", func() bool {
		toasts := p.Toasts()
		return len(toasts) > 0 && toasts[len(toasts)-1].Text == "Хорошо, таких сообщений больше не будет."
	})
	w.calm()
	announce("Второе объявление")
	asked := 0
	for _, m := range p.Messages() {
		if m.FromBot && m.Text == "Второе объявление" {
			t.Error("got an announcement after the button that ends them")
		}
		if m.FromBot && len(m.Buttons) > 0 && m.Buttons[0][0].Data == "news:yes" {
			asked++
		}
	}
	if got := text(t, s, `SELECT answer FROM consents`); asked > 0 || got != "declined" {
		t.Errorf("got %d questions left, %s; want it asked once, and the answer kept", asked, got)
	}
}
