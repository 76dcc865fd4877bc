// Tests of the updates of Telegram that wait.

package store

import (
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
