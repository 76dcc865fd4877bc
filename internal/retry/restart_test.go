// Tests of another try that somebody asks for, on a real database.

package retry_test

import (
	"errors"
	"testing"

	"retake.example/internal/retry"
	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

// lost makes the video of users fail.
func lost(t *testing.T, s *store.Store, name string, users ...int64) store.Asset {
	t.Helper()
	a := testrig.Ask(t, s, name, users...)
	task := testrig.Begin(t, s, store.Render)
	testrig.Write(t, s, func(tx *store.Tx) error { return tx.GiveUp(task.Job, "the engine broke", "") })
	return a
}

func TestRestartForUser_IsLimitedAsAWishUnlessItCostsNothing(t *testing.T) {
	s := testrig.NewStore(t)
	failed := lost(t, s, "Маша", 1, 2)
	testrig.Write(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.Note(store.Event{User: 1, Action: "ask"}), tx.Note(store.Event{User: 2, Action: "ask"}))
	})
	press := func(user int64, day int) (out retry.Outcome, err error) {
		err = s.Tx(t.Context(), func(tx *store.Tx) (err error) {
			out, err = retry.RestartForUser(tx, failed.ID, retry.ButtonPressed{User: user, Chat: user,
				Limits: store.Limits{Day: day}})
			return err
		})
		return out, err
	}
	if _, err := press(1, 1); !errors.As(err, new(store.Refused)) {
		t.Errorf("a press over the limit: got %v; want it refused", err)
	}
	if n := testrig.Count(t, s, `SELECT count(*) FROM assets`); n != 1 {
		t.Errorf("got %d videos; want none made by a press that was refused", n)
	}
	if out, err := press(1, 2); out != retry.Restarted || err != nil {
		t.Errorf("a press within it: got %s, %v; want %s", out, err, retry.Restarted)
	}
	if out, err := press(2, 1); out != retry.Joined || err != nil {
		t.Errorf("a press that joins, over the limit: got %s, %v; want %s: it costs no video", out, err, retry.Joined)
	}
	if _, err := press(3, 9); !errors.Is(err, store.ErrForbidden) {
		t.Errorf("somebody else's press: got %v; want ErrForbidden", err)
	}
}

// The next try of what somebody waits for takes the place of that person, not of the admin who has pressed.
func TestRestartForAll_WaitsInThePlaceOfItsPeople(t *testing.T) {
	s := testrig.NewStore(t)
	failed := lost(t, s, "Маша", 1)
	admin := store.Admin{ID: 8, Owner: true}
	testrig.Write(t, s, func(tx *store.Tx) error { _, _, err := retry.RestartForAll(tx, failed.ID, admin); return err })
	if key := testrig.Count(t, s, `SELECT fairness_key FROM jobs WHERE kind = 'RENDER'`); key != 1 {
		t.Errorf("got the render counted for %d; want it for user 1", key)
	}
	if got := testrig.Text(t, s, `SELECT outcome FROM audit WHERE action = 'retry'`); got != string(retry.Restarted) {
		t.Errorf("got %q noted; want nothing left to go on with", got)
	}
}

func TestRestartPublication_AChannelThatIsBackRetriesOnlyWhatFailedForIt(t *testing.T) {
	for step, want := range map[string]error{"reconnect": nil, "edit": store.ErrNotFailed, "": store.ErrNotFailed} {
		s := testrig.NewStore(t)
		id := testrig.Publishes(t, s, testrig.Connected(t, s, "UC"), "Лето")
		task := testrig.Begin(t, s, store.Publish)
		testrig.Write(t, s, func(tx *store.Tx) error { return tx.GiveUp(task.Job, "refused", step) })
		again := func(back bool) error {
			return s.Tx(t.Context(), func(tx *store.Tx) error {
				_, err := retry.RestartPublication(tx, id, "YOUTUBE", store.Admin{ID: 7}, back)
				return err
			})
		}
		if err := again(true); !errors.Is(err, want) {
			t.Errorf("step %q: got %v; want %v", step, err, want)
		}
		if err := again(false); err != nil {
			t.Errorf("step %q, a press: got %v; want another try", step, err)
		}
	}
}

func TestTally_SomethingRestartedIsRestarted(t *testing.T) {
	for _, c := range [][3]retry.Outcome{{retry.Restarted, retry.Joined, retry.Restarted},
		{retry.Joined, retry.Restarted, retry.Restarted}, {retry.Joined, "", retry.Joined}, {"", retry.Joined, retry.Joined},
		{"", "", ""}} {
		sum := retry.Tally{Outcome: c[0], Restarted: 1, Joined: 2, Skipped: 3}.
			And(retry.Tally{Outcome: c[1], Restarted: 10, Joined: 20, Skipped: 30})
		if want := (retry.Tally{Outcome: c[2], Restarted: 11, Joined: 22, Skipped: 33}); sum != want {
			t.Errorf("%q and %q: got %+v; want %+v", c[0], c[1], sum, want)
		}
	}
}

// An admin tries a video again that failed a crowd. Its people are linked to the new try in portions, and what happens
// between two of them counts: a press, a deletion of data, a stop of the program.
func TestRestartForAll_ReachesACrowdInPortions(t *testing.T) {
	const people = 2*200 + 7 // more than fit into two portions
	s := testrig.NewStore(t)
	var failed store.Asset
	testrig.Write(t, s, func(tx *store.Tx) (err error) {
		for user := int64(1); user <= people && err == nil; user++ {
			failed, err = testrig.Wish(tx, "Маша", user)
		}
		return err
	})
	task := testrig.Begin(t, s, store.Render)
	testrig.Write(t, s, func(tx *store.Tx) error { return tx.GiveUp(task.Job, "the engine broke", "") })
	var after int64
	testrig.Write(t, s, func(tx *store.Tx) (err error) {
		_, after, err = retry.RestartForAll(tx, failed.ID, store.Admin{ID: 8, Owner: true})
		return err
	})
	next := testrig.Text(t, s, `SELECT id FROM assets WHERE retry_of = ?`, failed.ID)
	linked := func() int { return testrig.Count(t, s, `SELECT count(*) FROM requests WHERE asset_id = ?`, next) }
	outcome := func() string { return testrig.Text(t, s, `SELECT group_concat(outcome) FROM audit WHERE admin = 8`) }
	if n := linked(); n == 0 || n >= people/2 || after == 0 || outcome() != "restarting" {
		t.Errorf("got %d people linked, then those after %d, and %q; want some, and that it goes on", n, after, outcome())
	}
	testrig.Write(t, s, func(tx *store.Tx) error {
		_, err := tx.Forget(250)
		if err == nil {
			_, err = retry.RestartForUser(tx, failed.ID, retry.ButtonPressed{User: 300, Chat: 300,
				Limits: store.Limits{Open: 9, Hour: 9, Day: 9}})
		}
		return err
	})
	testrig.Ask(t, s, "Маша", people+1) // joins what is being made
	if err := retry.ResumeCrowds(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if n := linked(); n != people {
		t.Errorf("got %d people linked; want %d: all but the one who deleted their data, and the one who came", n, people)
	}
	if n := testrig.Count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'ANNOUNCE' AND asset_id = ?`, next); n != people {
		t.Errorf("got %d announcements; want one for each of %d", n, people)
	}
	if half, err := s.Restarting(t.Context()); len(half) != 0 || err != nil || outcome() != "restarted" {
		t.Errorf("got %v under way, %v, and %q; want it to be over", half, err, outcome())
	}
	if n := testrig.Count(t, s, `SELECT count(*) FROM assets`); n != 2 {
		t.Errorf("got %d videos; want the failed one and its next try", n)
	}
}

// The new try fails before all are linked to it: nothing is tried a third time unasked.
func TestRestartMore_WhatFailedMeanwhileIsNotTriedAgain(t *testing.T) {
	const people = 300
	s := testrig.NewStore(t)
	var failed store.Asset
	testrig.Write(t, s, func(tx *store.Tx) (err error) {
		for user := int64(1); user <= people && err == nil; user++ {
			failed, err = testrig.Wish(tx, "Маша", user)
		}
		return err
	})
	fails := func() {
		task := testrig.Begin(t, s, store.Render)
		testrig.Write(t, s, func(tx *store.Tx) error { return tx.GiveUp(task.Job, "the engine broke", "") })
	}
	fails()
	testrig.Write(t, s, func(tx *store.Tx) (err error) {
		_, _, err = retry.RestartForAll(tx, failed.ID, store.Admin{ID: 8, Owner: true})
		return err
	})
	fails()
	if err := retry.ResumeCrowds(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if n := testrig.Count(t, s, `SELECT count(*) FROM assets`); n != 2 {
		t.Errorf("got %d videos; want two", n)
	}
	if half, err := s.Restarting(t.Context()); len(half) != 0 || err != nil {
		t.Errorf("got %v under way, %v; want it to be over", half, err)
	}
	told := map[int64]int{}
	for tasks := testrig.BeginAll(t, s, store.Apologise, 16); len(tasks) > 0; tasks = testrig.BeginAll(t, s, store.Apologise, 16) {
		testrig.Write(t, s, func(tx *store.Tx) (err error) {
			for i := range tasks {
				if _, failed := tx.FinishMessage(&tasks[i], 5); failed != nil {
					err = failed
				}
			}
			return err
		})
		for _, task := range tasks {
			told[task.To.User]++
		}
	}
	if len(told) != people {
		t.Errorf("got %d people told; want each of %d, of one try or both", len(told), people)
	}
}

func TestRestartForAll_SendsTheMessagesOfACrowdAgainInPortions(t *testing.T) {
	const people = 2*200 + 7 // more than fit into two portions
	s := testrig.NewStore(t)
	var a store.Asset
	testrig.Write(t, s, func(tx *store.Tx) (err error) {
		for user := int64(1); user <= people && err == nil; user++ {
			a, err = testrig.Wish(tx, "Маша", user)
		}
		return err
	})
	testrig.Complete(t, s)
	refuseAll := func() {
		some := func() []store.Task { return testrig.BeginAll(t, s, store.Deliver, 16) }
		for tasks := some(); len(tasks) > 0; tasks = some() {
			testrig.Write(t, s, func(tx *store.Tx) (err error) {
				for _, task := range tasks {
					err = errors.Join(err, tx.GiveUp(task.Job, "it refused", ""))
				}
				return err
			})
		}
	}
	refuseAll()
	owed := func() int { return testrig.Count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'DELIVER'`) }
	outcome := func() string { return testrig.Text(t, s, `SELECT group_concat(outcome) FROM audit WHERE admin = 8`) }
	var after int64
	testrig.Write(t, s, func(tx *store.Tx) (err error) {
		var out retry.Outcome
		if out, after, err = retry.RestartForAll(tx, a.ID, store.Admin{ID: 8, Owner: true}); out != retry.Restarted {
			t.Errorf("got %q; want %q", out, retry.Restarted)
		}
		return err
	})
	if n := owed(); n == 0 || n >= people/2 || after == 0 || outcome() != "restarting" {
		t.Errorf("got %d messages, then those after %d, and %q; want some, and that it goes on", n, after, outcome())
	}
	again := testrig.Begin(t, s, store.Deliver) // it is refused once more: that is not sent a third time unasked
	testrig.Write(t, s, func(tx *store.Tx) error { return tx.GiveUp(again.Job, "it refused", "") })
	if err := retry.ForTheRest(t.Context(), s, a.ID, after); err != nil {
		t.Fatal(err)
	}
	if n := owed(); n != people-1 {
		t.Errorf("got %d messages; want one for each of %d but the one whose was refused again", n, people)
	}
	if half, err := s.Restarting(t.Context()); len(half) != 0 || err != nil || outcome() != "restarted" {
		t.Errorf("got %v under way, %v, and %q; want it to be over", half, err, outcome())
	}
	refuseAll()
	testrig.Write(t, s, func(tx *store.Tx) error { // and the program ends in the middle of it
		_, _, err := retry.RestartForAll(tx, a.ID, store.Admin{ID: 8, Owner: true})
		return err
	})
	if err := retry.ResumeCrowds(t.Context(), s); err != nil || owed() != people {
		t.Errorf("got %v and %d messages; want one for each of %d", err, owed(), people)
	}
}
