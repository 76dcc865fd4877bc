// Tests of a clock that is wrong for a minute, and right before and after.

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retake.example/internal/db/dbtest"
)

// clocked opens a database whose clock is *now.
func clocked(t *testing.T, now *time.Time) *Store {
	t.Helper()
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(filepath.Join(t.TempDir(), "retake.db"), Options{Schema: string(schema),
		Now: dbtest.Clock(func() time.Time { return *now })})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// minute is all that happens in a minute of a test. Its number n makes it different from others.
type minute struct {
	link, session [32]byte
	draft         string
	waits         Job // an upload that asked to wait for ten minutes
}

func live(t *testing.T, s *Store, n int64) (m minute) {
	t.Helper()
	user, name := n, fmt.Sprint("name ", n)
	m.link, m.session = [32]byte{1, byte(n)}, [32]byte{2, byte(n)}
	do(t, s, func(tx *Tx) (err error) {
		if _, err = tx.Receive([]Update{{ID: 10 * n, Chat: n, Raw: "x"}, {ID: 10*n + 1, Chat: n, Raw: "x"}}); err != nil {
			return err
		}
		if err := tx.Handled(10 * n); err != nil {
			return err
		}
		a := asks(t, tx, user, name)
		if err := tx.Note(Event{User: user, Action: "ask", AssetID: a.ID}); err != nil {
			return err
		}
		if m.draft, err = tx.SaveDraft(user, name); err != nil {
			return err
		}
		other := [32]byte{3, byte(n)}
		if err := errors.Join(tx.SaveLink(other, 8, tx.Now().Add(LinkLife)), tx.SaveLink(m.link, 8, tx.Now().Add(LinkLife))); err != nil {
			return err
		}
		_, err = tx.SpendLink(other, m.session)
		return err
	})
	for _, task := range claims(t, s, Render, 1) {
		do(t, s, func(tx *Tx) error {
			if n%2 == 0 {
				return tx.GiveUp(task.Job, "broken", "")
			}
			return tx.FinishRender(task.Job, Video{File: task.AssetID})
		})
	}
	do(t, s, func(tx *Tx) error {
		a := asks(t, tx, user, name+" again")
		if err := tx.sql.Get(`SELECT id FROM jobs WHERE asset_id = ? AND kind = 'RENDER'`, []any{a.ID}, &m.waits.ID); err != nil {
			return err
		}
		return nil
	})
	for _, task := range claims(t, s, Render, 1) {
		do(t, s, func(tx *Tx) error { return tx.Defer(task.Job, tx.Now().Add(10*time.Minute), "away") })
	}
	return m
}

// rows counts the rows of the tables that hold what people sent or did.
func rowsOf(t *testing.T, s *Store) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, table := range []string{"users", "assets", "requests", "jobs", "attempts", "inbox", "audit", "drafts"} {
		var n int
		if err := s.db.Read().QueryRow(`SELECT count(*) FROM ` + table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		all[table] = n
	}
	return all
}

func TestClock_AMinuteThatIsWrongLosesKeepsAndLocksNothing(t *testing.T) {
	keep := Keep{Inbox: 30 * 24 * time.Hour, Videos: 30 * 24 * time.Hour, History: 30 * 24 * time.Hour, People: 300 * 24 * time.Hour}
	for name, wrong := range map[string]time.Duration{
		"ten years ahead": 87_660 * time.Hour, "two days ahead": 48 * time.Hour, "an hour ahead": time.Hour, "an hour back": -time.Hour,
		"five days back": -5 * 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			right := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
			now := right
			s := clocked(t, &now)
			first := live(t, s, 1)
			now = right.Add(time.Minute + wrong)
			during := live(t, s, 2)
			now = right.Add(2 * time.Minute)
			do(t, s, (*Tx).CapWaits) // as the program does when it sees the clock jump
			last := live(t, s, 3)

			if offset, err := s.Offset(t.Context()); offset != 32 || err != nil {
				t.Errorf("got offset %d, %v; want the one after the update that came last", offset, err)
			}
			if updates, err := s.Inbox(t.Context()); len(updates) != 3 || err != nil {
				t.Errorf("got %v, %v; want the three updates that wait", updates, err)
			}
			for user := range int64(3) {
				err := s.Allow(t.Context(), user+1, Limits{Open: 9, Hour: 2, Day: 2, All: 4})
				if err != nil {
					t.Errorf("user %d: got %v; want them to ask for more", user+1, err)
				}
			}
			var refused Refused
			if err := s.Allow(t.Context(), 3, Limits{Hour: 1}); !errors.As(err, &refused) || refused.Until.After(now.Add(time.Hour)) {
				t.Errorf("got %v until %v; want it refused for an hour", err, refused.Until)
			}
			for _, m := range []minute{first, last} {
				if _, _, err := s.Session(t.Context(), m.session); err != nil {
					t.Errorf("got %v; want the session of a right minute to last", err)
				}
				if yes, err := s.LinkIsGood(t.Context(), m.link); !yes || err != nil {
					t.Errorf("got %v, %v; want the link of a right minute to work", yes, err)
				}
			}
			if due, err := s.NextDue(t.Context(), now); err != nil || due.IsZero() || due.After(now.Add(time.Hour)) {
				t.Errorf("got %v, %v; want what waits for ten minutes due soon", due, err)
			}
			before := rowsOf(t, s)
			for range 50 {
				do(t, s, func(tx *Tx) error { _, _, err := tx.Purge(keep); return err })
			}
			if after := rowsOf(t, s); fmt.Sprint(before) != fmt.Sprint(after) {
				t.Errorf("got %v after a purge; want %v", after, before)
			}
			do(t, s, func(tx *Tx) error {
				_, err := tx.TakeDraft(2, during.draft)
				return err
			})

			// A day later what was made then does not open anything.
			now = right.Add(25 * time.Hour)
			if yes, err := s.LinkIsGood(t.Context(), during.link); yes || err != nil {
				t.Errorf("got %v, %v; want the link of the wrong minute over", yes, err)
			}
			if at, err := Latest(t.Context(), s.Path(), now); err != nil || at.After(now) {
				t.Errorf("got %v, %v; want nothing later than now", at, err)
			}
			for kind, n := range map[Kind]int{Render: 3} { // all that waits begins
				if tasks := claims(t, s, kind, 9); len(tasks) != n {
					t.Errorf("got %d of %s; want %d", len(tasks), kind, n)
				}
			}

			// And when all is too old, all goes that is purged in the order of its arrival.
			now = right.Add(400 * 24 * time.Hour)
			for range 50 {
				do(t, s, func(tx *Tx) error { _, _, err := tx.Purge(keep); return err })
			}
			after := rowsOf(t, s)
			if after["drafts"] != 0 || after["attempts"] != 0 {
				t.Errorf("got %v; want neither drafts nor attempts kept", after)
			}
			if s.session(t, during.session) {
				t.Error("got a session of the wrong minute; want it over")
			}
		})
	}
}

// session reports whether a session lasts.
func (s *Store) session(t *testing.T, hash [32]byte) bool {
	_, _, err := s.Session(t.Context(), hash)
	return err == nil
}

func TestClock_WhatIsDeletedInAMinuteThatIsWrongGoesADayLater(t *testing.T) {
	right := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
	for name, wrong := range map[string]time.Duration{"ten years ahead": 87_660 * time.Hour,
		"five days back": -5 * 24 * time.Hour} {
		now := right
		s := clocked(t, &now)
		bins := func(id string) {
			do(t, s, func(tx *Tx) error {
				_, err := tx.sql.Exec(`INSERT INTO bin (id, at, admin, name, content) VALUES (?, ?, 8, 'Эва', '{}')`, id, tx.now)
				return err
			})
		}
		left := func(after time.Duration) string {
			now = right.Add(after)
			for range 5 {
				do(t, s, func(tx *Tx) error { _, _, err := tx.Purge(Keep{}); return err })
			}
			ids, err := s.texts(t.Context(), `SELECT id FROM bin ORDER BY id`)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(ids, " ")
		}
		bins("a")
		now = right.Add(time.Minute + wrong)
		bins("b")
		now = right.Add(2 * time.Minute)
		bins("c")
		if got := left(3 * time.Minute); got != "a b c" {
			t.Errorf("%s: got %q; want all of them to be restored for a day", name, got)
		}
		if got := left(25 * time.Hour); got != "" {
			t.Errorf("%s: got %q a day later; want nothing", name, got)
		}
	}
}
