package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/desk"
	"retake.example/internal/publish"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/video"
)

func TestAVideoWhoseFileIsGoneIsMadeAgainForEveryoneWhoAsks(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		ask(t, s, "Маша", 1)
		lost := complete(t, s).AssetID
		mutate(t, s, `UPDATE assets SET finished = finished - 1000`)
		ask(t, s, "Маша", 2)
		b := &bench{render: func(context.Context, video.Order) error { return nil }}
		b.tell = func(t store.Task) error {
			if t.Kind == store.Deliver && t.AssetID == lost {
				return retry.Permanent(&fs.PathError{Op: "open", Path: t.Asset.Video.File, Err: os.ErrNotExist})
			}
			return nil
		}
		_, stop := start(t, s, b, Options{})
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		slices.Sort(b.told)
		if got := strings.Join(b.told, ", "); !strings.Contains(got, "VIDEO 1, VIDEO 2") ||
			strings.Contains(got, "APOLOGISE") {
			t.Errorf("got %s; want a video for each, and no apology", got)
		}
		if n := count(t, s, `SELECT count(*) FROM requests WHERE status = 'COMPLETED' AND asset_id <> ?`, lost); n != 2 ||
			len(b.put) != 1 {
			t.Errorf("got %d served by another video, %d made; want both by one", n, len(b.put))
		}
		isPeace(t, s)
	})
}

func TestThePageAsksAboutWhatIsHeld(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	var resumed []store.Update
	d.change(func(o *desk.Options) { o.Resume = func(_ context.Context, u []store.Update) { resumed = u } })
	owner, admin := d.signIn(8), d.signIn(7)
	if refusal := d.want(409, d.send(call{method: "POST", path: "/held", body: "send=yes", session: owner,
		json: true})); refused(
		t,
		refusal,
	) != "NOT_FAILED" {
		t.Errorf("got %s; want NOT_FAILED when nothing is held", refusal)
	}
	ask(t, d.store, "Маша", 1, 2)
	mutate(t, d.store, `UPDATE requests SET restore_hold = 1`)
	mutate(t, d.store, `INSERT INTO inbox (update_id, chat_id, raw, received, restore_hold) VALUES (1, 3, '{}', 0, 1)`)
	if page := d.want(200, d.send(call{method: "GET", path: "/", session: owner})); !strings.Contains(
		page,
		"3 people were waiting when the backup was made",
	) ||
		!strings.Contains(page, `action="/held"`) {
		t.Errorf("got %s; want the question", page)
	}
	if page := d.want(200, d.send(call{method: "GET", path: "/", session: admin})); !strings.Contains(
		page,
		"3 people were waiting",
	) ||
		strings.Contains(page, `action="/held"`) {
		t.Errorf("got %s; want it without buttons for an admin", page)
	}
	if body := d.want(200, d.send(call{method: "GET", path: "/", session: owner, json: true})); !strings.Contains(
		body,
		`"held":3`,
	) {
		t.Errorf("got %s; want the number", body)
	}
	d.want(422, d.send(call{method: "POST", path: "/held", body: "send=perhaps", session: owner}))
	w := d.send(call{method: "POST", path: "/held", body: "send=yes", session: owner})
	d.want(303, w)
	if to := w.Header().Get("Location"); to != "/?notice=sent" || len(resumed) != 1 || resumed[0].Chat != 3 {
		t.Errorf("got sent to %s, %+v handled; want the notice and the update", to, resumed)
	}
	if page := d.want(200, d.send(call{method: "GET", path: "/?notice=sent", session: owner})); strings.Contains(
		page,
		`action="/held"`,
	) ||
		!strings.Contains(page, "on its way to them") {
		t.Errorf("got %s; want the answer, and no question", page)
	}
	if page := d.want(200, d.send(call{method: "GET", path: "/activity", session: owner})); !strings.Contains(
		page,
		"sent what a restored backup still owed",
	) {
		t.Errorf("got %s; want the deed", page)
	}
}

func TestAnAdminWhoFindsAVideoOnYouTubeAfterARestoreSaysSo(t *testing.T) {
	cfg, err := fromDefaults(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DataDir = t.TempDir()
	s := newStore(t)
	sites, err := publish.NewSites(s, nil, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	studio := publish.NewStudio(sites, nil, cfg)
	id := publication(t, s, `'FAILED', 'youtube restored: x', 1, 2`)
	mutate(t, s, `UPDATE publications SET step = 'unknown'`)
	for address, want := range map[string]error{"x": publish.ErrURL, "https://rumble.com/v1.html": publish.ErrURLSite, "https://www.youtube.com/@us": publish.ErrURLVideo} {
		if err := studio.MarkPublished(t.Context(), id, "YOUTUBE", address, store.Admin{ID: 8, Owner: true}); !errors.Is(err, want) {
			t.Errorf("%s: got %v; want %v", address, err, want)
		}
	}
	err = studio.MarkPublished(t.Context(), id, "YOUTUBE", "https://youtu.be/dQw4w9WgXcQ?si=x", store.Admin{ID: 8, Owner: true})
	if !errors.Is(err, publish.ErrNoAccess) {
		t.Errorf("got %v; want it refused: without the channel nobody can see if it is that video", err)
	}
}

func TestWhatPeopleHadWrittenIsAnsweredWhenAnAdminSaysSo(t *testing.T) {
	w := newWorld(t)
	anna, boris := w.tg.Person(1, "Анна", "ru"), w.tg.Person(2, "Борис", "ru")
	w.stop()
	s, err := openStore(filepath.Join(w.dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	mutate(t, s, `INSERT INTO inbox (update_id, chat_id, raw, received, restore_hold) VALUES (1, 1,
		'{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},"from":{"id":1,"is_bot":false,"first_name":"A","language_code":"ru"},"text":"/help"}}', 1, 1)`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w.start()
	boris.Send("/help")
	w.until("an answer to one who writes now", func() bool { return len(answers(boris)) > 0 })
	if got := answers(anna); len(got) > 0 {
		t.Errorf("got %q said to one whose message is held", got[0].Text)
	}
	var updates []store.Update
	write(t, w.store, func(tx *store.Tx) (err error) { updates, err = tx.SendHeld(); return err })
	w.bot.Resume(t.Context(), updates)
	w.hears(anna, answers(boris)[0].Text)
	w.calm()
}
