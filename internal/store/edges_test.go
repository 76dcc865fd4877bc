// Tests of what a statement leaves alone: the other half of its condition.

package store

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// makes finishes all renders that wait.
func makes(t *testing.T, s *Store) {
	t.Helper()
	for _, task := range claims(t, s, Render, 100) {
		do(t, s, func(tx *Tx) error {
			return tx.FinishRender(task.Job, Video{File: task.AssetID + ".mp4", Thumb: task.AssetID + ".jpg", Size: 9})
		})
	}
}

// number is what a query counts.
func number(t *testing.T, s *Store, query string, args ...any) (n int) {
	t.Helper()
	if err := s.db.Read().QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMakeAgain_ALostVideoIsNotItsOwnNextTry(t *testing.T) {
	s := fresh(t)
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
	makes(t, s)
	task := claims(t, s, Deliver, 1)[0]
	do(t, s, func(tx *Tx) error { return tx.MakeAgain(task.Job) })
	if again := claims(t, s, Render, 9); len(again) != 1 || again[0].AssetID == task.AssetID {
		t.Errorf("got %+v; want another video made", again)
	}
	if n := number(t, s, `SELECT count(*) FROM requests WHERE asset_id <> ?`, task.AssetID); n != 1 {
		t.Errorf("got %d requests for it; want that of its person", n)
	}
}

func TestPreviewRetry_AVideoThatShouldGoIsNotReady(t *testing.T) {
	s := fresh(t)
	var failed Asset
	do(t, s, func(tx *Tx) error { failed = asks(t, tx, 1, "name"); return nil })
	fails(t, s)
	do(t, s, func(tx *Tx) error { asks(t, tx, 2, "name"); return nil })
	makes(t, s)
	press := func(want Press) {
		t.Helper()
		if got, err := s.PreviewRetry(t.Context(), 1, failed.ID); got != want || err != nil {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
	press(PressReady)
	do(t, s, func(tx *Tx) error { // it may be on a platform, so it stays for the admins alone
		var id string
		if err := tx.sql.Get(`SELECT id FROM assets WHERE status = 'COMPLETED'`, nil, &id); err != nil {
			return err
		}
		return tx.Publish(id, Publication{Platform: "RUMBLE", Creator: 8})
	})
	task := claims(t, s, Publish, 1)[0]
	do(t, s, func(tx *Tx) error { return tx.KeepUpload(task.Job, Upload{Step: "processing", Sent: 9, ID: "v1"}) })
	do(t, s, func(tx *Tx) error { _, err := tx.Forget(2); return err })
	press(PressNew)
}

func TestUnneeded_TheFilesOfAVideoThatIsBeingKeptStay(t *testing.T) {
	s := fresh(t)
	var a Asset
	do(t, s, func(tx *Tx) error { a = asks(t, tx, 1, "name"); return nil })
	film, picture, other := a.ID+".mp4", a.ID+".jpg", a.ID+".old"
	unneeded := func(want ...string) {
		t.Helper()
		got, err := s.Unneeded(t.Context(), []string{film, picture, other})
		if err != nil || len(got) != len(want) || len(want) == 1 && got[0] != want[0] {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	unneeded() // a worker may just have put them
	makes(t, s)
	unneeded(other)
	do(t, s, func(tx *Tx) error { _, err := tx.Forget(1); return err })
	unneeded(film, picture, other)
}

func TestOutdated_AnUndeliveredVideoStaysOwedWhenItsPersonAsksForAnother(t *testing.T) {
	s := fresh(t)
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "made"); return nil })
	makes(t, s)
	for _, task := range claims(t, s, Deliver, 1) {
		do(t, s, func(tx *Tx) error { return tx.GiveUp(task.Job, "refused", "") })
	}
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "another"); return nil })
	if n := number(t, s, `SELECT count(*) FROM requests WHERE undelivered IS NOT NULL`); n != 1 {
		t.Errorf("got %d undelivered; want the video still owed", n)
	}
}

func TestPurge_AVideoThatIsStillToBeSentStaysHoweverOld(t *testing.T) {
	now := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
	s := clocked(t, &now)
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
	makes(t, s)
	now = now.Add(400 * 24 * time.Hour)
	purge := func(want int) {
		t.Helper()
		for range 20 {
			do(t, s, func(tx *Tx) error { _, _, err := tx.Purge(Keep{Videos: 90 * 24 * time.Hour}); return err })
		}
		if n := number(t, s, `SELECT count(*) FROM assets`); n != want {
			t.Errorf("got %d videos; want %d", n, want)
		}
	}
	purge(1)
	task := claims(t, s, Deliver, 1)[0]
	do(t, s, func(tx *Tx) error { return tx.VideoArrived(task.Job, 5, "handle") })
	do(t, s, func(tx *Tx) error { _, err := tx.FinishMessage(&task, 5); return err })
	purge(0)
}

// An admin who has all of theirs deleted is signed out everywhere, and nothing that they made opens the page.
func TestForget_NothingOpensThePageForAnAdminWhoIsForgotten(t *testing.T) {
	s := fresh(t)
	do(t, s, func(tx *Tx) error {
		_, err := tx.UpsertUser(5, "ru")
		return errors.Join(err, tx.SaveLink([32]byte{1}, 5, tx.Now().Add(LinkLife)),
			tx.SaveLink([32]byte{2}, 5, tx.Now().Add(LinkLife)), tx.SaveToken([32]byte{3}, 5, "script", ScopeRead, 0),
			tx.Invite([32]byte{4}, true, 5), tx.NameAdmin(5, "Anna", ""))
	})
	do(t, s, func(tx *Tx) error { _, err := tx.SpendLink([32]byte{2}, [32]byte{5}); return err })
	do(t, s, func(tx *Tx) error { _, err := tx.Forget(5); return err })
	for _, table := range []string{"links", "sessions", "tokens", "invitations", "admin_names"} {
		if n := number(t, s, `SELECT count(*) FROM `+table); n != 0 {
			t.Errorf("got %d rows of %s; want none", n, table)
		}
	}
}

func TestUnpublish_WhatMayHaveArrivedIsNotForgotten(t *testing.T) {
	for name, u := range map[string]Upload{"half sent": {Step: "uploading", Sent: 4},
		"begun": {Step: "uploading", Session: "sealed", Since: time.Now()}} {
		s := fresh(t)
		do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); return nil })
		makes(t, s)
		var id string
		do(t, s, func(tx *Tx) error {
			if err := tx.sql.Get(`SELECT id FROM assets`, nil, &id); err != nil {
				return err
			}
			return tx.Publish(id, Publication{Platform: "RUMBLE", Creator: 8})
		})
		task := claims(t, s, Publish, 1)[0]
		do(t, s, func(tx *Tx) error { return tx.KeepUpload(task.Job, u) })
		do(t, s, func(tx *Tx) error { return tx.Reschedule(task.Job, tx.Now().Add(time.Hour), "cut") })
		err := s.Tx(t.Context(), func(tx *Tx) error { return tx.Unpublish(id, "RUMBLE") })
		if _, busy := errors.AsType[Busy](err); !busy {
			t.Errorf("%s: got %v; want it kept", name, err)
		}
	}
}

// The ledger has another name for a person each day: the limit of a day looks at both.
func TestAllow_TheDayGoesOnOverMidnight(t *testing.T) {
	now := time.Date(2026, 12, 20, 23, 30, 0, 0, time.UTC)
	s := clocked(t, &now)
	do(t, s, func(tx *Tx) error { _, err := tx.UpsertUser(1, "ru"); return err })
	do(t, s, func(tx *Tx) error { return tx.Note(Event{User: 1, Action: "ask"}) })
	for _, c := range []struct {
		at      time.Time
		l       Limits
		refused string
	}{
		{now.Add(time.Minute), Limits{Hour: 1}, "hour"},
		{now.Add(59 * time.Minute), Limits{Hour: 1}, "hour"}, // the next day
		{now.Add(time.Hour), Limits{Hour: 1}, ""},
		{now.Add(time.Hour), Limits{Day: 1}, "day"},
		{now.Add(24*time.Hour - time.Minute), Limits{Day: 1}, "day"},
		{now.Add(24 * time.Hour), Limits{Day: 1}, ""},
	} {
		now = c.at
		var refused Refused
		if err := s.Allow(t.Context(), 1, c.l); errors.As(err, &refused) != (c.refused != "") || refused.Reason != c.refused {
			t.Errorf("%v, %+v: got %v; want %q", c.at, c.l, err, c.refused)
		}
	}
}

// Nobody waits for what is made in advance: the owner of a list is no person in whose name videos fail.
func TestWaitingPeople_AreNotTheOwnerOfAList(t *testing.T) {
	s := fresh(t)
	eight := int64(8)
	for advance, want := range map[bool]int{true: 0, false: 1} {
		var a Asset
		do(t, s, func(tx *Tx) (err error) {
			a, err = tx.create(Asset{Name: "name", NameKey: fmt.Sprint("name ", advance), Template: "t", Lang: "ru", Creator: &eight,
				Advance: advance}, 0)
			return err
		})
		var people []int64
		do(t, s, func(tx *Tx) (err error) { people, err = tx.WaitingPeople(a.ID, 2); return err })
		if len(people) != want {
			t.Errorf("in advance %v: got %v; want %d", advance, people, want)
		}
	}
}

// A fifth of the day's videos is kept for people who have had one.
func TestAllow_NewcomersHaveFourFifthsOfTheDay(t *testing.T) {
	s := fresh(t)
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "name"); _, err := tx.UpsertUser(2, "ru"); return err })
	makes(t, s)
	task := claims(t, s, Deliver, 1)[0]
	do(t, s, func(tx *Tx) error { return tx.VideoArrived(task.Job, 5, "handle") })
	for spent := 1; spent <= 5; spent++ {
		do(t, s, func(tx *Tx) error { return tx.Note(Event{User: 1, Action: "ask"}) })
		for user, most := range map[int64]int{1: 5, 2: 4} {
			err := s.Allow(t.Context(), user, Limits{All: 5})
			if refused := errors.As(err, new(Refused)); refused != (spent >= most) {
				t.Errorf("%d spent, user %d: got %v; want them to have %d", spent, user, err, most)
			}
		}
	}
}

// Another try has taken the place of one that was deleted: it comes back without that place.
func TestRestore_AnotherTryMayHaveTakenItsPlace(t *testing.T) {
	s := fresh(t)
	eight := int64(8)
	var first, second, third Asset
	fail := func(a *Asset, of string) {
		t.Helper()
		do(t, s, func(tx *Tx) (err error) {
			*a, err = tx.create(Asset{Name: "name", NameKey: "name", Template: "t", Lang: "ru", Creator: &eight, RetryOf: of}, 0)
			return err
		})
		fails(t, s)
	}
	fail(&first, "")
	fail(&second, first.ID)
	do(t, s, func(tx *Tx) error { return tx.Bin(second, 8) })
	fail(&third, first.ID)
	do(t, s, func(tx *Tx) error { return tx.Restore(second.ID, Admin{ID: 8, Owner: true}) })
	if a, err := s.Asset(t.Context(), second.ID); err != nil || a.RetryOf != "" {
		t.Errorf("got it back as the next try of %q, %v; want it on its own", a.RetryOf, err)
	}
	if a, err := s.Asset(t.Context(), third.ID); err != nil || a.RetryOf != first.ID {
		t.Errorf("got %q, %v; want the other one in its place", a.RetryOf, err)
	}
}
