// Tests of publications that a person makes, and of the tokens of channels.

package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"retake.example/internal/store"
	"retake.example/internal/testrig"
)

func TestByHand(t *testing.T) {
	s := newStore(t)
	id := testrig.Uploaded(t, s, "Лето")
	write(t, s, func(tx *store.Tx) error {
		return tx.Publish(id, store.Publication{Platform: "RUMBLE", Creator: 7, Step: "manual"})
	})
	wantState := func(want string) {
		t.Helper()
		all, err := s.Publications(t.Context(), id)
		if err != nil || len(all[id]) != 1 {
			t.Fatalf("got %v, %v; want one publication", all, err)
		}
		if p := all[id][0]; fmt.Sprintf("%s %s", p.Status, p.Step) != want {
			t.Errorf("got %s %s (%s); want %q", p.Status, p.Step, p.Error, want)
		}
	}
	wantState("PENDING manual")
	if n := count(t, s, `SELECT count(*) FROM jobs`); n != 0 {
		t.Errorf("got %d jobs; want none: nobody but the admin can do it", n)
	}
	tx := func(fn func(tx *store.Tx) error) error { return s.Tx(t.Context(), fn) }
	if err := tx(func(tx *store.Tx) error { return tx.Publish(id, store.Publication{Platform: "RUMBLE", Creator: 7}) }); !errors.Is(err, store.ErrExists) {
		t.Errorf("got %v; want %v", err, store.ErrExists)
	}
	mark := func() error {
		return tx(func(tx *store.Tx) error { return tx.MarkPublished(id, "RUMBLE", "https://rumble.com/v1-x.html", "") })
	}
	if err := mark(); err != nil {
		t.Error(err)
	}
	wantState("COMPLETED manual")
	if err := mark(); !errors.Is(err, store.ErrNotFailed) {
		t.Errorf("got %v for a second one; want %v", err, store.ErrNotFailed)
	}
	if err := tx(func(tx *store.Tx) error { return tx.MarkPublished(id, "YOUTUBE", "https://x", "") }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v; want %v", err, store.ErrNotFound)
	}
}

func TestATokenRefreshedTooLateReplacesNoNewOne(t *testing.T) {
	s := newStore(t)
	now := time.Now()
	setNow(s, func() time.Time { return now })
	channel := testrig.Connected(t, s, "UC1")
	before, err := s.Channel(t.Context(), channel)
	if err != nil {
		t.Fatal(err)
	}
	keep := func(text string) {
		write(t, s, func(tx *store.Tx) error { return tx.KeepToken(channel, before.Connected, []byte(text), time.Time{}) })
		if kept, err := s.Token(t.Context(), channel); err != nil {
			t.Error(err)
		} else if got := string(kept); got != map[string]string{"fresh": "fresh", "late": "sealed"}[text] {
			t.Errorf("got %s after %s", got, text)
		}
	}
	keep("fresh")
	now = now.Add(time.Second)
	testrig.Connected(t, s, "UC1")
	keep("late") // by a worker that began with the old token
}
