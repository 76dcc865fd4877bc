// Tests of what is kept of people: how long, who may see it, and that it is gone when it is said to be.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/video"
	"retake.example/internal/worker"

	"retake.example/internal/store"

	"golang.org/x/text/unicode/norm"

	faketelegram "retake.example/internal/fake/telegram"
	"retake.example/internal/telegram"
)

const day = 24 * time.Hour

// keeps are the times of the settings as they come.
var keeps = store.Keep{Inbox: 7 * day, Videos: 90 * day, History: 180 * day, People: 365 * day}

// ago makes the store's clock one of so long ago; back to now with 0.
func ago(s *store.Store, d time.Duration) { setNow(s, func() time.Time { return time.Now().Add(-d) }) }

// purge purges until nothing is left to be, and tells what went.
func purge(t testing.TB, s *store.Store, keep store.Keep) (all store.Gone) {
	t.Helper()
	for {
		stale, err := s.Stale(t.Context(), keep)
		if err != nil {
			t.Fatal(err)
		}
		var gone store.Gone
		n := 0
		write(t, s, func(tx *store.Tx) (err error) { gone, n, err = tx.Purge(keep); return err })
		if stale != (n > 0) {
			t.Fatalf("got stale %v, and %d rows that went; want the look and the deletion of one mind", stale, n)
		}
		if n == 0 {
			return all
		}
		all.Files, all.Assets, all.Names = append(all.Files, gone.Files...), append(all.Assets, gone.Assets...), append(all.Names, gone.Names...)
	}
}

// sound checks what triggers keep: the tallies are what a count of the rows gives, and the search knows the names there are.
func sound(t testing.TB, s *store.Store) {
	t.Helper()
	for what, query := range map[string]string{
		"tallies that are wrong": `WITH counted AS (
				SELECT k.name_key, p.part, a.status, count(*) n FROM assets a
				JOIN (SELECT id, '' name_key FROM assets UNION ALL SELECT id, name_key FROM assets) k ON k.id = a.id
				JOIN (SELECT id, '' part FROM assets UNION ALL SELECT id, 'NEEDS' FROM assets WHERE needs UNION ALL SELECT id, 'YOUTUBE' FROM assets WHERE youtube
					UNION ALL SELECT id, 'RUMBLE' FROM assets WHERE rumble) p ON p.id = a.id GROUP BY 1, 2, 3),
			kept AS (SELECT name_key, part, status, n FROM tallies WHERE n > 0)
			SELECT count(*) FROM (SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted) UNION ALL SELECT * FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept))`,
		"names without a video":   `SELECT count(*) FROM tails WHERE name_key NOT IN (SELECT name_key FROM assets)`,
		"broken references":       `SELECT count(*) FROM pragma_foreign_key_check`,
		"what the check finds":    `SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
		"jobs of nothing":         `SELECT count(*) FROM jobs WHERE asset_id NOT IN (SELECT id FROM assets)`,
		"links to what is gone":   `SELECT count(*) FROM assets WHERE retry_of NOT IN (SELECT id FROM assets)`,
		"tallies of names gone":   `SELECT count(*) FROM tallies WHERE name_key <> '' AND name_key NOT IN (SELECT name_key FROM assets)`,
		"settled that need still": `SELECT count(*) FROM settled`,
	} {
		if n := count(t, s, query); n != 0 {
			t.Errorf("%s: got %d; want 0", what, n)
		}
	}
}

func TestWhatIsKeptForTooLongGoesAndNothingElse(t *testing.T) {
	s := newStore(t)
	q := newQueue(s)
	deliver := func() {
		d := begin(t, s, store.Deliver)
		write(t, s, func(tx *store.Tx) error {
			if err := tx.VideoArrived(d.Job, 1, "file-"+d.AssetID); err != nil {
				return err
			}
			_, err := tx.FinishMessage(&d, 2)
			return err
		})
	}
	asked := func(user int64) {
		write(t, s, func(tx *store.Tx) error { return tx.Note(store.Event{User: user, Action: "ask"}) })
	}
	at := func(d time.Duration, fn func()) { ago(s, d); fn(); ago(s, 0) }

	var failed, next, made, published, operators, owed store.Asset
	at(400*day, func() { ask(t, s, "Ушла", 1); complete(t, s); deliver(); asked(1) }) // and never wrote again
	at(100*day, func() {
		failed = ask(t, s, "Сбой", 2)
		failForGood(t, q)
		mutate(t, s, `DELETE FROM jobs`) // told
		write(t, s, func(tx *store.Tx) (err error) { next, _, err = tx.NextTry(failed, 2); return err })
		asked(2)
	})
	at(80*day, func() { complete(t, s) }) // the next try took its time
	at(100*day, func() {
		made = ask(t, s, "Вера", 2, 3)
		complete(t, s)
		deliver()
		deliver()
		published = ask(t, s, "Эфир", 2)
		complete(t, s)
		deliver()
		mutate(t, s, `INSERT INTO publications (asset_id, platform, creator, created, status, started, completed) VALUES (?, 'YOUTUBE', 7, 0, 'COMPLETED', 1, 2)`, published.ID)
		operators = madeByAdmin(t, s, 7, "Наша", "наша")
		ask(t, s, "Наша", 2)
		complete(t, s)
		deliver()
		owed = ask(t, s, "Долг", 2)
		complete(t, s) // not sent yet
		write(t, s, func(tx *store.Tx) error {
			admin := int64(7)
			return tx.AddUpload(store.Asset{ID: store.NewID(), Name: "Ролик", NameKey: "ролик", Lang: "ru", Creator: &admin, Video: store.Video{File: "roll.mp4", Size: 1}})
		})
	})
	at(10*day, func() {
		write(t, s, func(tx *store.Tx) error {
			_, err := tx.Receive([]store.Update{{ID: 1, Chat: 2, Raw: `{"old":1}`}, {ID: 2, Chat: 3, Raw: `{}`}})
			return errors.Join(err, tx.Handled(2))
		})
		write(t, s, func(tx *store.Tx) error { _, err := tx.SaveDraft(2, "Черновик"); return err })
		write(t, s, func(tx *store.Tx) error { _, err := tx.Meet(2, "ru"); return err })
		write(t, s, func(tx *store.Tx) error { _, err := tx.Meet(3, "ru"); return err })
	})
	at(5*day, func() {
		write(t, s, func(tx *store.Tx) error {
			_, err := tx.Receive([]store.Update{{ID: 3, Chat: 3, Raw: `{"new":1}`}})
			return err
		})
	})
	fresh := ask(t, s, "Новая", 3)

	t.Run("nothing with all kept for good, but what nobody has a use for", func(t *testing.T) {
		if gone := purge(t, s, store.Keep{}); len(gone.Assets) > 0 {
			t.Errorf("got %v; want none", gone)
		}
		if n := count(t, s, `SELECT (SELECT count(*) FROM assets) * 1000 + (SELECT count(*) FROM users) * 100 + (SELECT count(*) FROM inbox) * 10 + (SELECT count(*) FROM drafts)`); n != 9320 {
			t.Errorf("got %d; want 9 assets, 3 users, 2 updates and no draft", n)
		}
	})
	gone := purge(t, s, keeps)
	if want := []string{"Ушла", "Сбой", "Вера"}; !slices.Equal(gone.Names, want) || len(gone.Files) != 2 {
		t.Errorf("got %q with the files %q; want %q, with two files", gone.Names, gone.Files, want)
	}
	for what, c := range map[string]struct {
		query string
		want  int
	}{
		"videos that stay":               {`SELECT count(*) FROM assets`, 6},
		"the next try, without its past": {`SELECT count(*) FROM assets WHERE id = '` + next.ID + `' AND retry_of IS NULL`, 1},
		"the video still owed":           {`SELECT count(*) FROM requests WHERE asset_id = '` + owed.ID + `'`, 1},
		"whose wish the operator's were": {`SELECT count(*) FROM requests WHERE asset_id IN ('` + published.ID + `', '` + operators.ID + `')`, 0},
		"the new wish":                   {`SELECT count(*) FROM requests WHERE asset_id = '` + fresh.ID + `'`, 1},
		"people":                         {`SELECT count(*) FROM users`, 2},
		"what they did half a year ago":  {`SELECT count(*) FROM audit WHERE user_id = 1`, 0},
		"what they did since":            {`SELECT count(*) FROM audit WHERE user_id = 2`, 1},
		"attempts of half a year ago":    {`SELECT count(*) FROM attempts WHERE finished < unixepoch() * 1000 - 15552000000`, 0},
		"attempts since":                 {`SELECT count(*) FROM attempts WHERE asset_id = '` + operators.ID + `'`, 1},
		"what could not be answered":     {`SELECT count(*) FROM inbox WHERE update_id = 1`, 0},
		"what waits since yesterday":     {`SELECT count(*) FROM inbox WHERE update_id = 3 AND raw IS NOT NULL`, 1},
	} {
		if n := count(t, s, c.query); n != c.want {
			t.Errorf("%s: got %d; want %d", what, n, c.want)
		}
	}
	sound(t, s)
	t.Run("once it is sent, and taken off, it goes as well", func(t *testing.T) {
		deliver()
		write(t, s, func(tx *store.Tx) error { return tx.Unpublish(published.ID, "YOUTUBE") })
		if gone := purge(t, s, keeps); !slices.Equal(gone.Names, []string{"Эфир", "Долг"}) {
			t.Errorf("got %q; want the two", gone.Names)
		}
		sound(t, s)
	})
	t.Run("an old button finds nothing, and a wish makes a new video", func(t *testing.T) {
		if _, err := q.Retry(t.Context(), failed.ID, retry.ButtonPressed{User: 2, Chat: 2}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v; want ErrNotFound", err)
		}
		if a := ask(t, s, "Вера", 2); a.ID == made.ID || a.FileID != "" || a.Status != store.Pending {
			t.Errorf("got %+v; want a new one", a)
		}
	})
}

func TestAVideoThatThousandsWantedGoesInSmallParts(t *testing.T) {
	s := newStore(t)
	ago(s, 100*day)
	people := make([]int64, 1000)
	for i := range people {
		people[i] = int64(i + 1)
	}
	a := ask(t, s, "Маша", people...)
	complete(t, s)
	mutate(t, s, `DELETE FROM jobs`)
	mutate(t, s, `UPDATE requests SET created = created + ?`, 30*day.Milliseconds()) // so that they do not go before the video does
	ago(s, 0)
	most, before := 0, count(t, s, `SELECT count(*) FROM requests`)
	for range 5 {
		write(t, s, func(tx *store.Tx) error { _, _, err := tx.Purge(keeps); return err })
		left := count(t, s, `SELECT count(*) FROM requests`)
		most, before = max(most, before-left), left
	}
	if _, err := s.Asset(t.Context(), a.ID); err != nil || most != store.PurgeBatch {
		t.Errorf("got %d of a thousand wishes at a time, %v; want %d, and the video last", most, err, store.PurgeBatch)
	}
	purge(t, s, keeps)
	if n := count(t, s, `SELECT count(*) FROM assets`); n != 0 {
		t.Errorf("got %d videos; want none", n)
	}
	sound(t, s)
}

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
		go worker.Purge(ctx, s, keeps, q.Discard, q.ForgetOldNames, q.log)
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

// TestAPurgeLetsOthersWriteInBetween: those who write do not wait for the end of a purge, however much goes.
func TestAPurgeLetsOthersWriteInBetween(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		ago(s, 100*day)
		mutate(t, s, `WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 1000)
			INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, created, finished)
			SELECT printf('%026d', n), 'И' || n, 'и' || n, 't', 'ru', 'REQUEST', 'COMPLETED', n || '.mp4', 1, 1 FROM i`)
		setNow(s, time.Now)
		b := &bench{render: func(context.Context, video.Order) error { return nil }}
		q := NewQueue(s, b, b, b, Options{}, slog.New(slog.DiscardHandler))
		write(t, s, func(tx *store.Tx) error { _, err := tx.Meet(1, "ru"); return err })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go worker.Purge(ctx, s, keeps, q.Discard, q.ForgetOldNames, q.log)
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
type mute struct{ shelf }

func (mute) Delete(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }

func TestAStopWaitsForNoFileOfAPurge(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		ago(s, 100*day)
		ask(t, s, "Маша", 1)
		complete(t, s)
		setNow(s, time.Now)
		mutate(t, s, `DELETE FROM jobs`)
		write(t, s, func(tx *store.Tx) error { _, err := tx.Meet(2, "ru"); return err })
		q := NewQueue(s, nil, nil, mute{}, Options{}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { worker.Purge(ctx, s, keeps, q.Discard, q.ForgetOldNames, q.log); close(done) }()
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

// TestAForgottenNameIsNotInTheFilesOfTheDatabase looks for the bytes of names, also in pages that nothing refers to.
func TestAForgottenNameIsNotInTheFilesOfTheDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "retake.db")
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	const people = 300
	name := func(i int64) string { return fmt.Sprintf("Пелагея%s", letters(int(i))) }
	for i := range int64(people) {
		ask(t, s, name(i), i+1)
		write(t, s, func(tx *store.Tx) error {
			_, err := tx.SaveDraft(i+1, name(i)+"на")
			if err == nil {
				_, err = tx.Receive([]store.Update{{ID: i + 1, Chat: i + 1, Raw: `{"text":"` + name(i) + `"}`}})
			}
			return err
		})
		if i%2 == 0 {
			complete(t, s)
		}
	}
	for i := range int64(people) {
		write(t, s, func(tx *store.Tx) error { _, err := tx.Forget(i + 1); return err })
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, trace := range []string{"Пелагея", "пелагея", "елагея"} {
			if n := bytes.Count(b, []byte(trace)); n > 0 {
				t.Errorf("%s: got %d traces of %s in %d bytes; want none", filepath.Base(file), n, trace, len(b))
			}
		}
	}
}

// ---- forgetting

func TestForgettingLeavesToTheAdminsWhatMayBeOnAPlatform(t *testing.T) {
	for name, c := range map[string]struct {
		state string // status, step, remote_id, session_uri
		kept  bool
	}{
		"it is there":                          {`'COMPLETED', '', 'r', NULL`, true},
		"done by hand":                         {`'COMPLETED', 'manual', NULL, NULL`, true},
		"the platform works on it":             {`'PROCESSING', 'processing', 'r', NULL`, true},
		"it is being sent":                     {`'PROCESSING', 'uploading', NULL, 'u'`, true},
		"its upload broke off":                 {`'PENDING', 'uploading', NULL, 'u'`, true},
		"nobody knows":                         {`'FAILED', 'unknown', NULL, NULL`, true},
		"it was rejected, and is there":        {`'FAILED', 'rejected', 'r', NULL`, true},
		"it waits for its time":                {`'PENDING', 'scheduled', NULL, NULL`, false},
		"it waits for somebody to do it":       {`'PENDING', 'manual', NULL, NULL`, false},
		"it waits for access":                  {`'FAILED', 'reconnect', NULL, NULL`, false},
		"it failed before anything was sent":   {`'FAILED', '', NULL, NULL`, false},
		"it failed, and its session is unused": {`'FAILED', '', NULL, 'u'`, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			a := ask(t, s, "Маша", 1)
			complete(t, s)
			mutate(t, s, `WITH p (status, step, remote, session) AS (VALUES (`+c.state+`))
				INSERT INTO publications (asset_id, platform, creator, created, status, step, remote_id, session_uri, session_at, error, started, completed)
				SELECT ?, 'YOUTUBE', 7, 0, status, step, remote, session, iif(session IS NULL, NULL, 1), iif(status = 'FAILED', 'e', NULL),
					iif(status = 'PENDING', NULL, 1), iif(status IN ('COMPLETED', 'FAILED'), 2, NULL) FROM p`, a.ID)
			var gone store.Gone
			write(t, s, func(tx *store.Tx) (err error) { gone, err = tx.Forget(1); return err })
			kept, err := s.Asset(t.Context(), a.ID)
			list, listErr := s.Unwanted(t.Context())
			if !c.kept {
				if !errors.Is(err, store.ErrNotFound) || len(gone.Kept)+len(list) != 0 || len(gone.Files) != 1 {
					t.Errorf("got %v, %+v, %v; want it gone", err, gone, list)
				}
				return
			}
			if err := errors.Join(err, listErr); err != nil || !slices.Equal(gone.Kept, []string{a.ID}) || len(gone.Files) != 0 || kept.Unwanted.IsZero() || len(list) != 1 {
				t.Fatalf("got %+v, %+v, %v, %v; want it kept, for the admins to take off", kept, gone, list, err)
			}
			if n := count(t, s, `SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM requests) + (SELECT count(*) FROM jobs)`); n != 0 {
				t.Errorf("got %d rows of whose wish it was; want none", n)
			}
			if b := ask(t, s, "Маша", 2); b.ID == a.ID {
				t.Error("got the video that should go for somebody else; want a new one")
			}
			mutate(t, s, `UPDATE publications SET remote_id = 'r'`) // by then it is there
			write(t, s, func(tx *store.Tx) error {
				if gone, err := tx.LetGo(a.ID); err != nil || len(gone.Assets) != 0 {
					t.Errorf("got %+v, %v; want it kept while it is there", gone, err)
				}
				return tx.Unpublish(a.ID, "YOUTUBE")
			})
			write(t, s, func(tx *store.Tx) (err error) { gone, err = tx.LetGo(a.ID); return err })
			if _, err := s.Asset(t.Context(), a.ID); !errors.Is(err, store.ErrNotFound) || !slices.Equal(gone.Files, []string{a.ID + ".mp4"}) {
				t.Errorf("got %v, %+v; want it gone with its file", err, gone)
			}
			sound(t, s)
		})
	}
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
	mutate(t, d.store, `INSERT INTO publications (asset_id, platform, creator, created, status, remote_id, started, completed, metadata)
		VALUES (?, 'YOUTUBE', 7, 0, 'COMPLETED', 'r', 1, 2, '{"title":"T"}')`, a.ID)
	library := func() string {
		t.Helper()
		return d.want(200, d.send(call{method: "GET", path: "/", session: session}))
	}
	if strings.Contains(library(), "Take it down") {
		t.Error("got a note; want none before anybody asked")
	}
	write(t, d.store, func(tx *store.Tx) error { _, err := tx.Forget(1); return err })
	if page := library(); !strings.Contains(page, "Somebody has had their data deleted") || !strings.Contains(page, `href="/assets/`+a.ID+`">Take it down`) {
		t.Errorf("got %s; want the note and the way", page)
	}
	var list struct {
		Unwanted []struct{ ID, Name string }
	}
	if err := json.Unmarshal(d.send(call{method: "GET", path: "/", session: session, json: true}).Body.Bytes(), &list); err != nil || len(list.Unwanted) != 1 || list.Unwanted[0].ID != a.ID {
		t.Errorf("got %+v, %v; want the video", list, err)
	}
	page := d.want(200, d.send(call{method: "GET", path: "/assets/" + a.ID, session: session}))
	if !strings.Contains(page, "Somebody has had their data deleted") || strings.Contains(page, "/publish\"") {
		t.Errorf("got %s; want the note, and no way to publish it once more", page)
	}
	form := "platform=YOUTUBE&title=T"
	if w := d.send(call{method: "POST", path: "/assets/" + a.ID + "/unpublish", session: session, body: form}); w.Code != 303 || w.Header().Get("Location") != "/?notice=unpublished" {
		t.Errorf("got %d to %q; want the library", w.Code, w.Header().Get("Location"))
	}
	if strings.Contains(library(), "Somebody has had their data deleted") {
		t.Error("got the note; want it gone with the video")
	}
}

func TestWhoeverAskedToBeForgottenAndTheAdminsAreToldOfWhatIsPublished(t *testing.T) {
	w := newWorld(t)
	p, admin := w.tg.Person(1, "Мария", "ru"), w.tg.Person(900, "А", "en")
	admin.Send("/start")
	w.hears(admin, "Hello!")
	for _, name := range []string{"Маша", "Оля"} {
		w.asks(p, name)
	}
	w.getsVideos(p, 2)
	w.calm()
	mutate(t, w.store, `INSERT INTO publications (asset_id, platform, creator, created, status, remote_id, started, completed)
		SELECT id, 'YOUTUBE', 7, 0, 'COMPLETED', 'r', 1, 2 FROM assets WHERE name = 'Оля'`)
	p.Send("/delete_my_data")
	press(p, w.hears(p, "Удалить всё, что я о вас храню?"), 0)
	w.hears(p, "все ваши данные удалены, кроме опубликованного")
	told := w.hears(admin, "Somebody has had all of their data deleted.")
	if id := text(t, w.store, `SELECT id FROM assets`); !strings.HasSuffix(told.Text, "http://localhost/assets/"+id) || strings.Contains(told.Text, "Оля") {
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
	w.mendEngine()
	w.calm()
	mutate(t, w.store, `UPDATE assets SET created = 1, finished = 1`)
	for n := 1; n > 0; {
		var gone store.Gone
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

// ---- export

// peopled is a store with all that can be kept of person 111000111, who is an admin, too, and as much of person 222000222; both wait for one video.
func peopled(t *testing.T) *store.Store {
	t.Helper()
	s := newStore(t)
	q := newQueue(s)
	for _, p := range []struct {
		id   int64
		mark string
	}{{111000111, "Марк"}, {222000222, "Глаша"}} {
		ask(t, s, p.mark+"видео", p.id)
		complete(t, s)
		d := begin(t, s, store.Deliver)
		write(t, s, func(tx *store.Tx) error { return tx.VideoArrived(d.Job, int(p.id)+7, "file-id") })
		write(t, s, func(tx *store.Tx) error { _, err := tx.FinishMessage(&d, int(p.id)+8); return err })
		mutate(t, s, `INSERT INTO publications (asset_id, platform, creator, created, status, started, completed, remote_url, metadata) VALUES (?, 'RUMBLE', ?, 5000, 'COMPLETED', 1, 2, ?, ?)`,
			d.AssetID, p.id, "https://rumble.com/"+p.mark, `{"title":"`+p.mark+`заголовок"}`)
		ask(t, s, p.mark+"сбой", p.id)
		failForGood(t, q)
		a := begin(t, s, store.Apologise)
		if _, err := q.Retry(t.Context(), a.AssetID, retry.JobFailed{Job: a.Job, Err: retry.Permanent(errors.New("blocked by " + p.mark + "человек"))}); err != nil {
			t.Fatal(err)
		}
		ask(t, s, p.mark+"ждёт", p.id)
		complete(t, s)
		mutate(t, s, `UPDATE jobs SET last_error = ? WHERE kind = 'DELIVER' AND lane = ?`, p.mark+"отложено", p.id)
		mutate(t, s, `UPDATE jobs SET due = 9e15`)
		write(t, s, func(tx *store.Tx) error {
			_, err := tx.SaveDraft(p.id, p.mark+"черновик")
			if err == nil {
				_, err = tx.Receive([]store.Update{{ID: p.id + 5, Chat: p.id, Raw: `{"text":"` + p.mark + `письмо"}`}})
			}
			admin := p.id
			return errors.Join(err, tx.Note(store.Event{User: p.id, Action: p.mark + "дело"}), tx.Note(store.Event{Admin: &admin, Action: p.mark + "служба"}),
				tx.AddUpload(store.Asset{ID: store.NewID(), Name: p.mark + "загрузка", NameKey: "з" + p.mark, Lang: "ru", Creator: &admin, Video: store.Video{File: store.NewID() + ".mp4", Size: 1}}))
		})
		link := hashOf(p.mark)
		write(t, s, func(tx *store.Tx) error {
			return errors.Join(tx.SaveLink(link, p.id, tx.Now().Add(time.Minute)), tx.SaveLink(hashOf(p.mark+"2"), p.id, tx.Now().Add(time.Minute)))
		})
		write(t, s, func(tx *store.Tx) error { _, err := tx.SpendLink(link, hashOf("s"+p.mark)); return err })
		write(t, s, func(tx *store.Tx) error {
			_, err := tx.Connect(store.Channel{Platform: "YOUTUBE", External: p.mark, Title: p.mark + "канал", Creator: p.id}, []byte("secret"))
			return err
		})
	}
	ask(t, s, "Общая", 111000111, 222000222)
	mutate(t, s, `UPDATE users SET unreachable = seen`)
	return s
}

func TestAnExportHoldsAllThatIsKeptOfAPersonAndNothingOfOthers(t *testing.T) {
	s := peopled(t)
	var x store.Export
	write(t, s, func(tx *store.Tx) (err error) { x, err = tx.Export(111000111, true); return err })
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Марквидео", "Марксбой", "blocked by Маркчеловек", "Маркждёт", "Маркотложено", "Маркчерновик", "Маркписьмо", "Маркдело", "Маркслужба", "Маркзагрузка",
		"Марккана", "Маркзаголовок", "https://rumble.com/Марк", `"telegram_id": 111000111`, `"answer_message": 111000119`, "not_reachable_since", "sign_in_links_valid_until", `"last_used"`, "Общая"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("got %s; want %s in it", b, want)
		}
	}
	for _, private := range []string{"Глаша", "222000222", "secret", errEngine.Error()} {
		if strings.Contains(string(b), private) {
			t.Errorf("got %s; want nothing of %q", b, private)
		}
	}
	for _, stamp := range regexp.MustCompile(`"(?:asked|first_wrote|last_wrote|at|since|typed|made|begun)": ("[^"]*")`).FindAllStringSubmatch(string(b), -1) {
		var at time.Time
		if err := json.Unmarshal([]byte(stamp[1]), &at); err != nil || at.Year() < 1970 || at.Location() != time.UTC {
			t.Errorf("got %s, %v; want a time, UTC", stamp[0], err)
		}
	}
	write(t, s, func(tx *store.Tx) (err error) { x, err = tx.Export(111000111, false); return err })
	if b, err := json.Marshal(x); err != nil || strings.Contains(string(b), "Маркслужба") || x.Admin != nil {
		t.Errorf("got %s, %v; want what is kept of a user alone", b, err)
	}
	write(t, s, func(tx *store.Tx) error {
		if _, err := tx.Export(333, false); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v; want ErrNotFound", err)
		}
		return nil
	})
}

// TestNothingOfAForgottenPersonIsLeft compares what an export had with the whole database.
func TestAnExportOfAnAdminHoldsWhatAnAdminIs(t *testing.T) {
	s := newStore(t)
	write(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.Appoint(store.Admin{ID: 7, Owner: true}), tx.KeepAlert(7, "disk", store.Alert{At: time.UnixMilli(1000)}), tx.KeepAlert(8, "disk", store.Alert{At: time.UnixMilli(2000)}))
	})
	var x store.Export
	write(t, s, func(tx *store.Tx) (err error) { x, err = tx.Export(7, true); return err })
	if a := x.Admin; a == nil || len(a.Ranks) != 1 || !a.Ranks[0].Owner || len(a.Told) != 1 || a.Told[0].Cause != "disk" || a.Told[0].At.UnixMilli() != 1000 {
		t.Errorf("got %+v; want the rank and what they were told", x.Admin)
	}
	write(t, s, func(tx *store.Tx) error { return tx.Dismiss(7) })
	if n := count(t, s, `SELECT count(*) FROM alerts WHERE admin = 7`); n != 0 {
		t.Errorf("got %d rows about one who is no admin any more; want none", n)
	}
}

func TestNothingOfAForgottenPersonIsLeft(t *testing.T) {
	s := peopled(t)
	var gone store.Gone
	write(t, s, func(tx *store.Tx) (err error) { gone, err = tx.Forget(222000222); return err })
	if len(gone.Kept) != 1 || len(gone.Assets) != 2 {
		t.Fatalf("got %+v; want two videos gone, and the published one left to the admins", gone)
	}
	write(t, s, func(tx *store.Tx) error { return tx.Unpublish(gone.Kept[0], "RUMBLE") })
	write(t, s, func(tx *store.Tx) error { _, err := tx.LetGo(gone.Kept[0]); return err })
	tables, err := texts(t, s, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil || len(tables) < 10 {
		t.Fatal(tables, err)
	}
	for _, table := range tables {
		columns, err := texts(t, s, `SELECT name FROM pragma_table_info(?)`, table)
		if err != nil {
			t.Fatal(err)
		}
		for _, column := range columns {
			// An admin's deeds stay, without which nobody could say who did them, and what they made is the operator's.
			mine := `creator, admin`
			if table == "audit" && column == "action" || table == "assets" && column != "error" || table == "channels" || strings.Contains(mine, column) || table == "tails" || table == "tallies" {
				continue
			}
			if n := count(t, s, `SELECT count(*) FROM `+table+` WHERE `+column+` IN (222000222, '222000222') OR `+column+` LIKE '%Глаша%'`); n != 0 {
				t.Errorf("%s.%s: got %d rows of the person; want none", table, column, n)
			}
		}
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM assets WHERE name LIKE 'Глаша%'`:             1, // the upload of the admin
		`SELECT count(*) FROM audit WHERE action = 'Глашадело'`:            1, // that somebody did it
		`SELECT count(*) FROM tallies WHERE name_key LIKE '%глаша%'`:       0,
		`SELECT count(*) FROM sessions`:                                    1,
		`SELECT count(*) FROM links`:                                       1,
		`SELECT count(*) FROM requests r JOIN assets a ON a.id = asset_id`: 4, // those of the other
	} {
		if n := count(t, s, query); n != want {
			t.Errorf("%s: got %d; want %d", query, n, want)
		}
	}
	sound(t, s)
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
	if err := json.Unmarshal(file, &x); err != nil || x.User.ID != 1 || len(x.Videos) != 1 || x.Videos[0].Name != "Маша" || len(x.Acts) != 1 || x.Admin != nil {
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

func TestTheCommandExportWritesAFileForThatPersonAlone(t *testing.T) {
	dir := t.TempDir()
	s, err := openStore(filepath.Join(dir, "retake.db"))
	if err != nil {
		t.Fatal(err)
	}
	ask(t, s, "Маша", 42)
	ask(t, s, "Глаша", 43)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	env := []string{"RETAKE_DATA_DIR=" + dir}
	path := filepath.Join(t.TempDir(), "42.json")
	if out, code := retake(t, env, "export", "42", path); code != 0 || out != "" {
		t.Fatalf("got exit %d, %s; want 0 and no word", code, out)
	}
	file, err := os.ReadFile(path)
	info, statErr := os.Stat(path)
	if err := errors.Join(err, statErr); err != nil || info.Mode().Perm() != 0o600 || !bytes.Contains(file, []byte(`"name": "Маша"`)) || bytes.Contains(file, []byte("Глаша")) {
		t.Errorf("got %v, %v, %s; want what is kept of that person, for the operator's eyes only", info.Mode(), err, file)
	}
	if out, code := retake(t, env, "export", "42"); code != 0 || !strings.Contains(out, `"name": "Маша"`) {
		t.Errorf("got exit %d, %s; want it printed", code, out)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{{[]string{"export", "42", path}, exitFailure, "exists"}, {[]string{"export", "44"}, exitFailure, "nothing is kept about 44"}, {[]string{"export", "Маша"}, exitUsage, "a number is expected"},
		{[]string{"export"}, exitUsage, "usage"}} {
		if out, code := retake(t, env, c.args...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%v: got exit %d, %s; want %d and %q", c.args, code, out, c.code, c.want)
		}
	}
}

// ---- names

// traces are the forms in which a name may be found where none should be: as typed, folded, decomposed, escaped, in Latin
// letters, and each of its words.
func traces(name string, latin ...string) (all []string) {
	for _, word := range append(strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '-' }), name) {
		quoted := strconv.QuoteToASCII(word)
		all = append(all, word, norm.NFD.String(word), url.QueryEscape(word), quoted[1:len(quoted)-1])
	}
	return append(all, latin...)
}

// quoting is a renderer that breaks for some names until it is mended, and quotes them in every way.
type quoting struct {
	renderer
	mended *atomic.Bool
}

func (h quoting) Make(ctx context.Context, o video.Order, progress func(int)) (video.Video, error) {
	if strings.HasPrefix(o.Name, "Сбоева") || strings.HasPrefix(o.Name, "Пантелеймон") && !h.mended.Load() {
		return video.Video{}, fmt.Errorf("cannot make %s, %s, %s, %q, %+q, %s", o.Name, strings.ToLower(o.Name), strings.ToUpper(o.Name), o.Name, o.Name, url.QueryEscape(o.Name))
	}
	return h.renderer.Make(ctx, o, progress)
}

// TestNoNameLeavesTheDatabaseButToWhomItBelongs runs the whole program, with its own renderer and voice, through all that happens
// to names, and looks for them where they should not be.
func TestNoNameLeavesTheDatabaseButToWhomItBelongs(t *testing.T) {
	t.Parallel()
	names := map[string][]string{ // in Latin letters
		"Аглаида":         {"aglaida", "aglaída"},
		"Зебулония":       {"zebuloniya", "zebulonia", "zebulonija"},
		"Ягуария-Эсмира":  {"yaguariya", "jaguarija", "yaguaria", "esmira", "ehsmira"},
		"Siobhánna":       {"siobhanna"},
		"Пантелеймон":     {"panteleimon", "panteleymon", "pantelejmon"},
		"Сбоева Фёкла":    {"sboeva", "fekla", "fyokla", "фекла"},
		"Черновикия":      {"chernovikiya", "chernovikia"},
		"Отменизавра":     {"otmenizavra"},
		"Самоделкиния":    {"samodelkiniya", "samodelkinia"},
		"Загрузилия":      {"zagruziliya", "zagruzilia"},
		"Цифрозавра":      {"cifrozavra", "tsifrozavra"},
		"Матьпятилетняя":  {"matpyatiletnyaya"}, // what a person is called
		"Админагорделиво": {"adminagordelivo"},
	}
	templates := t.TempDir()
	film := filepath.Join(templates, "clock")
	if err := os.Mkdir(film, 0o700); err != nil {
		t.Fatal(err)
	}
	if b, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3", "-f", "lavfi", "-i", "sine=d=3", filepath.Join(film, "film.mp4")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	if err := os.WriteFile(filepath.Join(film, "template.toml"), []byte("title = \"Clock\"\nfilm = \"film.mp4\"\n[[segment]]\nstart = 1\nend = 2\nbox = [10, 10, 300, 80]\n[voice]\ntext = \"{{.Name}}!\"\nstart = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tg := faketelegram.New(testToken)
	api := httptest.NewServer(tg)
	l, err := listenNear("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	cfg, err := LoadConfig("", []string{"RETAKE_DATA_DIR=" + dir, "RETAKE_WEB_LISTEN=" + address, "RETAKE_WEB_BASE_URL=http://" + address, "RETAKE_TELEGRAM_TOKEN=" + testToken,
		"RETAKE_TELEGRAM_API_URL=" + api.URL, "RETAKE_TELEGRAM_OWNERS=[900]", "RETAKE_RENDER_TEMPLATES=" + templates, "RETAKE_RENDER_TEMPLATE=clock", "RETAKE_QUEUE_BACKOFF=20ms",
		"RETAKE_QUEUE_OUTAGE_AFTER=1000", "RETAKE_LIMITS_OPEN=100", "RETAKE_LIMITS_PER_HOUR=100", "RETAKE_LIMITS_PER_DAY=100"})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, tg: tg, log: &journal{}}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug - 8, AddSource: true, ReplaceAttr: telegram.Redact(testToken)}))
	var mended atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	printed := &journal{}
	go func() {
		done <- serve(ctx, cfg, log, printed, func(r renderer) renderer { return quoting{r, &mended} })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		tg.Close()
		api.Close()
	})
	var places []string
	look := func() { // which files there are, now
		filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error {
			places = append(places, strings.TrimPrefix(path, dir))
			return nil
		})
	}

	parent, other, admin := tg.Person(1, "Матьпятилетняя", "ru"), tg.Person(2, "Ольга", "ru"), tg.Person(900, "Админагорделиво", "ru")
	w.until("the start", func() bool { return strings.Contains(w.log.String(), "retake is running") })
	for _, name := range []string{"Аглаида", "Зебулония", "Ягуария-Эсмира", "Siobhánna", "Пантелеймон", "Сбоева Фёкла"} {
		w.asks(parent, name)
	}
	look()
	w.asks(other, "Аглаида")
	w.getsVideos(parent, 4)
	w.getsVideos(other, 1)
	look()
	sorry := w.hears(parent, "видео для Пантелеймон")
	w.hears(parent, "видео для Сбоева Фёкла")
	mended.Store(true)
	press(parent, sorry, 0)
	w.getsVideos(parent, 5)
	w.names(parent, "Черновикия")
	parent.Send("Цифрозавра5")
	w.hears(parent, "цифры")
	parent.SendKind("voice")
	w.hears(parent, "только текст")
	for _, command := range []string{"/start", "/status", "/help", "/privacy", "/my_data", "/language", "/nonsense", "/cancel Отменизавра"} {
		parent.Send(command)
	}
	w.hears(parent, "В этом файле всё")
	parent.Press(sorry.ID, "make:Черновикия")
	parent.Press(sorry.ID, "retry_failed_video:Аглаида")

	// An admin looks, makes one, uploads one, tries again, and deletes.
	admin.Send("/admin")
	link := regexp.MustCompile(`http://\S+/login/\S+`).FindString(w.hears(admin, "/login/").Text)
	resp, err := http.DefaultTransport.RoundTrip(post(t, link))
	if err != nil || len(resp.Cookies()) != 1 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	session := resp.Cookies()[0]
	do := func(method, target, kind string, body io.Reader) string {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+address+target, body)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(session)
		r.Header.Set("Accept", "application/json")
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const plain = "application/x-www-form-urlencoded"
	do("POST", "/assets", plain, strings.NewReader("name="+url.QueryEscape("Самоделкиния")))
	do("POST", "/assets", plain, strings.NewReader("name="+url.QueryEscape("Цифрозавра5")))
	path, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	upload, kind := form(part{"title", "", "Загрузилия"}, part{"file", "Загрузилия.mp4", string(content)})
	if got := do("POST", "/uploads", kind, bytes.NewReader(upload)); !strings.Contains(got, "uploaded") {
		t.Errorf("got %s; want it uploaded", got)
	}
	broken, kind := form(part{"title", "", "Загрузилия"}, part{"file", "Загрузилия.mp4", "no video"})
	do("POST", "/uploads", kind, bytes.NewReader(broken))
	var library struct {
		Assets []struct{ ID, Name, Status string }
	}
	settled := func() bool {
		library.Assets = nil
		if err := json.Unmarshal([]byte(do("GET", "/", "", nil)), &library); err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(library.Assets, func(a struct{ ID, Name, Status string }) bool {
			return a.Status == "PENDING" || a.Status == "PROCESSING"
		})
	}
	w.until("the admin's video", settled)
	look()
	var metrics string
	for _, a := range library.Assets {
		for _, target := range []string{"/assets/" + a.ID, "/media/" + a.ID, "/thumbs/" + a.ID, "/?q=" + url.QueryEscape(a.Name), "/assets/" + url.PathEscape(a.Name), "/retry-all?q=" + url.QueryEscape(a.Name)} {
			do("GET", target, "", nil)
		}
		do("POST", "/assets/"+a.ID+"/retry", plain, strings.NewReader("platform="+url.QueryEscape(a.Name)))
		do("POST", "/assets/"+a.ID+"/publish", plain, strings.NewReader("rumble=yes&privacy=public&made_for_kids=yes&title="+url.QueryEscape(a.Name)))
		if a.Name == "Загрузилия" || a.Name == "Самоделкиния" {
			do("POST", "/assets/"+a.ID+"/delete", plain, strings.NewReader("title="+url.QueryEscape(a.Name)))
		}
	}
	for _, target := range []string{"/activity", "/settings", "/channels", "/readyz", "/healthz"} {
		do("GET", target, "", nil)
	}
	metrics = do("GET", "/metrics", "", nil)
	w.until("the end of the retries", settled)

	parent.Send("/delete_my_data")
	press(parent, w.hears(parent, "Удалить всё, что я о вас храню?"), 0)
	w.until("the answer", func() bool {
		return slices.ContainsFunc(answers(parent), func(m faketelegram.Message) bool {
			return strings.Contains(m.Text, "удалил") || strings.Contains(m.Text, "удалено")
		})
	})
	// Only the name that somebody else asked for, too, is still there to be seen and heard.
	w.until("the files of forgotten names gone", func() bool {
		clips, _ := filepath.Glob(filepath.Join(dir, "cache", "voice", "*"))
		films, _ := filepath.Glob(filepath.Join(dir, "media", "[A-Z2-7]*"))
		return len(clips) == 1 && len(films) == 2
	})
	look()

	if n := len(slices.DeleteFunc(slices.Clone(places), func(p string) bool { return !strings.Contains(p, "/cache/voice/") })); n < 5 {
		t.Errorf("got %d sightings of spoken names in %q; want the voice to have been used", n, places)
	}
	if !strings.Contains(w.log.String(), "attempt failed") || !strings.Contains(w.log.String(), "[name]") {
		t.Errorf("got the log %s; want the failures in it", w.log)
	}
	var buttons, files []string
	for _, c := range tg.Calls() {
		for _, data := range regexp.MustCompile(`"callback_data":"((?:[^"\\]|\\.)*)"`).FindAllStringSubmatch(c.Params["reply_markup"], -1) {
			buttons = append(buttons, data[1])
		}
		files = append(files, c.Method)
	}
	if len(buttons) < 20 {
		t.Errorf("got %d buttons; want all there were", len(buttons))
	}
	for where, text := range map[string]string{"the log": w.log.String(), "what is printed": printed.String(), "/metrics": metrics, "file names": strings.Join(places, "\n"),
		"buttons": strings.Join(buttons, "\n"), "methods": strings.Join(files, " ")} {
		text = strings.ToLower(strings.ReplaceAll(text, `\\`, `\`)) // the log escapes what is escaped
		for name, latin := range names {
			for _, trace := range traces(name, latin...) {
				if i := strings.Index(text, strings.ToLower(trace)); i >= 0 {
					t.Errorf("%s: got %q of %s in …%s…", where, trace, name, text[max(0, i-200):min(len(text), i+100)])
					break
				}
			}
		}
	}
}

// TestThePrivacyPageIsTrue reads docs/privacy.md: it accounts for every table, has the settings as they come, and its commands work.
func TestThePrivacyPageIsTrue(t *testing.T) {
	page, err := os.ReadFile("docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	tables, err := texts(t, s, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil || len(tables) < 10 {
		t.Fatal(tables, err)
	}
	for _, table := range tables {
		if !strings.Contains(string(page), "`"+table+"`") {
			t.Errorf("got no word about the table %s; want what it keeps of people, or that it keeps nothing", table)
		}
	}
	for _, block := range regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte(block[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := LoadConfig(path, nil)
		want, wantErr := fromDefaults(nil)
		if err := errors.Join(err, wantErr); err != nil || got.Privacy != want.Privacy {
			t.Errorf("got %+v, %v; want the settings as they come: %+v", got.Privacy, err, want.Privacy)
		}
	}
	commands := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(commands) == 0 {
		t.Fatal("got no command; want those for whoever is asked by mail")
	}
	dir, bin := t.TempDir(), t.TempDir()
	if s, err = openStore(filepath.Join(dir, "retake.db")); err != nil {
		t.Fatal(err)
	}
	ask(t, s, "Маша", 123456789)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "retake"), []byte("#!/bin/sh\nexec "+os.Args[0]+" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		sh := exec.Command("sh", "-e", "-c", c[1])
		sh.Dir = dir
		sh.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), childDir+"=.", childPoint+"=0", "RETAKE_DATA_DIR="+dir)
		if b, err := sh.CombinedOutput(); err != nil {
			t.Errorf("%s: got %v, %s; want it to work", c[1], err, b)
		}
	}
	if file, err := os.ReadFile(filepath.Join(dir, "person.json")); err != nil || !bytes.Contains(file, []byte("Маша")) {
		t.Errorf("got %s, %v; want what is kept of that person", file, err)
	}
}
