// Tests of names made in advance: people go first, and the night is served without an engine.

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/desk"
	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/lang"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

// nameNo is one of many names.
func nameNo(i int) string {
	const letters = "абвгдежзик"
	return "Анна-" + strings.ToUpper(string([]rune(letters)[i/100%10])) +
		string([]rune(letters)[i/10%10]) + string([]rune(letters)[i%10])
}

// warms puts a list of names, one a line, on the list of those that are made in advance, as an admin does.
func (w *world) warms(list string) (bad []desk.BadLine) {
	w.Helper()
	rules := desk.NameRules{Rude: lang.ParseWords(lang.RudeWords("ru")), CanDraw: func(_, name string) error {
		if strings.Contains(name, "ꙮ") {
			return video.ErrCannotDraw
		}
		return nil
	}}
	names, bad, err := rules.List("new-year", list)
	if err != nil {
		w.Fatal(err)
	}
	order := store.InAdvance{Admin: 900, Template: "new-year", Lang: "ru", Names: names}
	if _, err := w.store.AddInAdvance(w.Context(), order, w.store.Now().Add(-time.Hour)); err != nil {
		w.Fatal(err)
	}
	return bad
}

func (w *world) advance() store.Advance {
	w.Helper()
	a, err := w.store.Advance(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return a
}

// Two hundred names on a bot that people use: a render in advance is passed by everybody who asks, and when nothing can
// be made any more, each of the names is still sent at once.
func TestNamesInAdvance_PeopleGoFirstAndTheNightIsServedWithoutAnEngine(t *testing.T) {
	w := newWorld(t)
	path, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	held := heldRenderer{path, make(chan video.Order), make(chan struct{})}
	w.queue.render = held // before the first job
	var begun []string
	running := 0
	begins := func() string {
		t.Helper()
		select {
		case o := <-held.begun:
			running++
			begun = append(begun, o.Name)
		case <-time.After(stall):
			t.Fatalf("no video was begun\n%s", w.log)
		}
		return begun[len(begun)-1]
	}
	ends := func() { held.make <- struct{}{}; running-- }

	const many = 200
	var lines []string
	for i := range many {
		lines = append(lines, nameNo(i))
	}
	list := slices.Insert(slices.Clone(lines), 50, "Сука")
	list = slices.Insert(list, 120, "Коля7")
	var refused []int
	for _, b := range w.warms(strings.Join(list, "\n")) {
		refused = append(refused, b.Line)
	}
	if fmt.Sprint(refused) != "[51 121]" {
		t.Errorf("got lines %v refused; want 51 and 121", refused)
	}
	for i := range 20 {
		if name := begins(); name != lines[i] {
			t.Fatalf("got %s; want %s", name, lines[i])
		}
		ends()
	}
	begins() // one of two workers has it
	people := []*faketelegram.Person{w.tg.Person(1, "Мария", "ru"), w.tg.Person(2, "Ольга", "ru"), w.tg.Person(3, "Иван", "ru")}
	rare := []string{"Ярополк", "Мстислав", "Любомир"}
	w.asks(people[0], rare[0])
	if name := begins(); name != rare[0] {
		t.Errorf("got %s beside the render under way; want the wish", name)
	}
	for i := 1; i < len(people); i++ {
		w.asks(people[i], rare[i])
	}
	w.until("two wishes in the queue", func() bool {
		return count(t, w.store, `SELECT count(*) FROM jobs WHERE kind = 'RENDER' AND started IS NULL`) == 2
	})
	for _, want := range rare[1:] {
		ends()
		if name := begins(); name != want {
			t.Errorf("got %s; want the wish for %s", name, want)
		}
	}
	for running > 0 || len(begun) < many+len(rare) {
		release := held.make
		if running == 0 {
			release = nil
		}
		select {
		case o := <-held.begun:
			running++
			begun = append(begun, o.Name)
		case release <- struct{}{}:
			running--
		case <-time.After(stall):
			t.Fatalf("%d videos were begun\n%s", len(begun), w.log)
		}
	}
	if names := slices.DeleteFunc(slices.Clone(begun), func(name string) bool { return slices.Contains(rare, name) }); !slices.Equal(names, lines) {
		t.Errorf("got %v; want each name of the list once, in its order", names)
	}
	for _, p := range people {
		w.getsVideos(p, 1)
	}
	w.until("all of them ready", func() bool { a := w.advance(); return a.Ready == many && a.All() == many })

	// Days later the engine does nothing more.
	mutate(t, w.store, `UPDATE assets SET created = created - 864000000, finished = finished - 864000000`)
	var askers []*faketelegram.Person
	for i, name := range lines {
		p := w.tg.Person(int64(1000+i), "Ольга", "ru")
		p.Send(name)
		askers = append(askers, p)
	}
	for i, p := range askers {
		press(p, w.hears(p, lines[i]), 0)
	}
	for _, p := range askers {
		w.getsVideos(p, 1)
	}
	if n := count(t, w.store, `SELECT count(*) FROM assets`); n != many+len(rare) {
		t.Errorf("got %d videos; want every one of the list sent at once", n)
	}
}

func TestNamesInAdvance_GoOnAfterARestart(t *testing.T) {
	w := newWorld(t)
	var lines []string
	for i := range 8 {
		lines = append(lines, nameNo(i))
	}
	w.warms(strings.Join(lines, "\n"))
	w.until("some of them", func() bool { return w.advance().Ready >= 2 })
	w.stop()
	w.start()
	w.until("all of them", func() bool { a := w.advance(); return a.Ready == len(lines) && a.All() == len(lines) })
}

// With a broken engine the list neither fails as a whole nor floods anybody: as many names fail as make an outage, less
// one, and admins are told once of each.
func TestNamesInAdvance_ABrokenEngineIsAnOutage(t *testing.T) {
	w := newWorld(t)
	admin := w.tg.Person(900, "Admin", "en")
	admin.Send("/start")
	w.hears(admin, "Hello")
	w.breakEngine()
	var lines []string
	for i := range 12 {
		lines = append(lines, nameNo(i))
	}
	w.warms(strings.Join(lines, "\n"))
	told := func(what string) (n int) {
		for _, m := range answers(admin) {
			if strings.Contains(m.Text, what) {
				n++
			}
		}
		return n
	}
	w.until("the outage", func() bool { began, _, _ := w.queue.Outage(); return !began.Began.IsZero() })
	w.until("both messages", func() bool { return told("⚠️") >= 2 })
	if a := w.advance(); a.Failed != 4 || a.Rest() != 8 {
		t.Errorf("got %+v; want four failed, and the rest waiting", a)
	}
	w.repairEngine()
	if err := w.queue.TryNow(t.Context(), store.Admin{ID: 900, Owner: true}); err != nil {
		t.Fatal(err)
	}
	w.until("the rest", func() bool { a := w.advance(); return a.Ready == 8 && a.Rest() == 0 })
	if n := told("⚠️"); n != 2 {
		t.Errorf("the admin was told %d times; want once of the failures and once of the outage", n)
	}
	owner := store.Admin{ID: 900, Owner: true}
	need, err := w.store.NeedYou(t.Context(), owner, store.Filter{})
	if err != nil || need.Count != 4 || need.People != 0 {
		t.Fatalf("got %+v, %v; want four that nobody waits for", need, err)
	}
	tally, err := retry.All(t.Context(), w.store, w.queue, owner, store.Filter{}, need.Newest, need.Count)
	if err != nil || tally.Restarted != 4 {
		t.Fatalf("got %+v, %v; want four tried again", tally, err)
	}
	w.until("all twelve", func() bool { a := w.advance(); return a.Ready == 12 && a.All() == 12 })
}
