// Levers against abuse: bans, the pause, the room for videos, and the place of those who are known in a long queue.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/lang"
	"retake.example/internal/store"
	"retake.example/internal/watch"
	"retake.example/internal/worker"
)

func TestQueue_TenThousandNewAccountsHoldUpNobodyWhoIsKnown(t *testing.T) {
	s := newStore(t)
	ask(t, s, "Эва", 7)
	complete(t, s)
	delivery := begin(t, s, store.Deliver)
	write(t, s, func(tx *store.Tx) error {
		if err := tx.VideoArrived(delivery.Job, 5, "file"); err != nil {
			return err
		}
		_, err := tx.FinishMessage(&delivery, 5)
		return err
	})
	write(t, s, func(tx *store.Tx) error {
		for n := range 10_000 {
			if _, err := wish(tx, fmt.Sprintf("Имя %d", n), int64(1000+n)); err != nil {
				return err
			}
		}
		return nil
	})
	begin(t, s, store.Render) // one is under way
	known := ask(t, s, "Маша", 7)
	line, err := s.Line(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if place := slices.Index(line, known.ID); place < 0 || place > 1 {
		t.Errorf("got place %d of %d; want at most two renders before theirs, with the one under way", place, len(line))
	}
	again := ask(t, s, "Оля", 7) // one wish of each before the second of anybody
	if line, err = s.Line(t.Context()); err != nil {
		t.Fatal(err)
	}
	if place := slices.Index(line, again.ID); place < 9000 {
		t.Errorf("got place %d for the second wish; want it behind the others", place)
	}
}

// TestLimits_TenThousandAccountsSpendNoMoreThanADayMay lets each ask as the bot does, and makes all that is asked for.
func TestLimits_TenThousandAccountsSpendNoMoreThanADayMay(t *testing.T) {
	const perDay, known = 50, 7
	s := newStore(t)
	now := time.Now()
	setNow(s, func() time.Time { return now })
	made := 0
	film := func() { // the next video, and its delivery
		complete(t, s)
		delivery := begin(t, s, store.Deliver)
		write(t, s, func(tx *store.Tx) error {
			if err := tx.VideoArrived(delivery.Job, 5, "file"); err != nil {
				return err
			}
			_, err := tx.FinishMessage(&delivery, 5)
			return err
		})
		made++
	}
	asks := func(tx *store.Tx, name string, user int64) (id string, err error) {
		if _, err := tx.UpsertUser(user, "ru"); err != nil {
			return "", err
		}
		if err := tx.Allow(user, store.Limits{Open: 3, Hour: 10, Day: 30, All: perDay}); err != nil {
			if _, refused := errors.AsType[store.Refused](err); refused {
				err = nil
			}
			return "", err
		}
		a, err := wish(tx, name, user)
		if err != nil {
			return "", err
		}
		return a.ID, tx.Note(store.Event{User: user, Action: "ask"})
	}
	for day := range 2 {
		made = 0
		if day == 0 {
			write(t, s, func(tx *store.Tx) error { _, err := asks(tx, "Эва", known); return err })
			film()
		}
		taken := 0
		write(t, s, func(tx *store.Tx) error {
			for n := range 10_000 {
				id, err := asks(tx, fmt.Sprintf("Имя %d %d", day, n), int64(1000+n+day*10_000))
				if err != nil {
					return err
				}
				if id != "" {
					taken++
				}
			}
			return nil
		})
		begun := begin(t, s, store.Render) // of theirs
		var mine string
		write(t, s, func(tx *store.Tx) (err error) { mine, err = asks(tx, fmt.Sprint("Маша ", day), known); return err })
		line, err := s.Line(t.Context())
		if place := slices.Index(line, mine); err != nil || mine == "" || place > 1 {
			t.Errorf("day %d: got place %d, %v; want at most two renders before that of somebody known", day, place, err)
		}
		write(t, s, func(tx *store.Tx) error {
			return tx.FinishRender(begun.Job, store.Video{File: begun.AssetID + ".mp4"})
		})
		for made++; count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'RENDER'`) > 0; {
			film()
		}
		if taken == 0 || made > perDay {
			t.Errorf("day %d: got %d taken and %d made; want some, and at most %d", day, taken, made, perDay)
		}
		now = now.Add(25 * time.Hour)
	}
}

func TestQueue_InAShortOneEverybodyIsAlike(t *testing.T) {
	s := newStore(t)
	ask(t, s, "Эва", 7)
	complete(t, s)
	mutate(t, s, `UPDATE requests SET status = 'COMPLETED', finished = 1`)
	var want []string
	for n, user := range []int64{1, 2, 7, 3} {
		want = append(want, ask(t, s, fmt.Sprintf("Имя %d", n), user).ID)
	}
	if line, err := s.Line(t.Context()); err != nil || !slices.Equal(line, want) {
		t.Errorf("got %v, %v; want %v", line, err, want)
	}
}

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
	before := len(answers(p))
	for _, text := range []string{"/start", "/help", "Оля", "/status", "/my_data", "/delete_my_data"} {
		p.Send(text)
	}
	idle := func() bool {
		return w.tg.Pending() == 0 && count(t, w.store, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`) == 0
	}
	w.until("nothing waits", idle)
	if got := answers(p)[before:]; len(got) != 0 {
		t.Errorf("got %v; want nothing said", got)
	}
	write(t, w.store, func(tx *store.Tx) error { return tx.Unban(1, 8) })
	p.Send("/help")
	w.until("an answer", func() bool { return len(answers(p)) > before })
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

func TestRoom_TheOldestUnpublishedVideosGoFirst(t *testing.T) {
	s := newStore(t)
	now := time.Now()
	ids := map[string]string{}
	for n, name := range []string{"published", "owed", "old", "older than new", "new"} {
		setNow(s, func() time.Time { return now.Add(time.Duration(n) * time.Minute) })
		a := ask(t, s, name, int64(n+1))
		ids[name] = a.ID
		complete(t, s)
		mutate(t, s, `UPDATE assets SET size = 100 WHERE id = ?`, a.ID)
		if name != "owed" {
			mutate(t, s, `DELETE FROM jobs WHERE asset_id = ?`, a.ID)
		}
	}
	mutate(t, s, `UPDATE assets SET youtube = 1 WHERE id = ?`, ids["published"])
	var gone store.Deleted
	log := slog.New(slog.DiscardHandler)
	keep := func(_ context.Context, g store.Deleted) { gone.Files = append(gone.Files, g.Files...) }
	room := worker.NewRoom(350)
	if room.Make(t.Context(), s, keep, log); len(gone.Files) > 0 {
		t.Errorf("got %v deleted; want it said first", gone.Files)
	}
	told := watch.RoomOf(room.Low, "http://x")
	if low, used, limit := room.Low(); !low || used != 500 || limit != 350 || told.ID != "alert_room" ||
		!strings.Contains(lang.Say("en", told.ID, told.Vars), "The videos take 142% of the room") {
		t.Errorf("got %v, %d of %d, %+v; want it said", low, used, limit, told)
	}
	room.Make(t.Context(), s, keep, log)
	if want := []string{ids["old"] + ".mp4", ids["older than new"] + ".mp4"}; !slices.Equal(gone.Files, want) {
		t.Errorf("got %v deleted; want %v", gone.Files, want)
	}
	// it ends though two have to stay
	room = worker.NewRoom(1)
	for range 2 {
		room.Make(t.Context(), s, keep, log)
	}
	if n := count(t, s, `SELECT count(*) FROM assets`); n != 2 {
		t.Errorf("got %d videos; want what is published and what is owed", n)
	}
}
