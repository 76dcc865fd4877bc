// Tests of people at the moments that count.

package store

import (
	"testing"
	"time"
)

func TestRecentUser_WasSeenWithinADayAndNotLater(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	do(t, s, func(tx *Tx) error { _, err := tx.UpsertUser(1, "ru"); return err })
	for after, want := range map[time.Duration]bool{-time.Millisecond: false, 0: true,
		24*time.Hour - time.Millisecond: true, 24 * time.Hour: false} {
		now = noon.Add(after)
		if _, err := s.RecentUser(t.Context(), 1); (err == nil) != want {
			t.Errorf("%v after: got %v; want them known: %v", after, err, want)
		}
	}
}

func TestConsent_OfSomebodyWhoWasNotAskedIsNone(t *testing.T) {
	s := fresh(t)
	do(t, s, func(tx *Tx) error {
		answer, err := tx.Consent(404)
		if answer != "" || err != nil {
			t.Errorf("got %q, %v; want no answer", answer, err)
		}
		return nil
	})
}
