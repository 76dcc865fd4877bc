// Tests of announcements in the database: who agrees, what is kept, and what goes.

package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

// agrees makes people who have answered the question about announcements.
func agrees(t *testing.T, s *store.Store, answer store.Answer, users ...int64) {
	t.Helper()
	for _, u := range users {
		write(t, s, func(tx *store.Tx) error {
			if _, err := tx.UpsertUser(u, "ru"); err != nil {
				return err
			}
			return tx.SetConsent(u, answer)
		})
	}
}

// starts starts an announcement for all who have agreed.
func starts(t *testing.T, s *store.Store, id int64, seen time.Time) error {
	t.Helper()
	c, err := s.Consents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Tx(t.Context(), func(tx *store.Tx) error { return tx.StartAnnouncement(id, seen, c.Agreed, 8) })
}

// announces saves and starts an announcement.
func announces(t *testing.T, s *store.Store, text string) store.Announcement {
	t.Helper()
	var id int64
	write(t, s, func(tx *store.Tx) (err error) {
		id, err = tx.SaveAnnouncement(0, map[string]string{"": text, "en": "In English"}, time.Time{}, 8)
		return err
	})
	if err := starts(t, s, id, time.Time{}); err != nil {
		t.Fatal(err)
	}
	return announcement(t, s, id)
}

func announcement(t *testing.T, s *store.Store, id int64) store.Announcement {
	t.Helper()
	a, err := s.Announcement(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// copies sends so many copies; -1: all that are left.
func copies(t *testing.T, s *store.Store, id int64, n int, outcome, code string) (to []int64) {
	t.Helper()
	for ; n != 0; n-- {
		c, again, err := s.NextCopy(t.Context(), announcement(t, s, id))
		if errors.Is(err, store.ErrNotFound) && again.IsZero() {
			return to
		} else if err != nil {
			t.Fatal(err)
		}
		to = append(to, c.User)
		write(t, s, func(tx *store.Tx) error { return tx.KeepCopy(c, outcome, code, tx.Now(), false) })
	}
	return to
}

func TestAnnouncement_EachStepIsRefusedUnlessItFits(t *testing.T) {
	s := newStore(t)
	agrees(t, s, store.Agreed, 1, 2)
	steps := map[string]func(tx *store.Tx, id int64) error{
		"save": func(tx *store.Tx, id int64) error {
			_, err := tx.SaveAnnouncement(id, map[string]string{"": "x"}, time.Time{}, 8)
			return err
		},
		"start":    func(tx *store.Tx, id int64) error { return tx.StartAnnouncement(id, time.Time{}, 2, 8) },
		"pause":    func(tx *store.Tx, id int64) error { return tx.PauseAnnouncement(id, 8) },
		"continue": func(tx *store.Tx, id int64) error { return tx.ContinueAnnouncement(id, 8) },
		"repeat":   func(tx *store.Tx, id int64) error { return tx.RepeatAnnouncement(id, 8) },
		"delete": func(tx *store.Tx, id int64) error {
			_, err := tx.DeleteAnnouncement(id, 8)
			return err
		},
	}
	fits := map[store.AnnouncementStatus]string{store.Draft: "save start delete", store.Sending: "pause",
		store.Halted: "continue delete", store.Done: "repeat delete"}
	for status, able := range fits {
		for name, step := range steps {
			var id int64
			write(t, s, func(tx *store.Tx) (err error) {
				id, err = tx.SaveAnnouncement(0, map[string]string{"": "x"}, time.Time{}, 8)
				return err
			})
			if status != store.Draft {
				if err := starts(t, s, id, time.Time{}); err != nil {
					t.Fatal(err)
				}
			}
			switch status {
			case store.Halted:
				write(t, s, func(tx *store.Tx) error { return tx.HaltAnnouncement(id, "telegram_refused") })
			case store.Done:
				copies(t, s, id, -1, store.CopyFailed, "telegram_refused")
				write(t, s, func(tx *store.Tx) error { return tx.FinishAnnouncement(id) })
			}
			var want error
			if !strings.Contains(able, name) {
				want = store.ErrConflict
			}
			if err := s.Tx(t.Context(), func(tx *store.Tx) error { return step(tx, id) }); !errors.Is(err, want) {
				t.Errorf("%s of one that is %s: got %v; want %v", name, status, err, want)
			}
			mutate(t, s, `DELETE FROM announcements`)
		}
	}
}

func TestAnnouncement_OneAtATimeAndOnlyWhatWasSeenIsStarted(t *testing.T) {
	s := newStore(t)
	agrees(t, s, store.Agreed, 1)
	first := announces(t, s, "one")
	var id int64
	write(t, s, func(tx *store.Tx) (err error) {
		id, err = tx.SaveAnnouncement(0, map[string]string{"": "two"}, time.Time{}, 8)
		return err
	})
	seen := announcement(t, s, id).Changed
	start := func() error { return starts(t, s, id, seen) }
	if err := start(); !errors.Is(err, store.ErrAnnouncing) {
		t.Errorf("got %v; want ErrAnnouncing", err)
	}
	write(t, s, func(tx *store.Tx) error { return tx.PauseAnnouncement(first.ID, 8) })
	write(t, s, func(tx *store.Tx) error {
		_, err := tx.SaveAnnouncement(id, map[string]string{"": "three"}, time.Time{}, 9)
		return err
	})
	if err := start(); !errors.Is(err, store.ErrConflict) {
		t.Errorf("got %v; want ErrConflict: somebody has changed the text", err)
	}
	seen = announcement(t, s, id).Changed
	if err := start(); err != nil {
		t.Error(err)
	}
	if n := count(t, s, `SELECT count(*) FROM audit WHERE action LIKE 'announcement %' AND admin IN (8, 9)`); n != 6 {
		t.Errorf("got %d deeds; want each step noted", n)
	}
}

func TestAnnouncement_WhoAgreesAfterTheStartWaitsForTheNext(t *testing.T) {
	s := newStore(t)
	now := time.Now()
	setNow(s, func() time.Time { return now })
	agrees(t, s, store.Agreed, 2, 4)
	a := announces(t, s, "x")
	now = now.Add(time.Second)
	agrees(t, s, store.Agreed, 1, 3, 5)
	agrees(t, s, store.Agreed, 4) // says it again
	if to := copies(t, s, a.ID, -1, store.CopyDelivered, ""); fmt.Sprint(to) != "[2 4]" || a.People != 2 {
		t.Errorf("got %v of %d; want the two who had agreed", to, a.People)
	}
}

func TestConsent_EndsWithABlock(t *testing.T) {
	s := newStore(t)
	agrees(t, s, store.Agreed, 1)
	agrees(t, s, store.Declined, 2)
	for _, u := range []int64{1, 2} {
		write(t, s, func(tx *store.Tx) error { return tx.SetReachable(u, false) })
		write(t, s, func(tx *store.Tx) error { _, err := tx.Return(u); return err })
	}
	c, err := s.Consents(t.Context())
	if want := (store.Consents{Declined: 1, Ended: 1}); err != nil || c != want {
		t.Errorf("got %+v, %v; want %+v", c, err, want)
	}
	for _, u := range []int64{1, 2} {
		write(t, s, func(tx *store.Tx) error {
			if yes, err := tx.AskConsent(u); yes || err != nil {
				t.Errorf("%d: got %v, %v; want nobody asked twice", u, yes, err)
			}
			return nil
		})
	}
}

func TestForget_LeavesNoTraceOfAnnouncements(t *testing.T) {
	s := newStore(t)
	agrees(t, s, store.Agreed, 111000111, 222000222)
	a := announces(t, s, "x")
	copies(t, s, a.ID, -1, store.CopyDelivered, "")
	write(t, s, func(tx *store.Tx) error { _, err := tx.Forget(222000222); return err })
	for _, column := range []string{"consents.user_id", "announced.user_id", "announcements.reached"} {
		table, _, _ := strings.Cut(column, ".")
		if n := count(t, s, `SELECT count(*) FROM `+table+` WHERE `+column+` = 222000222`); n != 0 {
			t.Errorf("%s: got %d rows of the person; want none", column, n)
		}
	}
	if got := announcement(t, s, a.ID); got.Delivered != 2 {
		t.Errorf("got %+v; want the numbers kept", got)
	}
	if to := copies(t, s, a.ID, -1, store.CopyDelivered, ""); len(to) > 0 {
		t.Errorf("got %v; want nobody to get it twice", to)
	}
}

func TestExport_HasTheConsentAndTheAnnouncements(t *testing.T) {
	s := newStore(t)
	agrees(t, s, store.Agreed, 1, 2)
	mutate(t, s, `UPDATE users SET lang = 'en' WHERE id = 2`)
	a := announces(t, s, "По-русски")
	copies(t, s, a.ID, -1, store.CopyDelivered, "")
	for user, want := range map[int64]string{1: "По-русски", 2: "In English"} {
		var x store.Export
		write(t, s, func(tx *store.Tx) (err error) { x, err = tx.Export(user, false); return err })
		if len(x.News) != 1 || x.News[0].Answer != store.Agreed || x.News[0].Answered.IsZero() || len(x.Copies) != 1 ||
			x.Copies[0].Outcome != store.CopyDelivered || x.Copies[0].Text != want {
			b, _ := json.Marshal(x)
			t.Errorf("%d: got %s; want the consent, and the announcement %q", user, b, want)
		}
	}
	var x store.Export
	write(t, s, func(tx *store.Tx) (err error) { x, err = tx.Export(8, true); return err })
	if len(x.Admin.Wrote) != 1 {
		t.Errorf("got %+v; want what the owner wrote", x.Admin)
	}
}

func TestPurge_LeavesTheNumbersOfAnAnnouncementAndSendsItToNobodyAgain(t *testing.T) {
	s := newStore(t)
	now := time.Now()
	setNow(s, func() time.Time { return now })
	agrees(t, s, store.Agreed, 1, 2, 3)
	done := announces(t, s, "x")
	copies(t, s, done.ID, 2, store.CopyDelivered, "")
	copies(t, s, done.ID, -1, store.CopyFailed, "telegram_refused")
	write(t, s, func(tx *store.Tx) error { return tx.FinishAnnouncement(done.ID) })
	under := announces(t, s, "y")
	copies(t, s, under.ID, 2, store.CopyDelivered, "")
	now = now.Add(200 * 24 * time.Hour)
	for n := 1; n > 0; {
		write(t, s, func(tx *store.Tx) (err error) { _, n, err = tx.Purge(keeps); return err })
	}
	if rows := text(t, s, `SELECT group_concat(announcement_id) FROM announced`); rows != fmt.Sprintf("%d,%d", under.ID,
		under.ID) {
		t.Errorf("got rows of %s; want those of the one under way alone", rows)
	}
	a := announcement(t, s, done.ID)
	if a.People != 3 || a.Delivered != 2 || a.Failed != 1 {
		t.Errorf("got %+v; want the numbers kept", a)
	}
	write(t, s, func(tx *store.Tx) error { return tx.PauseAnnouncement(under.ID, 8) })
	if err := s.Tx(t.Context(), func(tx *store.Tx) error { return tx.RepeatAnnouncement(done.ID, 8) }); !errors.Is(err,
		store.ErrConflict) {
		t.Errorf("got %v; want nothing repeated of which nobody knows to whom", err)
	}
	if to := copies(t, s, under.ID, -1, store.CopyDelivered, ""); fmt.Sprint(to) != "[3]" {
		t.Errorf("got %v; want the one who has not had it", to)
	}
}

func TestRestore_KnowsWhoEndedAnnouncementsSince(t *testing.T) {
	d := newDay(t)
	for user := int64(1); user <= 5; user++ {
		d.wants(user, fmt.Sprint("Имя", user))
	}
	agrees(t, d.Store, store.Agreed, 1, 2, 3, 4)
	a := announces(t, d.Store, "x")
	copies(t, d.Store, a.ID, 1, store.CopyDelivered, "")
	alone, known := d.backup(), d.backup()
	copies(t, d.Store, a.ID, 1, store.CopyDelivered, "")
	agrees(t, d.Store, store.Declined, 3)
	agrees(t, d.Store, store.Agreed, 5)
	if _, err := known.Recover(t.Context(), d.path); err != nil {
		t.Fatal(err)
	}
	if _, err := alone.Recover(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	for s, want := range map[*store.Store]string{known: "[4]", alone: "[2 3 4]"} {
		got := announcement(t, s, a.ID)
		if got.Status != store.Halted || got.Trouble != store.Restored {
			t.Errorf("got %+v; want it paused until an owner decides", got)
		}
		write(t, s, func(tx *store.Tx) error { return tx.ContinueAnnouncement(a.ID, 8) })
		if to := copies(t, s, a.ID, -1, store.CopyDelivered, ""); fmt.Sprint(to) != want {
			t.Errorf("got %v; want %s", to, want)
		}
	}
	if n := count(t, known, `SELECT count(*) FROM consents WHERE answer = 'agreed' AND user_id = 5`); n != 1 {
		t.Errorf("got %d; want who has agreed since", n)
	}
}

func TestCopy_ThatGetsThroughBringsWhatCouldNotBeDelivered(t *testing.T) {
	s := newStore(t)
	ask(t, s, "Маша", 1)
	complete(t, s)
	job := begin(t, s, store.Deliver)
	write(t, s, func(tx *store.Tx) error { return tx.GiveUp(job.Job, "refused", "") })
	agrees(t, s, store.Agreed, 1)
	mutate(t, s, `UPDATE requests SET undelivered = 1`)
	a := announces(t, s, "x")
	copies(t, s, a.ID, -1, store.CopyDelivered, "")
	if n := count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'DELIVER'`); n != 1 {
		t.Errorf("got %d deliveries; want the video sent again", n)
	}
}

// A million copies in one transaction hold up everybody who writes or presses for seconds.
func TestDeleteAnnouncement_TheCopiesOfACrowdGoInPortions(t *testing.T) {
	const people = 2500
	s := newStore(t)
	agrees(t, s, store.Agreed, 1)
	other, a := announces(t, s, "other"), store.Announcement{}
	copies(t, s, other.ID, 1, store.CopyDelivered, "")
	write(t, s, func(tx *store.Tx) error { return tx.FinishAnnouncement(other.ID) })
	a = announces(t, s, "x")
	const crowd = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) `
	mutate(t, s, crowd+`INSERT INTO users (id, lang, created) SELECT 1000 + i, 'ru', 1 FROM n`, people)
	mutate(t, s, crowd+`INSERT INTO announced (announcement_id, user_id, outcome, at)
		SELECT ?2, 1000 + i, 'delivered', 1 FROM n`, people, a.ID)
	write(t, s, func(tx *store.Tx) error { return tx.HaltAnnouncement(a.ID, "telegram_refused") })
	left := func() int { return count(t, s, `SELECT count(*) FROM announced WHERE announcement_id = ?`, a.ID) }
	for before, more := people, true; more; before = left() {
		write(t, s, func(tx *store.Tx) (err error) { more, err = tx.DeleteAnnouncement(a.ID, 8); return err })
		if gone := before - left(); gone > 1000 {
			t.Errorf("got %d copies deleted in one transaction; want 1000 at the most", gone)
		}
		if !more {
			continue
		}
		err := s.Tx(t.Context(), func(tx *store.Tx) error { return tx.ContinueAnnouncement(a.ID, 8) })
		if !errors.Is(err, store.ErrConflict) {
			t.Fatalf("got %v; want that it goes on to nobody, who may have had it", err)
		}
	}
	if _, err := s.Announcement(t.Context(), a.ID); !errors.Is(err, store.ErrNotFound) || left() != 0 {
		t.Errorf("got %v with %d copies; want nothing of it", err, left())
	}
	if n := count(t, s, `SELECT count(*) FROM announced`); n != 1 {
		t.Errorf("got %d copies of the other one; want one", n)
	}
	if n := count(t, s, `SELECT count(*) FROM audit WHERE action = 'announcement delete'`); n != 1 {
		t.Errorf("got %d lines in the activity list; want one", n)
	}
}
