// Tests of what is kept of people: how long, who may see it, and that it is gone when it is said to be.

package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

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
				SELECT asset_id, platform FROM publications) p ON p.id = a.id GROUP BY 1, 2, 3),
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
	q := newRetries(s)
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

// TestAForgottenNameIsNotInTheFilesOfTheDatabase looks for the bytes of names, also in pages that nothing refers to.
func TestAForgottenNameIsNotInTheFilesOfTheDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "retake.db")
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	const people = 300
	name := func(i int64) string { return fmt.Sprintf("Пелагея%s", testrig.Letters(int(i))) }
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
			_, list, listErr := s.Needing(t.Context(), store.Admin{Owner: true}, 10)
			list = slices.DeleteFunc(list, func(n store.Needing) bool { return n.Kind != store.NeedsTakeDown })
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

func TestPurge_LeavesNoNameInTheLogOfTheDatabase(t *testing.T) {
	s := newStore(t)
	setNow(s, func() time.Time { return time.Now().Add(-48 * time.Hour) })
	write(t, s, func(tx *store.Tx) error {
		if _, err := tx.UpsertUser(1, "ru"); err != nil {
			return err
		}
		_, err := tx.SaveDraft(1, "Ксюшенька")
		return err
	})
	setNow(s, time.Now)
	for n := 1; n > 0; {
		write(t, s, func(tx *store.Tx) (err error) { _, n, err = tx.Purge(store.Keep{}); return err })
	}
	if err := s.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal"} {
		if b, err := os.ReadFile(s.Path() + end); err != nil || bytes.Contains(b, []byte("Ксюшенька")) {
			t.Errorf("retake.db%s: got %v; want no deleted name in it", end, err)
		}
	}
}
