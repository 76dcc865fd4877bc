// Tests of the limits of what people may ask for.

package store_test

import (
	"errors"
	"testing"
	"time"

	"retake.example/internal/retry"
	"retake.example/internal/store"
)

func TestLimits_OutliveADeletionAndAreForgottenInADay(t *testing.T) {
	q := newRetries(newStore(t))
	now := time.Date(2026, 12, 30, 23, 50, 0, 0, time.UTC)
	setNow(q.store, func() time.Time { return now })
	limits := store.Limits{Hour: 2, Day: 3, All: 4}
	asks := func(user int64) (r store.Refused) {
		write(t, q.store, func(tx *store.Tx) error {
			if _, err := tx.UpsertUser(user, "ru"); err != nil {
				return err
			}
			if err := tx.Allow(user, limits); errors.As(err, &r) || err != nil {
				return nil
			}
			return tx.Note(store.Event{User: user, Action: "ask"})
		})
		return r
	}
	for _, step := range []struct {
		after  time.Duration
		user   int64
		reason string
		until  time.Duration
	}{
		{0, 1, "", 0},
		{time.Minute, 1, "", 0},
		{time.Minute, 1, "hour", 58 * time.Minute}, // of the first
		{20 * time.Minute, 1, "hour", 38 * time.Minute},
		{38 * time.Minute, 1, "", 0},
		{0, 1, "day", 23 * time.Hour},
		{0, 2, "", 0},
		{0, 3, "all", 23 * time.Hour},
		{23 * time.Hour, 1, "", 0},
		{0, 1, "day", time.Minute},
		{0, 3, "all", time.Minute},
		{49 * time.Hour, 3, "", 0},
	} {
		now = now.Add(step.after)
		r := asks(step.user)
		if r.Reason != step.reason || step.reason != "" && r.Until.Sub(now) != step.until {
			t.Fatalf("%s, user %d: got %q for %v; want %q for %v", now, step.user, r.Reason, r.Until.Sub(now), step.reason, step.until)
		}
		write(t, q.store, func(tx *store.Tx) error { _, err := tx.Forget(step.user); return err })
	}
	for n := 1; n > 0; {
		write(t, q.store, func(tx *store.Tx) (err error) { _, n, err = tx.Purge(store.Keep{}); return err })
	}
	if rows, keys := count(t, q.store, `SELECT count(*) FROM ledger`), count(t, q.store, `SELECT count(*) FROM ledger_keys`); rows != 1 || keys != 1 {
		t.Errorf("got %d rows and %d keys; want those of today", rows, keys)
	}
	now = now.Add(49 * time.Hour)
	for n := 1; n > 0; {
		write(t, q.store, func(tx *store.Tx) (err error) { _, n, err = tx.Purge(store.Keep{}); return err })
	}
	if n := count(t, q.store, `SELECT (SELECT count(*) FROM ledger) + (SELECT count(*) FROM ledger_keys)`); n != 0 {
		t.Errorf("got %d rows two days later; want none", n)
	}
}

func TestLimits_ARetryThatJoinsCostsNothingAndIsNotRefused(t *testing.T) {
	q := newRetries(newStore(t))
	a := ask(t, q.store, "Маша", 1, 2)
	failForGood(t, q)
	press := func(user int64) error {
		_, err := q.Retry(t.Context(), a.ID, retry.ButtonPressed{User: user, Chat: user, Limits: store.Limits{Day: 1}})
		return err
	}
	for _, user := range []int64{1, 2} {
		write(t, q.store, func(tx *store.Tx) error { return tx.Note(store.Event{User: user, Action: "ask"}) })
	}
	if err := press(1); !errors.As(err, &store.Refused{}) {
		t.Errorf("got %v; want it refused", err)
	}
	if n := count(t, q.store, `SELECT count(*) FROM assets`); n != 1 {
		t.Errorf("got %d videos; want no new one", n)
	}
	if _, err := q.Retry(t.Context(), a.ID, retry.ButtonPressed{User: 2, Chat: 2}); err != nil {
		t.Fatal(err)
	}
	if err := press(1); err != nil {
		t.Errorf("got %v for one who joins; want that granted", err)
	}
}
