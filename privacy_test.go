package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/video"
	"retake.example/internal/worker"
)

// TestAnIdleProgramThatKeepsNothingTooLongWritesNothing: an hour's look is no write, nor a wait for the disk.
func TestAnIdleProgramThatKeepsNothingTooLongWritesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		b := &bench{render: func(context.Context, video.Order) error { return nil }}
		q, stop := start(t, s, b, Options{})
		defer stop()
		ask(t, s, "Маша", 1)
		time.Sleep(time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go worker.NewPurger(s, keeps, q.log).Run(ctx, q.Discard, q.ForgetOldNames)
		time.Sleep(2 * time.Hour) // the first time it empties the log of the database
		synctest.Wait()
		state := func() string {
			path := text(t, s, `SELECT file FROM pragma_database_list`)
			var all []string
			for _, name := range []string{path, path + "-wal"} {
				info, err := os.Stat(name)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, fmt.Sprint(info.Size(), info.ModTime()))
			}
			return strings.Join(all, " ")
		}
		before := state()
		time.Sleep(80 * day)
		synctest.Wait()
		if after := state(); after != before {
			t.Errorf("got the files %s after eighty idle days; want %s", after, before)
		}
		time.Sleep(11 * day)
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM assets`); n != 0 || len(b.put) != 0 {
			t.Errorf("got %d videos and the files %q; want none after ninety days", n, b.put)
		}
	})
}

// TestAnHourLaterNoDeletedNameIsInTheLogOfTheDatabase: not only a purge deletes.
func TestAnHourLaterNoDeletedNameIsInTheLogOfTheDatabase(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		q := NewQueue(s, nil, nil, mute{}, Options{}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go worker.NewPurger(s, keeps, q.log).Run(ctx, q.Discard, q.ForgetOldNames)
		synctest.Wait()
		var draft string
		write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(1, "ru"); return err })
		write(t, s, func(tx *store.Tx) (err error) { draft, err = tx.SaveDraft(1, "Ксюшенька"); return err })
		write(t, s, func(tx *store.Tx) error { _, err := tx.TakeDraft(1, draft); return err })
		log := func() bool {
			b, err := os.ReadFile(s.Path() + "-wal")
			if err != nil {
				t.Fatal(err)
			}
			return bytes.Contains(b, []byte("Ксюшенька"))
		}
		if !log() {
			t.Fatal("got no name in the log at first; want one, or this test looks for nothing")
		}
		time.Sleep(time.Hour + time.Minute)
		synctest.Wait()
		if log() {
			t.Error("got a deleted name in the log an hour later")
		}
	})
}

// TestAPurgeLetsOthersWriteInBetween: those who write do not wait for the end of a purge, however much goes.
func TestAPurgeLetsOthersWriteInBetween(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		setNow(s, func() time.Time { return time.Now().Add(-100 * day) })
		mutate(t, s, `WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 1000)
			INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, created, finished)
			SELECT printf('%026d', n), 'И' || n, 'и' || n, 't', 'ru', 'REQUEST', 'COMPLETED', n || '.mp4', 1, 1 FROM i`)
		setNow(s, time.Now)
		b := &bench{render: func(context.Context, video.Order) error { return nil }}
		q := NewQueue(s, b, b, b, Options{}, slog.New(slog.DiscardHandler))
		write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(1, "ru"); return err })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go worker.NewPurger(s, keeps, q.log).Run(ctx, q.Discard, q.ForgetOldNames)
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM assets`); n != 1000 {
			t.Errorf("got %d videos in the first hour; want all", n)
		}
		time.Sleep(time.Second)
		began, writes := time.Now(), 0
		for count(t, s, `SELECT count(*) FROM assets`) > 800 { // a fifth at once
			time.Sleep(worker.PurgeRest) // of the bubble: each transaction of the purge is followed by one of ours
			synctest.Wait()
			write(t, s, func(tx *store.Tx) error { return tx.SetReachable(1, true) })
			writes++
		}
		if took := time.Since(began); writes < 200/(store.PurgeBatch/10)-1 || took > 10*time.Second {
			t.Errorf("got %d writes in the %v of a purge; want one in between each two of its transactions", writes, took)
		}
	})
}

// mute is a media store that never answers.
type mute struct{ files }

func (mute) Delete(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }

func TestAStopWaitsForNoFileOfAPurge(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		setNow(s, func() time.Time { return time.Now().Add(-100 * day) })
		ask(t, s, "Маша", 1)
		complete(t, s)
		setNow(s, time.Now)
		mutate(t, s, `DELETE FROM jobs`)
		write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(2, "ru"); return err })
		q := NewQueue(s, nil, nil, mute{}, Options{}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { worker.NewPurger(s, keeps, q.log).Run(ctx, q.Discard, q.ForgetOldNames); close(done) }()
		time.Sleep(time.Hour + 10*worker.PurgeRest)
		synctest.Wait()
		if n := count(t, s, `SELECT count(*) FROM assets`); n != 0 {
			t.Errorf("got %d videos; want it purged", n)
		}
		cancel()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Error("the purge has not ended in a minute")
		}
	})
}

func TestTakingAnUnwantedVideoOffYouTubeDeletesItHereToo(t *testing.T) {
	b := newBroadcaster(t, nil)
	c := b.connect()
	a := ask(t, b.store, "Маша", 1)
	key := a.ID + ".mp4"
	b.film(key, 1<<20)
	task := begin(t, b.store, store.Render)
	write(t, b.store, func(tx *store.Tx) error {
		return tx.FinishRender(task.Job, store.Video{File: key, Thumb: "A.jpg", Size: 1 << 20})
	})
	b.publishes(a.ID, store.Publication{Platform: "YOUTUBE", Channel: c.ID})
	b.run()
	b.becomes(a.ID, "YOUTUBE", "COMPLETED ")
	write(t, b.store, func(tx *store.Tx) error { _, err := tx.Forget(1); return err })
	if len(b.tube.Videos()) != 1 {
		t.Fatal("got no video at YouTube; want it there until an admin has taken it off")
	}
	if _, err := b.studio.Remove(t.Context(), a.ID, "YOUTUBE", owner8); err != nil {
		t.Fatal(err)
	}
	_, err := b.store.Asset(t.Context(), a.ID)
	_, file := b.files.Open(t.Context(), key)
	if !errors.Is(err, store.ErrNotFound) || !errors.Is(file, fs.ErrNotExist) || len(b.tube.Videos()) != 0 {
		t.Errorf("got %v, %v, and %d videos at YouTube; want all of it gone", err, file, len(b.tube.Videos()))
	}
}

func TestThePageSaysWhatAnAdminHasToTakeDown(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	session := d.signIn(8)
	a := ask(t, d.store, "Маша", 1)
	complete(t, d.store)
	mutate(
		t,
		d.store,
		`INSERT INTO publications (asset_id, platform, creator, created, status, remote_id, started, completed, metadata)
		VALUES (?, 'YOUTUBE', 7, 0, 'COMPLETED', 'r', 1, 2, '{"title":"T"}')`,
		a.ID,
	)
	library := func() string {
		t.Helper()
		return d.want(200, d.send(call{method: "GET", path: "/", session: session}))
	}
	if strings.Contains(library(), "Take it down") {
		t.Error("got a note; want none before anybody asked")
	}
	write(t, d.store, func(tx *store.Tx) error { _, err := tx.Forget(1); return err })
	if page := library(); !strings.Contains(page, "have deleted their data") ||
		!strings.Contains(page, `href="/assets/`+a.ID+`" data-key="do-take-down-`) || !strings.Contains(page, "Take it down") {
		t.Errorf("got %s; want the note and the way", page)
	}
	var list struct {
		Attention struct {
			Items []struct{ Kind, Asset string }
		}
	}
	if err := json.Unmarshal(d.send(call{method: "GET", path: "/", session: session, json: true}).Body.Bytes(),
		&list); err != nil ||
		len(list.Attention.Items) != 1 || list.Attention.Items[0].Kind != store.NeedsTakeDown ||
		list.Attention.Items[0].Asset != a.ID {
		t.Errorf("got %+v, %v; want the video", list, err)
	}
	page := d.want(200, d.send(call{method: "GET", path: "/assets/" + a.ID, session: session}))
	if !strings.Contains(page, "Somebody has had their data deleted") || strings.Contains(page, "/publish\"") {
		t.Errorf("got %s; want the note, and no way to publish it once more", page)
	}
	form := "platform=YOUTUBE&title=T"
	if w := d.send(call{method: "POST", path: "/assets/" + a.ID + "/unpublish", session: session,
		body: form}); w.Code != 303 ||
		w.Header().Get("Location") != "/?notice=unpublished" {
		t.Errorf("got %d to %q; want the library", w.Code, w.Header().Get("Location"))
	}
	if strings.Contains(library(), "Somebody has had their data deleted") {
		t.Error("got the note; want it gone with the video")
	}
}

func TestPeopleWhoDeleteTheirDataAndTheAdminsAreToldOfWhatIsPublished(t *testing.T) {
	w := newWorld(t)
	p, admin := w.tg.Person(1, "Мария", "ru"), w.tg.Person(900, "А", "en")
	admin.Send("/start")
	w.hears(admin, "Hello!")
	for _, name := range []string{"Маша", "Оля"} {
		w.asks(p, name)
	}
	w.getsVideos(p, 2)
	w.calm()
	mutate(
		t,
		w.store,
		`INSERT INTO publications (asset_id, platform, creator, created, status, remote_id, started, completed)
		SELECT id, 'YOUTUBE', 7, 0, 'COMPLETED', 'r', 1, 2 FROM assets WHERE name = 'Оля'`,
	)
	p.Send("/delete_my_data")
	press(p, w.hears(p, "Удалить всё, что я о вас храню?"), 0)
	w.hears(p, "все ваши данные удалены, кроме опубликованного")
	told := w.hears(admin, "Somebody has had all of their data deleted.")
	if id := text(t, w.store, `SELECT id FROM assets`); !strings.HasSuffix(told.Text, "http://localhost/assets/"+id) ||
		strings.Contains(told.Text, "Оля") {
		t.Errorf("got %q; want the address of %s, and no name", told.Text, id)
	}
	if n := len(keysOf(w.T, w.files)); n != 2 {
		t.Errorf("got %d files; want those of the video that is published", n)
	}
}

func TestAnAdminWhoIsForgottenIsSignedOut(t *testing.T) {
	d := newDesk(t, "http://localhost:8080")
	session, other := d.signIn(8), d.signIn(7)
	link := d.link(8)
	write(t, d.store, func(tx *store.Tx) error { _, err := tx.Forget(8); return err })
	d.want(303, d.send(call{method: "GET", path: "/", session: session}))
	d.want(200, d.send(call{method: "GET", path: "/", session: other}))
	if w := d.send(call{method: "POST", path: link}); len(w.Result().Cookies()) != 0 {
		t.Errorf("got %d and a session; want the link lapsed", w.Code)
	}
}

func TestAnOldButtonOfAPurgedVideoIsAnsweredKindlyAndItsFileIsSentToNobody(t *testing.T) {
	w := newWorld(t)
	p, q := w.tg.Person(1, "Мария", "ru"), w.tg.Person(2, "Ольга", "ru")
	w.asks(p, "Маша")
	w.getsVideos(p, 1)
	w.breakEngine()
	w.asks(p, "Оля")
	sorry := w.hears(p, "Упс!")
	w.repairEngine()
	w.calm()
	mutate(t, w.store, `UPDATE assets SET created = 1, finished = 1`)
	for n := 1; n > 0; {
		var gone store.Deleted
		write(w.T, w.store, func(tx *store.Tx) (err error) { gone, n, err = tx.Purge(keeps); return err })
		w.queue.Discard(t.Context(), gone)
	}
	w.until("the purge", func() bool {
		return count(t, w.store, `SELECT count(*) FROM assets`) == 0 && len(keysOf(w.T, w.files)) == 0
	})
	press(p, sorry, 0)
	w.hears(p, "Эта кнопка уже не работает")
	w.asks(q, "Маша")
	w.getsVideos(q, 1)
	uploads := 0
	for _, c := range w.tg.Calls() {
		if c.Method == "sendVideo" && c.OK && c.Uploaded {
			uploads++
		}
	}
	if uploads != 2 {
		t.Errorf("got %d uploads; want a new one for the new video", uploads)
	}
}

func TestAUserGetsAllThatIsKeptOfThemAsAFile(t *testing.T) {
	w := newWorld(t)
	p, q := w.tg.Person(1, "Мария", "ru"), w.tg.Person(2, "Ольга", "en")
	w.asks(p, "Маша")
	w.asks(q, "Глаша")
	w.getsVideos(p, 1)
	w.getsVideos(q, 1)
	p.Send("/my_data")
	m := w.hears(p, "В этом файле всё, что я о вас храню.")
	if m.Document == nil || m.Document.Name != "my-data.json" {
		t.Fatalf("got %+v; want a file", m)
	}
	var x store.Export
	file := w.tg.File(m.Document.FileID)
	if err := json.Unmarshal(file, &x); err != nil || x.User.ID != 1 || len(x.Videos) != 1 || x.Videos[0].Name != "Маша" ||
		len(x.Acts) != 1 ||
		x.Admin != nil {
		t.Errorf("got %s, %v; want what is kept of her", file, err)
	}
	if bytes.Contains(file, []byte("Глаша")) {
		t.Errorf("got %s; want nothing of others", file)
	}
	for _, c := range p.Commands() {
		if c.Name == "my_data" {
			return
		}
	}
	t.Error("got a menu without my_data; want it there")
}
