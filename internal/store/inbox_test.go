// Tests of the updates of Telegram that wait.

package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// Each bot counts on its own: the last bot's number was above those of the new one, which heard nothing for six days.
func TestInbox_AnotherBotBeginsFromTheBeginning(t *testing.T) {
	now := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
	s := clocked(t, &now)
	receive := func(updates ...Update) (fresh []Update) {
		t.Helper()
		do(t, s, func(tx *Tx) (err error) { fresh, err = tx.Receive(updates); return err })
		return fresh
	}
	offset := func(want int64) {
		t.Helper()
		if got, err := s.Offset(t.Context()); got != want || err != nil {
			t.Errorf("got offset %d, %v; want %d", got, err, want)
		}
	}
	use := func(id int64) { t.Helper(); do(t, s, func(tx *Tx) error { return tx.UseBot(id) }) }

	receive(Update{ID: 900, Chat: 1, Raw: "before the bot was known"})
	use(11)
	offset(901)
	receive(Update{ID: 901, Chat: 1, Raw: "waits"}, Update{ID: 902, Chat: 2, Raw: "handled"})
	do(t, s, func(tx *Tx) error { return tx.Handled(902) })
	use(11)
	offset(903)

	use(22)
	offset(0)
	if fresh := receive(Update{ID: 902, Chat: 3, Raw: "of the new bot"}, Update{ID: 901, Chat: 3, Raw: "too"}); len(fresh) != 2 {
		t.Errorf("got %v fresh; want both of the new bot", fresh)
	}
	offset(903)
	if waiting, err := s.Inbox(t.Context()); err != nil || len(waiting) != 4 {
		t.Errorf("got %v, %v; want what the old bot has not answered, too", waiting, err)
	}
	use(11)
	use(22)
	offset(0)
	if waiting, err := s.Inbox(t.Context()); err != nil || len(waiting) != 4 {
		t.Errorf("got %v, %v; want nothing lost", waiting, err)
	}
}

// What cannot be handled or answered is kept with its reason, is handled by nobody unasked, and leaves in few ways.
func TestSetAside_IsKeptUntilItIsTriedAgainOrForgotten(t *testing.T) {
	const hers, groups, others = 1, -100, 2
	now := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
	raws := func(t *testing.T, s *Store) (all []string) {
		t.Helper()
		rows, err := s.db.Read().Query(`SELECT raw FROM inbox WHERE raw IS NOT NULL ORDER BY update_id`)
		if all, err = collect(rows, err, func(raw *string) error { return rows.Scan(raw) }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	for name, c := range map[string]struct {
		then  func(t *testing.T, s *Store)
		left  []string // what is still kept
		waits int      // updates to be handled
		tells int      // messages that were given up
	}{
		"nothing happens": {func(*testing.T, *Store) {}, []string{"hers", "unread", "others"}, 0, 2},
		"the program starts again, and the update is given out again": {func(t *testing.T, s *Store) {
			do(t, s, func(tx *Tx) error {
				fresh, err := tx.Receive([]Update{{ID: 7, Chat: hers, Raw: "hers"}})
				if len(fresh) != 0 {
					t.Errorf("got %v fresh; want none", fresh)
				}
				return err
			})
		}, []string{"hers", "unread", "others"}, 0, 2},
		"an owner has it tried again": {func(t *testing.T, s *Store) {
			do(t, s, func(tx *Tx) error {
				updates, err := tx.TryAside()
				if want := []Update{{7, hers, "hers"}, {9, 0, "unread"}, {10, others, "others"}}; !slices.Equal(updates, want) {
					t.Errorf("got %v; want %v", updates, want)
				}
				if _, again := tx.TryAside(); !errors.Is(again, ErrNotFound) {
					t.Errorf("twice: got %v; want %v", again, ErrNotFound)
				}
				tries, failed := tx.RecordAttempt(7)
				if tries != 1 {
					t.Errorf("got try %d; want all of them again", tries)
				}
				return errors.Join(err, failed)
			})
		}, []string{"hers", "unread", "others"}, 3, 0},
		"she deletes her data": {func(t *testing.T, s *Store) {
			do(t, s, func(tx *Tx) error { _, err := tx.Forget(hers); return err })
		}, []string{"unread", "others"}, 0, 1},
		"it is kept for too long": {func(t *testing.T, s *Store) {
			now = now.Add(30 * 24 * time.Hour)
			do(t, s, func(tx *Tx) error { _, _, err := tx.Purge(Keep{Inbox: 7 * 24 * time.Hour}); return err })
		}, nil, 0, 0},
		"another bot comes": {func(t *testing.T, s *Store) {
			do(t, s, func(tx *Tx) error { return errors.Join(tx.UseBot(1), tx.UseBot(2)) })
		}, []string{"others", "unread", "hers"}, 0, 2},
		"a backup is put back that nothing knows more than": {func(t *testing.T, s *Store) {
			if _, err := s.Recover(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			if held, err := s.Held(t.Context()); held != 0 || err != nil {
				t.Errorf("got %d held, %v; want none: an owner decides already", held, err)
			}
		}, []string{"hers", "unread", "others"}, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			now = time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC)
			s := clocked(t, &now)
			do(t, s, func(tx *Tx) error {
				_, err := tx.Receive([]Update{{7, hers, "hers"}, {8, groups, "a group's"}, {9, 0, "unread"}, {10, others, "others"}})
				return errors.Join(err, tx.SetAside(7, "hers", "telegram_refused"), tx.SetAside(8, "a group's", UpdateFailed),
					tx.SetAside(9, "unread", UpdateShape), tx.SetAside(10, "others", UpdateFailed),
					tx.SetAside(99, "of nobody", UpdateFailed))
			})
			c.then(t, s)
			if got := raws(t, s); !slices.Equal(got, c.left) {
				t.Errorf("got %q kept; want %q", got, c.left)
			}
			waiting, err := s.Inbox(t.Context())
			if len(waiting) != c.waits || err != nil {
				t.Errorf("got %v to handle, %v; want %d", waiting, err, c.waits)
			}
			given, err := s.NotDelivered(t.Context(), time.Time{})
			if given.N != c.tells || err != nil {
				t.Errorf("got %+v given up, %v; want %d", given, err, c.tells)
			}
			census, err := s.Census(t.Context())
			needs, wants := census.Attention[NeedsAnswer].N, min(1, len(c.left)-c.waits)
			if err != nil || census.SetAside != len(c.left)-c.waits || census.Inbox != c.waits || needs != wants {
				t.Errorf("got %d set aside, %d waiting, %d needing attention, %v", census.SetAside, census.Inbox, needs, err)
			}
		})
	}
}

// A bot that comes back, and back again, finds all that waits.
func TestInbox_SurvivesAnyNumberOfBots(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	do(t, s, func(tx *Tx) error { return tx.UseBot(1) })
	for i := range 6 {
		do(t, s, func(tx *Tx) error {
			_, err := tx.Receive([]Update{{ID: 10, Chat: 1, Raw: fmt.Sprint("a", i)},
				{ID: 11, Chat: 1, Raw: fmt.Sprint("b", i)}})
			return errors.Join(err, tx.UseBot(int64(2-i%2)))
		})
		now = now.Add(time.Second)
		do(t, s, func(tx *Tx) error { return tx.UseBot(int64(1 + i%2)) })
	}
	waiting, err := s.Inbox(t.Context())
	if err != nil || len(waiting) != 12 {
		t.Fatalf("got %v, %v; want all twelve", waiting, err)
	}
	for i, u := range waiting {
		if u.ID > 0 || u.Raw[1:] != fmt.Sprint(i/2) {
			t.Errorf("got %+v in place %d; want them in the order they came, with no number of the bot's", u, i)
		}
	}
}
