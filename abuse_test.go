// Levers against abuse: bans, the pause, the room for videos, and the place of those who are known in a long queue.

package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"retake.example/internal/store"
)

func TestBan_NothingIsAnsweredAndNothingIsSent(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	w.asks(p, "Маша")
	w.hears(p, "Запрос создан")
	write(t, w.store, func(tx *store.Tx) error { return tx.Ban(1, 8, "") })
	if n := count(t, w.store, `SELECT count(*) FROM assets`); n != 0 {
		t.Errorf("got %d videos; want what they alone waited for dropped", n)
	}
	said := since(p)
	for _, text := range []string{"/start", "/help", "Оля", "/status", "/my_data", "/delete_my_data"} {
		p.Send(text)
	}
	idle := func() bool {
		return w.tg.Pending() == 0 && count(t, w.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`) == 0
	}
	w.until("nothing waits", idle)
	if got := said(); len(got) != 0 {
		t.Errorf("got %v; want nothing said", got)
	}
	write(t, w.store, func(tx *store.Tx) error { return tx.Unban(1, 8) })
	p.Send("/help")
	w.until("an answer", func() bool { return len(said()) > 0 })
}

func TestPause_WishesAreRefusedKindlyAndTheButtonWorksLater(t *testing.T) {
	w := newWorld(t)
	mutate(t, w.store, holdRenders)
	p := w.tg.Person(1, "Мария", "ru")
	q := w.names(p, "Маша")
	write(t, w.store, func(tx *store.Tx) error { return tx.Pause(8) })
	press(p, q, 0)
	w.hears(p, "не принимаю новые просьбы")
	write(t, w.store, func(tx *store.Tx) error { return tx.Resume(8) })
	press(p, q, 0)
	w.hears(p, "Запрос создан")
}

func TestBlock_OnThePageOfAVideo(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	a := ask(t, d.store, "Маша", 424242, 434343)
	owner := d.signIn(8)
	page := d.want(200, d.send(call{method: "GET", path: "/assets/" + a.ID, session: owner}))
	if !strings.Contains(page, "/assets/"+a.ID+"/block") {
		t.Error("got no button; want one for an owner")
	}
	d.want(303, d.send(call{method: "POST", path: "/assets/" + a.ID + "/block", session: owner}))
	if n := count(t, d.store, `SELECT count(*) FROM bans WHERE chat_id IN (424242, 434343)`); n != 2 {
		t.Errorf("got %d bans; want both", n)
	}
	d.want(404, d.send(call{method: "POST", path: "/assets/" + a.ID + "/block", session: owner}))
	activity := d.want(200, d.send(call{method: "GET", path: "/activity", session: owner}))
	if !strings.Contains(activity, "blocked somebody") || strings.Contains(activity+page, "424242") {
		t.Errorf("got %s; want the block, and no id", activity)
	}
	for body, want := range map[string]int{"take=no": 1, "take=yes": 0} {
		d.want(303, d.send(call{method: "POST", path: "/wishes", body: body, session: owner}))
		if n := count(t, d.store, `SELECT count(*) FROM pause`); n != want {
			t.Errorf("%s: got %d; want %d", body, n, want)
		}
	}
}

func TestCommands_BanAndPause(t *testing.T) {
	dir := t.TempDir()
	s, err := openStore(filepath.Join(dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	t.Setenv("RETAKE_DATA_DIR", dir)
	for _, step := range []struct {
		args []string
		want string // the bans and the pause after it
	}{
		{[]string{"ban", "333"}, "333 0"}, {[]string{"ban", "333"}, "333 0"}, {[]string{"ban", "--", "-100"}, "-100,333 0"},
		{[]string{"unban", "333"}, "-100 0"}, {[]string{"unban", "333"}, "-100 0"}, {[]string{"pause"}, "-100 1"},
		{[]string{"pause"}, "-100 1"}, {[]string{"resume"}, "-100 0"}, {[]string{"resume"}, "-100 0"},
	} {
		if err := run(t.Context(), step.args, io.Discard); err != nil {
			t.Fatalf("%v: %v", step.args, err)
		}
		got := text(t, s, `SELECT (SELECT group_concat(chat_id) FROM bans) || ' ' || (SELECT count(*) FROM pause)`)
		if got != step.want {
			t.Errorf("%v: got %s; want %s", step.args, got, step.want)
		}
	}
	for _, args := range [][]string{{"ban", "0"}, {"ban", "Маша"}, {"unban", "x"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%v: got no error", args)
		}
	}
}
