// Tests of the room that videos may take.

package store

import (
	"fmt"
	"testing"
)

// Only as many of the oldest videos go as the room is for, and none that somebody may still want.
func TestMakeRoom_TakesTheOldestAndNoMoreThanIsNeeded(t *testing.T) {
	now := noon
	s := clocked(t, &now)
	video := func(id string, age int, more string) {
		t.Helper()
		inserts(t, s, fmt.Sprintf(`INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, size, created, finished)
			VALUES ('%s', '%s', '%[1]s', 't', 'ru', 'REQUEST', 'COMPLETED', '%[1]s.mp4', 1000, $now - %[3]d, $now - %[3]d)`, id, id, age))
		if more != "" {
			inserts(t, s, fmt.Sprintf(more, id))
		}
	}
	inserts(t, s, aUser)
	for i, more := range []string{`UPDATE assets SET creator = 8 WHERE id = '%s'`, `UPDATE assets SET advance = 1 WHERE id = '%s'`,
		`INSERT INTO publications (asset_id, platform, creator, created, status, remote_id, remote_url, started, completed)
			VALUES ('%s', 'YOUTUBE', 8, 1, 'COMPLETED', 'x', 'https://x', 1, 1)`,
		`INSERT INTO jobs (kind, asset_id, fairness_key, position, due, created) VALUES ('RENDER', '%s', 1, 1, 0, 1)`,
		`INSERT INTO requests (user_id, asset_id, chat_id, status, created, restore_hold) VALUES (1, '%s', 1, 'PROCESSING', 1, 1)`,
	} {
		video(fmt.Sprintf("k%025d", i), 100_000-i, more)
	}
	for i := range 5 {
		video(fmt.Sprintf("v%025d", i), 10_000-i, "")
	}
	for _, c := range []struct {
		bytes, freed int64
		left         int
	}{{0, 0, 10}, {1, 1000, 9}, {1000, 1000, 8}, {1001, 2000, 6}, {1 << 40, 1000, 5}, {1, 0, 5}} {
		do(t, s, func(tx *Tx) error {
			gone, freed, err := tx.MakeRoom(c.bytes)
			if freed != c.freed || len(gone.Assets) != int(c.freed/1000) {
				t.Errorf("%d bytes: got %d from %d videos; want %d", c.bytes, freed, len(gone.Assets), c.freed)
			}
			return err
		})
		if got := number(t, s, `SELECT count(*) FROM assets`); got != c.left {
			t.Errorf("%d bytes: %d videos are left; want %d", c.bytes, got, c.left)
		}
	}
	if n := number(t, s, `SELECT count(*) FROM assets WHERE id LIKE 'k%'`); n != 5 {
		t.Errorf("got %d of those that somebody may want; want all five", n)
	}
}
