// Tests of many accounts that ask at once: nobody known waits for them.

package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"retake.example/internal/store"
)

func TestQueue_TenThousandNewAccountsHoldUpNobodyWhoIsKnown(t *testing.T) {
	s := newStore(t)
	ask(t, s, "Эва", 7)
	complete(t, s)
	delivery := begin(t, s, store.Deliver)
	write(t, s, func(tx *store.Tx) error {
		if err := tx.VideoArrived(delivery.Job, 5, "file"); err != nil {
			return err
		}
		_, err := tx.FinishMessage(&delivery, 5)
		return err
	})
	write(t, s, func(tx *store.Tx) error {
		for n := range 10_000 {
			if _, err := wish(tx, fmt.Sprintf("Имя %d", n), int64(1000+n)); err != nil {
				return err
			}
		}
		return nil
	})
	begin(t, s, store.Render) // one is under way
	known := ask(t, s, "Маша", 7)
	line, err := s.Line(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if place := slices.Index(line, known.ID); place < 0 || place > 1 {
		t.Errorf("got place %d of %d; want at most two renders before theirs, with the one under way", place, len(line))
	}
	again := ask(t, s, "Оля", 7) // one wish of each before the second of anybody
	if line, err = s.Line(t.Context()); err != nil {
		t.Fatal(err)
	}
	if place := slices.Index(line, again.ID); place < 9000 {
		t.Errorf("got place %d for the second wish; want it behind the others", place)
	}
}

// TestLimits_TenThousandAccountsSpendNoMoreThanADayMay lets each ask as the bot does, and makes all that is asked for.
func TestLimits_TenThousandAccountsSpendNoMoreThanADayMay(t *testing.T) {
	const perDay, known = 50, 7
	s := newStore(t)
	now := time.Now()
	setNow(s, func() time.Time { return now })
	made := 0
	film := func() { // the next video, and its delivery
		complete(t, s)
		delivery := begin(t, s, store.Deliver)
		write(t, s, func(tx *store.Tx) error {
			if err := tx.VideoArrived(delivery.Job, 5, "file"); err != nil {
				return err
			}
			_, err := tx.FinishMessage(&delivery, 5)
			return err
		})
		made++
	}
	asks := func(tx *store.Tx, name string, user int64) (id string, err error) {
		if _, err := tx.UpsertUser(user, "ru"); err != nil {
			return "", err
		}
		if err := tx.Allow(user, store.Limits{Open: 3, Hour: 10, Day: 30, All: perDay}); err != nil {
			if _, refused := errors.AsType[store.Refused](err); refused {
				err = nil
			}
			return "", err
		}
		a, err := wish(tx, name, user)
		if err != nil {
			return "", err
		}
		return a.ID, tx.Note(store.Event{User: user, Action: "ask"})
	}
	for day := range 2 {
		made = 0
		if day == 0 {
			write(t, s, func(tx *store.Tx) error { _, err := asks(tx, "Эва", known); return err })
			film()
		}
		taken := 0
		write(t, s, func(tx *store.Tx) error {
			for n := range 10_000 {
				id, err := asks(tx, fmt.Sprintf("Имя %d %d", day, n), int64(1000+n+day*10_000))
				if err != nil {
					return err
				}
				if id != "" {
					taken++
				}
			}
			return nil
		})
		begun := begin(t, s, store.Render) // of theirs
		var mine string
		write(t, s, func(tx *store.Tx) (err error) { mine, err = asks(tx, fmt.Sprint("Маша ", day), known); return err })
		line, err := s.Line(t.Context())
		if place := slices.Index(line, mine); err != nil || mine == "" || place > 1 {
			t.Errorf("day %d: got place %d, %v; want at most two renders before that of somebody known", day, place, err)
		}
		write(t, s, func(tx *store.Tx) error {
			return tx.FinishRender(begun.Job, store.Video{File: begun.AssetID + ".mp4"})
		})
		for made++; count(t, s, `SELECT count(*) FROM jobs WHERE kind = 'RENDER'`) > 0; {
			film()
		}
		if taken == 0 || made > perDay {
			t.Errorf("day %d: got %d taken and %d made; want some, and at most %d", day, taken, made, perDay)
		}
		now = now.Add(25 * time.Hour)
	}
}

func TestQueue_InAShortOneEverybodyIsAlike(t *testing.T) {
	s := newStore(t)
	ask(t, s, "Эва", 7)
	complete(t, s)
	mutate(t, s, `UPDATE requests SET status = 'COMPLETED', finished = 1`)
	var want []string
	for n, user := range []int64{1, 2, 7, 3} {
		want = append(want, ask(t, s, fmt.Sprintf("Имя %d", n), user).ID)
	}
	if line, err := s.Line(t.Context()); err != nil || !slices.Equal(line, want) {
		t.Errorf("got %v, %v; want %v", line, err, want)
	}
}

func TestBanAskers_ACrowdIsBannedInPortions(t *testing.T) {
	const people = 2*200 + 1 // one more than fit into two portions
	s := newStore(t)
	var users []int64
	for user := range int64(people) {
		users = append(users, user+1)
	}
	a := ask(t, s, "Маша", users...)
	banned := func() int { return count(t, s, `SELECT count(*) FROM bans`) }
	for more := true; more; {
		before := banned()
		write(t, s, func(tx *store.Tx) (err error) { more, err = tx.BanAskers(a.ID, 8); return err })
		if n := banned() - before; n == 0 || n > 200 {
			t.Fatalf("got %d people banned in one transaction; want some, and 200 at the most", n)
		}
	}
	if n := banned(); n != people {
		t.Errorf("got %d people banned; want all %d", n, people)
	}
	err := s.Tx(t.Context(), func(tx *store.Tx) error { _, err := tx.BanAskers(a.ID, 8); return err })
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v; want ErrNotFound: nobody is left", err)
	}
}
