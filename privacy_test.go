// Tests of what is kept of people: how long, who may see it, and that it is gone when it is said to be.

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
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/video"
	"retake.example/internal/worker"

	"retake.example/internal/store"
)

const day = 24 * time.Hour

// keeps are the times of the settings as they come.
var keeps = store.Keep{Inbox: 7 * day, Videos: 90 * day, History: 180 * day, People: 365 * day}

// ago makes the store's clock one of so long ago; back to now with 0.
func ago(s *store.Store, d time.Duration) { setNow(s, func() time.Time { return time.Now().Add(-d) }) }

// purge purges until nothing is left to be, and tells what went.
func purge(t testing.TB, s *store.Store, keep store.Keep) (all store.Deleted) {
	t.Helper()
	for {
		stale, err := s.Stale(t.Context(), keep)
		if err != nil {
			t.Fatal(err)
		}
		var gone store.Deleted
		n := 0
		write(t, s, func(tx *store.Tx) (err error) { gone, n, err = tx.Purge(keep); return err })
		if stale != (n > 0) {
			t.Fatalf("got stale %v, and %d rows that went; want the look and the deletion of one mind", stale, n)
		}
		if n == 0 {
			return all
		}
		all.Files, all.Assets, all.Names = append(
			all.Files,
			gone.Files...), append(
			all.Assets,
			gone.Assets...), append(
			all.Names,
			gone.Names...)
	}
}

// sound checks what triggers keep: the tallies are what a count of the rows gives, and the search knows the names there
// are.
func sound(t testing.TB, s *store.Store) {
	t.Helper()
	for what, query := range map[string]string{
		"tallies that are wrong": `WITH counted AS (
				SELECT k.name_key, p.part, a.status, count(*) n FROM assets a
				JOIN (SELECT id, '' name_key FROM assets UNION ALL SELECT id, name_key FROM assets) k ON k.id = a.id
				JOIN (SELECT id, '' part FROM assets UNION ALL SELECT id, 'NEEDS' FROM assets WHERE needs_attention UNION ALL
				SELECT id, 'YOUTUBE' FROM assets WHERE youtube
					UNION ALL SELECT id, 'RUMBLE' FROM assets WHERE rumble) p ON p.id = a.id GROUP BY 1, 2, 3),
			kept AS (SELECT name_key, part, status, n FROM name_counts WHERE n > 0)
			SELECT count(*) FROM (SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted) UNION ALL SELECT *
			FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept))`,
		"names without a video": `SELECT count(*) FROM name_suffixes WHERE name_key NOT IN (SELECT name_key FROM assets)`,
		"broken references":     `SELECT count(*) FROM pragma_foreign_key_check`,
		"what the check finds":  `SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
		"jobs of nothing":       `SELECT count(*) FROM jobs WHERE asset_id NOT IN (SELECT id FROM assets)`,
		"links to what is gone": `SELECT count(*) FROM assets WHERE retry_of NOT IN (SELECT id FROM assets)`,
		"tallies of names gone": `SELECT count(*) FROM name_counts WHERE name_key <> '' AND name_key NOT IN (SELECT name_key
			FROM assets)`,
		"settled that need still": `SELECT count(*) FROM resolved`,
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
		mutate(
			t,
			s,
			`INSERT INTO publications (asset_id, platform, creator, created, status, started, completed)
				VALUES (?, 'YOUTUBE', 7, 0, 'COMPLETED', 1, 2)`,
			published.ID,
		)
		operators = madeByAdmin(t, s, 7, "Наша", "наша")
		ask(t, s, "Наша", 2)
		complete(t, s)
		deliver()
		owed = ask(t, s, "Долг", 2)
		complete(t, s) // not sent yet
		write(t, s, func(tx *store.Tx) error {
			admin := int64(7)
			return tx.AddUpload(
				store.Asset{
					ID:      store.NewID(),
					Name:    "Ролик",
					NameKey: "ролик",
					Lang:    "ru",
					Creator: &admin,
					Video:   store.Video{File: "roll.mp4", Size: 1},
				},
			)
		})
	})
	at(10*day, func() {
		write(t, s, func(tx *store.Tx) error {
			_, err := tx.Receive([]store.Update{{ID: 1, Chat: 2, Raw: `{"old":1}`}, {ID: 2, Chat: 3, Raw: `{}`}})
			return errors.Join(err, tx.Handled(2))
		})
		write(t, s, func(tx *store.Tx) error { _, err := tx.SaveDraft(2, "Черновик"); return err })
		write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(2, "ru"); return err })
		write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(3, "ru"); return err })
	})
	at(5*day, func() {
		write(t, s, func(tx *store.Tx) error {
			_, err := tx.Receive([]store.Update{{ID: 3, Chat: 3, Raw: `{"new":1}`}})
			return err
		})
	})
	fresh := ask(t, s, "Новая", 3)

	t.Run("nothing with all kept permanently, but what nobody has a use for", func(t *testing.T) {
		if gone := purge(t, s, store.Keep{}); len(gone.Assets) > 0 {
			t.Errorf("got %v; want none", gone)
		}
		if n := count(t, s, `SELECT (SELECT count(*) FROM assets) * 1000 + (SELECT count(*)
			FROM users) * 100 + (SELECT count(*) FROM inbox) * 10 + (SELECT count(*) FROM drafts)`); n != 9320 {
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
		"videos that stay": {`SELECT count(*) FROM assets`, 6},
		"the next try, without its past": {`SELECT count(*) FROM assets WHERE id = '` + next.ID +
			`' AND retry_of IS NULL`, 1},
		"the video still owed": {`SELECT count(*) FROM requests WHERE asset_id = '` + owed.ID + `'`, 1},
		"whose wish the operator's were": {`SELECT count(*) FROM requests WHERE asset_id IN ('` + published.ID + `', '` +
			operators.ID + `')`, 0},
		"the new wish":                  {`SELECT count(*) FROM requests WHERE asset_id = '` + fresh.ID + `'`, 1},
		"people":                        {`SELECT count(*) FROM users`, 2},
		"what they did half a year ago": {`SELECT count(*) FROM audit WHERE user_id = 1`, 0},
		"what they did since":           {`SELECT count(*) FROM audit WHERE user_id = 2`, 1},
		"attempts of half a year ago": {`SELECT count(*) FROM attempts WHERE finished < unixepoch() * 1000 - ` +
			`15552000000`, 0},
		"attempts since":             {`SELECT count(*) FROM attempts WHERE asset_id = '` + operators.ID + `'`, 1},
		"what could not be answered": {`SELECT count(*) FROM inbox WHERE update_id = 1`, 0},
		"what waits since yesterday": {`SELECT count(*) FROM inbox WHERE update_id = 3 AND raw IS NOT NULL`, 1},
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
		if _, err := q.Retry(t.Context(), failed.ID, retry.ButtonPressed{User: 2, Chat: 2}); !errors.Is(
			err,
			store.ErrNotFound,
		) {
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
	mutate(
		t,
		s,
		`UPDATE requests SET created = created + ?`,
		30*day.Milliseconds(),
	) // so that they do not go before the video does
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
		go worker.NewPurger(s, keeps, q.log).Run(ctx, q.Discard, q.ForgetOldNames)
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
		ago(s, 100*day)
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
				INSERT INTO publications (asset_id, platform, creator, created, status, step, remote_id,
				session_uri, session_at, error, started, completed)
				SELECT ?, 'YOUTUBE', 7, 0, status, step, remote, session, iif(session IS NULL, NULL, 1),
				iif(status = 'FAILED', 'e', NULL),
					iif(status = 'PENDING', NULL, 1), iif(status IN ('COMPLETED', 'FAILED'), 2, NULL) FROM p`, a.ID)
			var gone store.Deleted
			write(t, s, func(tx *store.Tx) (err error) { gone, err = tx.Forget(1); return err })
			kept, err := s.Asset(t.Context(), a.ID)
			list, listErr := s.Needing(t.Context(), store.Admin{Owner: true}, store.NeedsTakeDown, 10)
			if !c.kept {
				if !errors.Is(err, store.ErrNotFound) || len(gone.Kept)+len(list) != 0 || len(gone.Files) != 1 {
					t.Errorf("got %v, %+v, %v; want it gone", err, gone, list)
				}
				return
			}
			if err := errors.Join(err, listErr); err != nil || !slices.Equal(gone.Kept, []string{a.ID}) ||
				len(gone.Files) != 0 ||
				kept.DeleteRequested.IsZero() ||
				len(list) != 1 {
				t.Fatalf("got %+v, %+v, %v, %v; want it kept, for the admins to take off", kept, gone, list, err)
			}
			if n := count(t, s, `SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM requests) + (SELECT count(*)
				FROM jobs)`); n != 0 {
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
			if _, err := s.Asset(t.Context(), a.ID); !errors.Is(err, store.ErrNotFound) ||
				!slices.Equal(gone.Files, []string{a.ID + ".mp4"}) {
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

// ---- export

// ---- names
