// Tests of messages that are pending for a crowd: many users waiting for one video.

package store_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

// crowded is a store in which all of 1 to 40 are owed a message about a video.
func crowded(t *testing.T, s *store.Store, kind store.Kind) (a store.Asset) {
	t.Helper()
	var people []int64
	for user := range int64(40) {
		people = append(people, user+1)
	}
	a = ask(t, s, "Маша", people...)
	if kind == store.Deliver {
		complete(t, s)
	} else {
		failForGood(t, newRetries(s))
	}
	if n := count(t, s, `SELECT count(*) FROM jobs`); n != 1 {
		t.Fatalf("got %d rows; want one for everybody", n)
	}
	return a
}

// sends ends a message job.
func sends(t *testing.T, s *store.Store, task store.Task) {
	t.Helper()
	write(t, s, func(tx *store.Tx) error {
		if task.Kind == store.Deliver && task.Sent == 0 {
			if err := tx.VideoArrived(task.Job, 12, "file-id"); err != nil {
				return err
			}
		}
		_, err := tx.FinishMessage(&task, 12)
		return err
	})
}

// sendAll sends all that is owed of a kind and counts what each user gets.
func sendAll(t *testing.T, s *store.Store, kind store.Kind) map[int64]int {
	t.Helper()
	all := map[int64]int{}
	for {
		tasks := beginAll(t, s, kind, 16)
		if len(tasks) == 0 {
			break
		}
		for _, task := range tasks {
			all[task.To.User]++
			sends(t, s, task)
		}
	}
	if n := count(t, s, `SELECT count(*) FROM jobs`); n != 0 {
		t.Errorf("got %d jobs; want none left", n)
	}
	return all
}

// eachOnce wants users from … to … to have got one message, and nobody else any.
func eachOnce(t *testing.T, got map[int64]int, from, to int64, but ...int64) {
	t.Helper()
	want := map[int64]int{}
	for user := from; user <= to; user++ {
		if !slices.Contains(but, user) {
			want[user] = 1
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v; want one message for each of %d to %d but %v", got, from, to, but)
	}
}

func TestEachOfACrowdIsToldOnce(t *testing.T) {
	for _, kind := range []store.Kind{store.Deliver, store.Apologise} {
		t.Run(string(kind), func(t *testing.T) {
			s := newStore(t)
			a := crowded(t, s, kind)
			if c, err := s.Census(t.Context()); err != nil || len(c.Jobs) != 1 || c.Jobs[0].N != 40 ||
				c.Jobs[0].State != "waiting" {
				t.Errorf("got %+v, %v; want 40 that wait", c.Jobs, err)
			}
			if l, err := s.Card(t.Context(), a.ID); err != nil || l.Untold != 0 {
				t.Errorf("got %d, %v; want nobody whom nobody will tell", l.Untold, err)
			}
			if yes, err := s.Awaited(t.Context(), 40); err != nil || yes != (kind == store.Deliver) {
				t.Errorf("got %v, %v; want somebody of the crowd to wait for the video", yes, err)
			}
			if err := s.Tx(t.Context(), func(tx *store.Tx) error { return tx.Delete(a.ID) }); !errors.Is(err, store.Busy(kind)) {
				t.Errorf("got %v; want the video kept for the crowd", err)
			}
			setNow(s, func() time.Time { return time.Now().Add(100 * day) })
			purge(t, s, keeps)
			tasks := beginAll(t, s, kind, 16)
			want := 16
			if kind == store.Deliver { // whose file_id the others need
				want = 1
			}
			if len(tasks) != want {
				t.Errorf("got %d jobs; want %d", len(tasks), want)
			}
			var x store.Export
			write(t, s, func(tx *store.Tx) (err error) { x, err = tx.Export(40, false); return err })
			if len(x.Videos) != 1 || len(x.Videos[0].Owed) != 1 || x.Videos[0].Owed[0].Kind != kind {
				t.Errorf("got %+v; want what is pending for one of the crowd", x.Videos)
			}
			got := map[int64]int{}
			for _, task := range tasks {
				got[task.To.User]++
				sends(t, s, task)
			}
			for user, n := range sendAll(t, s, kind) {
				got[user] += n
			}
			eachOnce(t, got, 1, 40)
		})
	}
}

func TestWhoLeavesACrowdIsToldNothingAndWhoAsksAgainIsToldOnce(t *testing.T) {
	s := newStore(t)
	crowded(t, s, store.Deliver)
	write(t, s, func(tx *store.Tx) error { _, err := tx.Forget(20); return err })
	gets(t, s, 30)
	gets(t, s, 31)
	sends(t, s, begin(t, s, store.Deliver)) // the first of the crowd, who uploads
	eachOnce(t, sendAll(t, s, store.Deliver), 2, 40, 20)
}

func TestARestoredCrowdIsHeld(t *testing.T) {
	for _, kind := range []store.Kind{store.Deliver, store.Apologise} {
		t.Run(string(kind), func(t *testing.T) {
			d := newDay(t)
			crowded(t, d.Store, kind)
			sends(t, d.Store, begin(t, d.Store, kind))
			restored := func() *store.Store {
				s := d.backup()
				if r, err := s.Recover(t.Context(), ""); err != nil || r.Held != 39 {
					t.Fatalf("got %+v, %v; want 39 people held", r, err)
				}
				return s
			}
			s := restored()
			eachOnce(t, sendAll(t, s, kind), 1, 0)
			write(t, s, func(tx *store.Tx) error { _, err := tx.SendHeld(); return err })
			eachOnce(t, sendAll(t, s, kind), 2, 40)

			s = restored()
			write(t, s, func(tx *store.Tx) error { _, err := tx.SendHeld(); return err })
			eachOnce(t, sendAll(t, s, kind), 2, 40)

			s = restored()
			write(t, s, (*store.Tx).LeaveHeld)
			eachOnce(t, sendAll(t, s, kind), 1, 0)

			// A database that goes on where the backup ends knows who has been told since.
			write(t, d.Store, func(tx *store.Tx) error { return tx.Note(store.Event{User: 1, Action: "ask"}) })
			s = d.backup()
			for range 9 {
				sends(t, d.Store, begin(t, d.Store, kind))
			}
			if r, err := s.Recover(t.Context(), d.path); err != nil || r.Held != 0 || r.Settled != 9 {
				t.Errorf("got %+v, %v; want nine settled and nobody held", r, err)
			}
			eachOnce(t, sendAll(t, s, kind), 11, 40)
		})
	}
}

func TestWhoIsInACrowdIsAskedWithoutReadingTheQueue(t *testing.T) {
	s := newStore(t)
	rows, err := readDB(
		t,
		s,
	).Query(`EXPLAIN QUERY PLAN SELECT id FROM requests r WHERE user_id = 1 AND EXISTS (SELECT 1 FROM fan_outs c WHERE ` +
		`c.request_id = r.id)`)
	plan, err := collect(rows, err, func(line *string) error {
		var id, parent, unused int
		return rows.Scan(&id, &parent, &unused, line)
	})
	if err != nil || !slices.Contains(plan, "SEARCH c USING INDEX jobs_one_render (asset_id=?)") ||
		strings.Contains(strings.Join(plan, "\n"), "SCAN") {
		t.Errorf("got %v, %q; want the crowd found by its video", err, plan)
	}
}
