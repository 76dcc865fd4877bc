// Tests of what happens seldom: a hold that somebody asks again for, an upload after a crash, two videos overtaken at once.

package store_test

import (
	"slices"
	"testing"

	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

func TestJoin_WhoAsksIsOwedWhatARestoreHolds(t *testing.T) {
	for _, hold := range []int{1, 2} {
		s := testrig.NewStore(t)
		a := testrig.Ask(t, s, "Маша", 1)
		testrig.Complete(t, s)
		testrig.Mutate(t, s, `DELETE FROM jobs`)
		testrig.Mutate(t, s, `UPDATE requests SET restore_hold = ?`, hold)
		testrig.Write(t, s, func(tx *store.Tx) error {
			finished, err := tx.Asset(a.ID)
			if err == nil {
				_, err = tx.Join(finished, 1, 1)
			}
			return err
		})
		if n := testrig.Count(t, s, `SELECT count(*) FROM requests WHERE restore_hold = 0`); n != 1 {
			t.Errorf("held %d: got it held; want it owed to who asks", hold)
		}
		if tasks := testrig.BeginAll(t, s, store.Deliver, 5); len(tasks) != 1 {
			t.Errorf("held %d: got %d deliveries; want one", hold, len(tasks))
		}
	}
}

func TestVideoArrived_TheOthersAreLookedForAtOnce(t *testing.T) {
	s := testrig.NewStore(t)
	testrig.Ask(t, s, "Маша", 1, 2)
	testrig.Complete(t, s)
	task := testrig.Begin(t, s, store.Deliver)
	testrig.Write(t, s, func(tx *store.Tx) error {
		err := tx.VideoArrived(task.Job, 12, "file-id")
		if !slices.Contains(tx.Due(), store.Deliver) {
			t.Errorf("got %v due; want deliveries: one waited for the file_id", tx.Due())
		}
		return err
	})
}

// A job that is done elsewhere may take an hour, for which nobody else shall wait.
func TestRescue_WhatIsQuarantinedRunsAlone(t *testing.T) {
	s := testrig.NewStore(t)
	testrig.Ask(t, s, "Маша", 1)
	testrig.Ask(t, s, "Саша", 2)
	for _, alone := range []bool{false, true} {
		task := testrig.Begin(t, s, store.Render)
		testrig.Write(t, s, func(tx *store.Tx) error { return tx.Rescue(task.Job, false, alone) })
		if beside := len(testrig.BeginAll(t, s, store.Render, 1)) == 1; beside == alone {
			t.Errorf("quarantined %v: got it begun beside others: %v; want %v", alone, beside, !alone)
		}
	}
}

func TestClaim_AnnouncementsOfTwoFinishedVideosAreDroppedOneVideoAtATime(t *testing.T) {
	s := testrig.NewStore(t)
	testrig.Ask(t, s, "Маша", 1, 2)
	testrig.Ask(t, s, "Саша", 3, 4)
	testrig.Mutate(t, s, `UPDATE assets SET status = 'COMPLETED', file = 'f', finished = 1`)
	for step, want := range []struct {
		left  int
		later bool
	}{{2, true}, {0, false}} {
		var later bool
		testrig.Write(t, s, func(tx *store.Tx) error {
			tasks, err := tx.Claim(store.Announce, false, 16)
			if later = tx.Later(); len(tasks) != 0 {
				t.Errorf("got %d announcements begun; want none of a video that is there", len(tasks))
			}
			return err
		})
		if n := testrig.Count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'ANNOUNCE'`); n != want.left || later != want.later {
			t.Errorf("step %d: got %d left, look again: %v; want %d, %v", step, n, later, want.left, want.later)
		}
	}
}
