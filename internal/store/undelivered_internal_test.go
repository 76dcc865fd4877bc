// Tests of messages that were given up.

package store

import (
	"testing"
	"time"
)

// Somebody who asks again takes the mark only from an apology about that video.
func TestOutdated_TakesOnlyMarksOfWhatWasAskedForSince(t *testing.T) {
	s := fresh(t)
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "anna"); asks(t, tx, 1, "boris"); return nil })
	fails(t, s)
	for _, task := range claims(t, s, Apologise, 9) {
		do(t, s, func(tx *Tx) error { return tx.GiveUp(task.Job, "away", "") })
	}
	marked := func() int { return number(t, s, `SELECT count(*) FROM requests WHERE undelivered IS NOT NULL`) }
	if n := marked(); n != 2 {
		t.Fatalf("got %d messages given up; want both apologies", n)
	}
	if n := number(t, s, `SELECT count(*) FROM requests WHERE progress_id IS NOT NULL`); n != 2 {
		t.Fatalf("got %d progress messages; want two", n)
	}
	if all, err := s.Stranded(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("got %+v, %v; want both people's messages to say so", all, err)
	}
	do(t, s, func(tx *Tx) error { asks(t, tx, 1, "anna"); return nil })
	if n := marked(); n != 1 {
		t.Errorf("got %d; want the one about the other name", n)
	}
	if all, err := s.Stranded(t.Context()); err != nil || len(all) != 1 || all[0].Name != "boris" {
		t.Errorf("got %+v, %v; want that one alone", all, err)
	}
}

// What was given up after a moment is counted, and an update that nobody can read is no message.
func TestNotDelivered_CountsMessagesAndAnswersSinceThen(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	inserts(t, s, aUser, anAsset, `INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished, undelivered)
			VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'FAILED', 1, 1, $now)`,
		`INSERT INTO inbox (update_id, chat_id, raw, received, set_aside, error) VALUES (1, 1, '{}', 1, $now - 1, 'update_failed'),
			(2, 1, '{}', 1, $now, '`+UpdateShape+`')`)
	for after, want := range map[time.Duration]int{-2 * time.Millisecond: 2, -time.Millisecond: 1, 0: 0} {
		g, err := s.NotDelivered(t.Context(), noon.Add(after))
		if err != nil || g.N != want {
			t.Errorf("after %v: got %+v, %v; want %d", after, g, err, want)
		}
	}
}
