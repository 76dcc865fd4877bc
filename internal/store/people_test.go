// Tests of the store and its people: limits, drafts, admins' videos, and users who are forgotten.

package store_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
)

func TestForgettingAUserLeavesNoTraceOfThemAndAllOfTheOthers(t *testing.T) {
	s := newStore(t)
	mine, shared := ask(t, s, "Маша", 1), ask(t, s, "Оля", 1, 2)
	complete(t, s)
	write(t, s, func(tx *store.Tx) error {
		_, err := tx.Receive([]store.Update{{ID: 5, Chat: 1, Raw: `{"text":"Маша"}`}})
		if err == nil {
			_, err = tx.SaveDraft(1, "Катя")
		}
		return err
	})
	var gone store.Deleted
	write(t, s, func(tx *store.Tx) (err error) { gone, err = tx.Forget(1); return err })
	if want := (store.Deleted{Files: []string{mine.ID + ".mp4"}, Assets: []string{mine.ID},
		Names: []string{"Маша"}}); !reflect.DeepEqual(
		gone,
		want,
	) {
		t.Errorf("got %q; want %q", gone, want)
	}
	for _, q := range []string{`SELECT count(*) FROM users WHERE id = 1`,
		`SELECT count(*) FROM requests WHERE user_id = 1`,
		`SELECT count(*) FROM drafts`, `SELECT count(*) FROM inbox WHERE raw IS NOT NULL`, `SELECT count(*) FROM assets
			WHERE name = 'Маша'`,
		`SELECT count(*) FROM name_suffixes WHERE name_key = 'маша'`, `SELECT count(*) FROM name_counts WHERE name_key = 'маша'`} {
		if n := count(t, s, q); n != 0 {
			t.Errorf("%s: got %d; want 0", q, n)
		}
	}
	if a, err := s.Asset(t.Context(), shared.ID); err != nil || a.Status != store.Pending {
		t.Errorf("the shared asset: got %v, %v; want it untouched", a.Status, err)
	}
	if offset, err := s.Offset(t.Context()); err != nil || offset != 6 {
		t.Errorf("Telegram's offset: got %d, %v; want 6", offset, err)
	}
}

func TestForgettingTakesTheSuccessorsThatNobodyWaitsFor(t *testing.T) {
	q := newRetries(newStore(t))
	ask(t, q.store, "Маша", 1)
	failed := failForGood(t, q)
	mutate(t, q.store, `UPDATE users SET unreachable = 1`)
	if _, err := q.Retry(t.Context(), failed.AssetID,
		retry.AdminClicked{Admin: store.Admin{Owner: true}, Platform: ""}); err != nil {
		t.Fatal(err)
	}
	mutate(t, q.store, `DELETE FROM requests WHERE asset_id <> ?`, failed.AssetID)
	write(t, q.store, func(tx *store.Tx) error { _, err := tx.Forget(1); return err })
	if n := count(t, q.store, `SELECT count(*) FROM assets`); n != 0 {
		t.Errorf("got %d assets with the name; want none", n)
	}
}

func TestLimitsCountWhatWasAskedForAndNotWhatIsLeftOfIt(t *testing.T) {
	s := newStore(t)
	a := ask(t, s, "Маша", 1)
	for range 5 {
		write(t, s, func(tx *store.Tx) error { return tx.Note(store.Event{User: 1, Action: "ask", AssetID: a.ID}) })
	}
	complete(t, s)
	delivery := begin(t, s, store.Deliver)
	for i, want := range []int{1, 0} {
		write(t, s, func(tx *store.Tx) error {
			u, err := tx.Usage(1)
			if u.Hour != 5 || u.Day != 5 || u.Open != want {
				t.Errorf("got %+v; want 5 in the hour and the day, %d open", u, want)
			}
			if i == 0 { // given up, it is open no more
				return errors.Join(err, tx.GiveUp(delivery.Job, "403", ""))
			}
			return err
		})
	}
}

func TestAnAdminsVideoOutlivesTheUsersWhoJoinedIt(t *testing.T) {
	t.Run("who cancel", func(t *testing.T) {
		s := newStore(t)
		a := madeByAdmin(t, s, 7, "Маша", "маша")
		ask(t, s, "Маша", 1)
		write(t, s, func(tx *store.Tx) error { _, err := tx.Cancel(1, a.ID); return err })
		if n := count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'RENDER' AND asset_id = ?`, a.ID); n != 1 {
			t.Errorf("got %d renders owed; want the admin's", n)
		}
	})
	t.Run("who have their data deleted", func(t *testing.T) {
		s := newStore(t)
		a := madeByAdmin(t, s, 7, "Маша", "маша")
		ask(t, s, "Маша", 1)
		var gone store.Deleted
		write(t, s, func(tx *store.Tx) (err error) { gone, err = tx.Forget(1); return err })
		if _, err := s.Asset(t.Context(), a.ID); err != nil || len(gone.Files) != 0 {
			t.Errorf("got %v, files %q to delete; want the admin's video kept", err, gone.Files)
		}
	})
}

func TestUsageHasItsHourAndItsDay(t *testing.T) {
	s := newStore(t)
	write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(1, "ru"); return err })
	for _, ago := range []time.Duration{30 * time.Minute, 2 * time.Hour, 25 * time.Hour} {
		setNow(s, func() time.Time { return time.Now().Add(-ago) })
		write(t, s, func(tx *store.Tx) error { return tx.Note(store.Event{User: 1, Action: "ask"}) })
	}
	setNow(s, time.Now)
	write(t, s, func(tx *store.Tx) error {
		u, err := tx.Usage(1)
		if u.Hour != 1 || u.Day != 2 {
			t.Errorf("got %+v; want 1 in the hour, 2 in the day", u)
		}
		return err
	})
}

func TestWhoWritesCanBeReachedAgain(t *testing.T) {
	s := newStore(t)
	a := ask(t, s, "Маша", 1)
	announce := begin(t, s, store.Announce)
	write(t, s, func(tx *store.Tx) error { _, err := tx.FinishMessage(&announce, 5); return err })
	write(t, s, func(tx *store.Tx) error { return tx.SetReachable(1, false) })
	if list, err := s.Watchers(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v; want nobody whose message would be edited", list, err)
	}
	write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(1, "ru"); return err })
	if list, err := s.Watchers(t.Context()); err != nil || len(list) != 1 || list[0].AssetID != a.ID {
		t.Errorf("got %v, %v; want the one of %s", list, err, a.ID)
	}
}

func TestADraftBelongsToWhoTypedIt(t *testing.T) {
	s := newStore(t)
	for _, u := range []int64{1, 2} {
		write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(u, "ru"); return err })
	}
	var id string
	write(t, s, func(tx *store.Tx) (err error) { id, err = tx.SaveDraft(1, "Маша"); return err })
	if err := s.Tx(context.Background(), func(tx *store.Tx) error {
		_,
			err := tx.TakeDraft(2, id)
		return err
	}); err != store.ErrNotFound {
		t.Errorf("got %v; want ErrNotFound", err)
	}
	setNow(s, func() time.Time { return time.Now().Add(24*time.Hour + time.Minute) })
	write(t, s, func(tx *store.Tx) error { _, err := tx.SaveDraft(1, "Оля"); return err })
	if n := count(t, s, `SELECT count(*) FROM drafts`); n != 1 {
		t.Errorf("got %d drafts; want yesterday's forgotten", n)
	}
}

func TestAUserWhoIsKnownAndCanBeReachedIsNotWrittenAgain(t *testing.T) {
	s := newStore(t)
	met := func(want string, err error) {
		t.Helper()
		if u, got := s.RecentUser(t.Context(), 1); !errors.Is(got, err) || u.Lang != want {
			t.Errorf("got %q, %v; want %q, %v", u.Lang, got, want, err)
		}
	}
	met("", store.ErrNotFound)
	meet := func() { write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(1, "en"); return err }) }
	meet()
	met("en", nil)
	write(t, s, func(tx *store.Tx) error { return tx.SetReachable(1, false) })
	met("", store.ErrNotFound)
	meet()
	met("en", nil)
}

func TestDrafts_AreCappedPerPerson(t *testing.T) {
	s := newStore(t)
	for i := range 100 {
		write(t, s, func(tx *store.Tx) error {
			if _, err := tx.UpsertUser(1, "ru"); err != nil {
				return err
			}
			if err := tx.SaveLink([32]byte{byte(i)}, 7, tx.Now().Add(time.Minute)); err != nil {
				return err
			}
			_, err := tx.SaveDraft(1, "Маша")
			return err
		})
	}
	for what, most := range map[string]int{"drafts": 50, "links": 10} {
		if n := count(t, s, `SELECT count(*) FROM `+what); n == 0 || n > most {
			t.Errorf("got %d %s of one person; want at most %d", n, what, most)
		}
	}
}
