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
	testrig.Write(t, s, func(tx *store.Tx) error { _, err := retry.RestartForAll(tx, failed.ID, admin); return err })
	if key := testrig.Count(t, s, `SELECT fairness_key FROM jobs WHERE kind = 'RENDER'`); key != 1 {
		t.Errorf("got the render counted for %d; want it for user 1", key)
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
