// Tests of what becomes of what a backup owes when it is put back.

package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retake.example/internal/db"
	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/watch"
)

// aDay is a database from which a backup is made, and that goes on.
type aDay struct {
	*store.Store
	t    *testing.T
	path string
}

func newDay(t *testing.T) aDay {
	t.Helper()
	path := filepath.Join(t.TempDir(), "retake.db")
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return aDay{s, t, path}
}

// backup opens a copy of the database as it is now.
func (d aDay) backup() *store.Store {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), "backup.db")
	if err := db.Snapshot(d.t.Context(), d.path, path); err != nil {
		d.t.Fatal(err)
	}
	s, err := openStore(path)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { s.Close() })
	return s
}

// wants makes somebody wish for a video as the bot does it: the wish is noted.
func (d aDay) wants(user int64, name string) store.Asset {
	d.t.Helper()
	a := ask(d.t, d.Store, name, user)
	write(d.t, d.Store, func(tx *store.Tx) error { return tx.Note(store.Event{User: user, Action: "ask", AssetID: a.ID}) })
	return a
}

// delivers sends what is owed of a kind.
func delivers(t *testing.T, s *store.Store, kind store.Kind, n int) {
	t.Helper()
	tasks := beginAll(t, s, kind, 99)
	if len(tasks) != n {
		t.Fatalf("got %d %s jobs; want %d", len(tasks), kind, n)
	}
	for _, task := range tasks {
		write(t, s, func(tx *store.Tx) error {
			if kind == store.Deliver {
				if err := tx.VideoArrived(task.Job, 12, "file-id"); err != nil {
					return err
				}
			}
			_, err := tx.FinishMessage(&task, 12)
			return err
		})
	}
}

// owes lists the jobs there are, with their people.
func owes(t *testing.T, s *store.Store) string {
	t.Helper()
	return text(
		t,
		s,
		`SELECT ifnull(group_concat(kind || ' ' || who, ', '), '') FROM (SELECT j.kind, ifnull(r.user_id, a.name) who
		FROM jobs j JOIN assets a ON a.id = j.asset_id LEFT JOIN requests r ON r.id = j.request_id ORDER BY j.kind, who)`,
	)
}

// holds lists the people whom something is held for, and what an admin has decided.
func heldOf(t *testing.T, s *store.Store) string {
	t.Helper()
	return text(
		t,
		s,
		`SELECT ifnull(group_concat(user_id || ':' || restore_hold, ' '), '') FROM (SELECT user_id, restore_hold FROM requests WHERE restore_hold > 0
			ORDER BY user_id)`,
	)
}

// morning is a day on which 1 waits for a video that is being made and 2 for one that is not, 3 for one on its way, 4
// has been failed and not been told, 5 has been served, but for the words that follow, and 6 has written something.
func morning(t *testing.T) aDay {
	t.Helper()
	d := newDay(t)
	d.wants(5, "Пётр")
	complete(t, d.Store)
	five := begin(t, d.Store, store.Deliver)
	write(t, d.Store, func(tx *store.Tx) error { return tx.VideoArrived(five.Job, 5, "file-id") })
	d.wants(4, "Сбой")
	failForGood(t, newRetries(d.Store))
	d.wants(3, "Лев")
	complete(t, d.Store)
	d.wants(1, "Маша")
	begin(t, d.Store, store.Render)
	d.wants(2, "Оля")
	write(t, d.Store, func(tx *store.Tx) error {
		if _, err := tx.UpsertUser(6, "ru"); err != nil {
			return err
		}
		_, err := tx.Receive([]store.Update{{ID: 70, Chat: 6, Raw: `{"update_id":70}`}})
		return err
	})
	for _, statement := range []string{`INSERT INTO admins (id, owner, added) VALUES (8, 1, 1)`, `INSERT INTO sessions VALUES (zeroblob(32),
		8, 1, 1)`, `INSERT INTO links VALUES (zeroblob(32), 8, 1)`,
		`INSERT INTO outage (id, began, reason) VALUES (1, 1, 'x')`} {
		mutate(t, d.Store, statement)
	}
	return d
}

// gets is the press of the button under /status that brings somebody a finished video.
func gets(t *testing.T, s *store.Store, user int64) {
	t.Helper()
	id := text(t, s, `SELECT asset_id FROM requests WHERE user_id = ? LIMIT 1`, user)
	write(t, s, func(tx *store.Tx) error {
		a, err := tx.Asset(id)
		if err == nil {
			_, err = tx.Join(a, user, user)
		}
		return err
	})
}

func TestWhatABackupOwesIsHeldUntilAnAdminDecides(t *testing.T) {
	d := morning(t)
	restored := func() *store.Store {
		s := d.backup()
		r, err := s.Recover(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if r != (store.Recovered{Held: 5, Admins: 1}) {
			t.Errorf("got %+v; want five people held", r)
		}
		return s
	}
	s := restored()
	if got := owes(t, s); got != "RENDER Маша, RENDER Оля" {
		t.Errorf("got %q owed; want the videos that are not made yet, and no message", got)
	}
	if got := heldOf(t, s); got != "1:1 2:1 3:1 4:1" {
		t.Errorf("got %q held; want all but the one who was served", got)
	}
	if n := count(t, s, `SELECT (SELECT count(*) FROM jobs WHERE attempt > 0) + (SELECT count(*)
		FROM sessions) + (SELECT count(*) FROM links) + (SELECT count(*) FROM outage)`); n != 0 {
		t.Errorf("got %d attempts, sessions, links and outages; want none to come back", n)
	}
	inbox := func(s *store.Store) int {
		t.Helper()
		updates, err := s.Inbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(updates)
	}
	if n, offset := inbox(s), count(t, s, `SELECT max(update_id) FROM inbox`); n != 0 || offset != 70 {
		t.Errorf("got %d updates to handle after %d; want none", n, offset)
	}
	wanted, err := s.RequestsOf(t.Context(), 3, 10)
	if err != nil || len(wanted) != 1 || wanted[0].Status != store.Processing || !wanted[0].Finished {
		t.Errorf("got %+v, %v; want that /status offers the video", wanted, err)
	}

	t.Run("send", func(t *testing.T) {
		complete(t, s) // Маша, before anybody has decided
		if got := owes(t, s); got != "RENDER Оля" {
			t.Errorf("got %q owed; want nothing sent of what is finished meanwhile", got)
		}
		var updates []store.Update
		write(t, s, func(tx *store.Tx) (err error) { updates, err = tx.SendHeld(); return err })
		if got := owes(t, s); got != "ANNOUNCE 2, APOLOGISE 4, DELIVER 1, DELIVER 3, RENDER Оля" {
			t.Errorf("got %q owed; want all of it", got)
		}
		if len(updates) != 1 || updates[0].ID != 70 || inbox(s) != 1 {
			t.Errorf("got %+v, %d in the inbox; want the update", updates, inbox(s))
		}
		complete(t, s)
		delivers(t, s, store.Deliver, 3)
		if err := s.Tx(t.Context(), func(tx *store.Tx) error { _, err := tx.SendHeld(); return err }); !errors.Is(
			err,
			store.ErrNotFound,
		) {
			t.Errorf("again: got %v; want ErrNotFound", err)
		}
	})
	t.Run("let be", func(t *testing.T) {
		s := restored()
		write(t, s, (*store.Tx).LeaveHeld)
		complete(t, s)
		q := newRetries(s)
		failForGood(t, q)
		if got := owes(t, s); got != "" {
			t.Errorf("got %q owed; want nothing, neither of what is made nor of what fails", got)
		}
		if n, err := s.Held(t.Context()); err != nil || n != 0 || inbox(s) != 0 {
			t.Errorf("got %d, %v, %d in the inbox; want nothing left to decide", n, err, inbox(s))
		}
		if err := s.Tx(t.Context(), (*store.Tx).LeaveHeld); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("again: got %v; want ErrNotFound", err)
		}
		need, err := s.NeedYou(t.Context(), store.Admin{Owner: true}, store.Filter{})
		if err != nil || need.People != 0 {
			t.Errorf("got %+v, %v; want nobody to be told by a retry of an admin", need, err)
		}
		// Everyone who asks gets it, whatever was decided.
		for _, user := range []int64{1, 3} {
			gets(t, s, user)
		}
		if _, err := q.Retry(t.Context(), text(t, s, `SELECT asset_id FROM requests WHERE user_id = 4`),
			retry.ButtonPressed{User: 4, Chat: 4}); err != nil {
			t.Error(err)
		}
		if got := owes(t, s); got != "ANNOUNCE 4, DELIVER 1, DELIVER 3, RENDER Сбой" {
			t.Errorf("got %q owed; want what was asked for", got)
		}
	})
	t.Run("nobody decides, and they ask", func(t *testing.T) {
		s := restored()
		ask(t, s, "Маша", 1)
		complete(t, s)
		if got, held := owes(t, s), heldOf(t, s); got != "DELIVER 1, RENDER Оля" || held != "2:1 3:1 4:1" {
			t.Errorf("got %q owed, %q held; want the video for the one who asked", got, held)
		}
	})
}

func TestADatabaseThatGoesOnWhereTheBackupEndsKnowsWhatWasSent(t *testing.T) {
	d := morning(t)
	s := d.backup()
	// The day goes on: 3 is served, 4 is told, 1 is served, 2 still waits, 5 has asked to be forgotten, 6 was answered and
	// 7 has written.
	mutate(t, d.Store, `UPDATE admins SET id = 9`)
	delivers(t, d.Store, store.Apologise, 1)
	delivers(t, d.Store, store.Deliver, 1)
	masha := text(t, d.Store, `SELECT id FROM jobs WHERE kind = 'RENDER' AND started IS NOT NULL`)
	write(t, d.Store, func(tx *store.Tx) error {
		orphans, err := tx.Orphans()
		if err != nil {
			return err
		}
		for _, j := range orphans {
			if fmt.Sprint(j.ID) == masha {
				return tx.FinishRender(j, store.Video{File: j.AssetID + ".mp4", Size: 1})
			}
		}
		return errors.New("nothing is being made")
	})
	delivers(t, d.Store, store.Deliver, 1)
	write(t, d.Store, func(tx *store.Tx) error {
		if _, err := tx.Forget(5); err != nil {
			return err
		}
		if err := tx.Handled(70); err != nil {
			return err
		}
		_, err := tx.Receive([]store.Update{{ID: 71, Chat: 7, Raw: `{"update_id":71}`}})
		return err
	})
	r, err := s.Recover(t.Context(), d.path)
	if err != nil {
		t.Fatal(err)
	}
	if r != (store.Recovered{Settled: 3, Forgotten: 1}) {
		t.Errorf("got %+v; want three answers settled, one person forgotten, nobody held", r)
	}
	if got, held := owes(t, s), heldOf(t, s); got != "ANNOUNCE 2, RENDER Маша, RENDER Оля" || held != "" {
		t.Errorf("got %q owed, %q held; want only the one who still waits", got, held)
	}
	if got := text(t, s, `SELECT group_concat(id) FROM admins`); got != "9" {
		t.Errorf("got the admins %s; want those of now", got)
	}
	updates, err := s.Inbox(t.Context())
	if err != nil || len(updates) != 1 || updates[0].ID != 71 {
		t.Errorf("got %+v, %v; want the update that was confirmed to Telegram and not handled", updates, err)
	}
	complete(t, s)
	complete(t, s)
	if got := owes(t, s); got != "DELIVER 2" {
		t.Errorf("got %q owed; want one video for the user who is waiting", got)
	}
}

func TestADatabaseOfAnotherPastKnowsNothing(t *testing.T) {
	d := morning(t)
	other := newDay(t) // such as one that was begun on the new machine
	other.wants(9, "Чужой")
	for name, path := range map[string]string{"of another past": other.path, "of no kind that is known": func() string {
		path := filepath.Join(t.TempDir(), "other.db")
		mutateOutside(t, path, `CREATE TABLE audit (id, at, action)`)
		return path
	}()} {
		r, err := d.backup().Recover(t.Context(), path)
		if err != nil || r != (store.Recovered{Held: 5, Admins: 1}) {
			t.Errorf("%s: got %+v, %v; want all held, and nobody forgotten", name, r, err)
		}
	}
	// One that knows the deeds and not the rest, as one of another version might.
	path := filepath.Join(t.TempDir(), "strange.db")
	if err := db.Snapshot(t.Context(), d.path, path); err != nil {
		t.Fatal(err)
	}
	mutateOutside(t, path, `ALTER TABLE requests RENAME COLUMN answer_id TO answer`)
	if r, err := d.backup().Recover(t.Context(), path); err != nil || r != (store.Recovered{Held: 5, Admins: 1}) {
		t.Errorf("of another version: got %+v, %v; want all held", r, err)
	}
}

func TestNothingIsPublishedTwiceBecauseOfARestore(t *testing.T) {
	d := newDay(t)
	soon, now := time.Now().Add(time.Hour).UnixMilli(), time.Now().UnixMilli()
	for name, c := range map[string]struct {
		columns, values string
		due             int64
		later           string // what became of it since
		want            string // status, step and job
	}{
		"waits": {"step", `''`, 0, "", "FAILED unknown 0"},
		"has begun": {"step, session_uri, session_at", fmt.Sprintf(`'uploading', 'https://x', %d`, now), 0, "",
			"PENDING uploading 1"},
		"has begun long ago": {"step, session_uri, session_at",
			fmt.Sprintf(`'uploading', 'https://x', %d`, now-8*24*3600_000), 0, "", "FAILED unknown 0"},
		"is there": {"status, started, step, remote_id", `'PROCESSING', 1, 'processing', 'V1'`, 0, "",
			"PROCESSING processing 1"},
		"is scheduled":        {"step, publish_at", fmt.Sprintf(`'scheduled', %d`, soon), soon, "", "PENDING scheduled 1"},
		"waits for the quota": {"step", `'quota'`, soon, "", "PENDING quota 1"},
		"was published": {"step", `''`, 0, `status = 'COMPLETED', started = 1, completed = 2, remote_id ` +
			`= 'V2'`, "COMPLETED  0"},
		"still waits":     {"step", `''`, 0, `step = 'quota'`, "PENDING  1"},
		"was begun since": {"step", `''`, 0, `session_uri = 'https://y', session_at = 1`, "FAILED unknown 0"},
	} {
		t.Run(name, func(t *testing.T) {
			d := d
			d.t = t
			mutate(t, d.Store, `DELETE FROM assets`)
			a := d.wants(1, "Маша")
			complete(t, d.Store)
			mutate(t, d.Store, `DELETE FROM jobs`)
			mutate(
				t,
				d.Store,
				`INSERT INTO publications (asset_id, platform, creator, created, `+c.columns+`) VALUES (?, 'YOUTUBE', 8, 0, `+
					c.values+`)`,
				a.ID,
			)
			mutate(
				t,
				d.Store,
				`INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, created)
					SELECT 'PUBLISH', asset_id, id, 8, 1, ?, 0 FROM publications`,
				c.due,
			)
			s, before := d.backup(), ""
			if c.later != "" {
				before = d.path
				mutate(t, d.Store, `UPDATE publications SET `+c.later)
			}
			r, err := s.Recover(t.Context(), before)
			if err != nil {
				t.Fatal(err)
			}
			got := text(t, s, `SELECT status || ' ' || step || ' ' || (SELECT count(*) FROM jobs) FROM publications`)
			if got != c.want || (r.Unclear == 1) != strings.Contains(c.want, "unknown") {
				t.Errorf("got %s, %+v; want %s", got, r, c.want)
			}
		})
	}
}

// TestWhatIsHeldIsPurgedByNobody: a backup may be older than anything is kept.
func TestWhatIsHeldIsPurgedByNobody(t *testing.T) {
	s := morning(t).backup()
	if _, err := s.Recover(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	want, people := heldOf(t, s), 0
	setNow(s, func() time.Time { return time.Now().Add(400 * day) })
	purge(t, s, keeps)
	people, err := s.Held(t.Context())
	if got := heldOf(t, s); err != nil || got != want || people != 5 {
		t.Errorf("got %s, %d people, %v; want %s, and all five", got, people, err, want)
	}
	write(t, s, (*store.Tx).LeaveHeld)
	purge(t, s, keeps)
	if n := count(t, s, `SELECT (SELECT count(*) FROM requests WHERE status = 'FAILED') + (SELECT count(*) FROM inbox
		WHERE raw IS NOT NULL)`); n != 0 {
		t.Errorf("got %d rows of what was decided; want them purged", n)
	}
}

func TestADigestTellsNothingOfBeforeARestore(t *testing.T) {
	d := morning(t) // on which a video was given up
	mutate(t, d.Store, `INSERT INTO alerts (admin, cause, at) VALUES (8, 'failed', 1), (8, 'disk', 1)`)
	s := d.backup()
	if _, err := s.Recover(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	told, err := s.Alerts(t.Context(), 8)
	if err != nil {
		t.Fatal(err)
	}
	news, err := s.Attention(t.Context(), store.Admin{Owner: true}, watch.Since(watch.Told(told["failed"]), s.Now()))
	if failed := news[store.NeedsRetry]; err != nil || failed.N != 0 || len(told) != 1 {
		t.Errorf("got %+v, %v, told %v; want no earlier failure, and all else told again", news, err, told)
	}
}
