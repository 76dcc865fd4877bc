// Tests of announcements that need rows of their own.

package store

import (
	"errors"
	"testing"
)

func TestRepeatAnnouncement_SendsWhatFailedAndNothingElse(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, aUser, `INSERT INTO users (id, lang, created) VALUES (2, 'ru', 1), (3, 'ru', 1)`,
		`INSERT INTO announcements (id, texts, status, creator, created, changed, started, finished, people, failed, delivered)
			VALUES (1, '{"": "x"}', 'done', 8, 1, 1, 1, 1, 3, 1, 1)`,
		`INSERT INTO announced (announcement_id, user_id, outcome, at, tries)
			VALUES (1, 1, 'delivered', 1, 1), (1, 2, 'failed', 1, 1), (1, 3, 'blocked', 1, 1)`)
	do(t, s, func(tx *Tx) error { return tx.RepeatAnnouncement(1, 8) })
	if n := number(t, s, `SELECT count(*) FROM announced WHERE outcome = 'waiting' AND user_id = 2`); n != 1 ||
		number(t, s, `SELECT count(*) FROM announced WHERE outcome = 'waiting'`) != 1 {
		t.Error("want the copy that failed sent again, and no other")
	}
	inserts(t, s, `UPDATE announcements SET status = 'done', finished = 1`, `UPDATE announced SET outcome = 'delivered'`)
	if err := s.Tx(t.Context(), func(tx *Tx) error { return tx.RepeatAnnouncement(1, 8) }); !errors.Is(err, ErrConflict) {
		t.Errorf("with none that failed: got %v; want ErrConflict", err)
	}
}

// Open pages are told when an announcement stops, ends, or has gone further and says so.
func TestAnnouncements_PagesAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(tx *Tx) error
		told bool
	}{
		"halted":   {func(tx *Tx) error { return tx.HaltAnnouncement(1, "x") }, true},
		"finished": {func(tx *Tx) error { return tx.FinishAnnouncement(1) }, true},
		"a copy": {func(tx *Tx) error {
			return tx.KeepCopy(Copy{Announcement: 1, User: 1}, CopyDelivered, "", tx.Now(), true)
		}, true},
		"a copy among many.": {func(tx *Tx) error {
			return tx.KeepCopy(Copy{Announcement: 1, User: 1}, CopyDelivered, "", tx.Now(), false)
		}, false},
	} {
		now := noon
		s := clocked(t, &now)
		inserts(t, s, aUser, `INSERT INTO announcements (id, texts, status, creator, created, changed, started, people)
			VALUES (1, '{"": "x"}', 'sending', 8, 1, 1, 1, 1)`)
		var told []string
		do(t, s, func(tx *Tx) error {
			defer func() { told = tx.Touched() }()
			return c.do(tx)
		})
		if (len(told) > 0) != c.told {
			t.Errorf("%s: told %q; want it told: %v", name, told, c.told)
		}
	}
}
