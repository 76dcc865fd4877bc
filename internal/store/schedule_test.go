// Tests of another time for a publication.

package store

import (
	"errors"
	"testing"
	"time"
)

func TestMoveTo_ChangesOnlyWhatWaitsAndIsAsItWasSeen(t *testing.T) {
	at := noon.Add(48 * time.Hour)
	for name, c := range map[string]struct {
		was  string // how the publication differs from one that waits
		seen time.Time
		to   time.Time
		held bool
		busy bool
		step string
		due  int64
	}{
		"by the queue":              {"", time.Time{}, at, true, false, "scheduled", at.UnixMilli()},
		"by the queue, at once":     {"publish_at = 5, step = 'scheduled'", Moment(5), time.Time{}, true, false, "", 0},
		"by the platform":           {"", time.Time{}, at, false, false, "", 7},
		"by the platform, at once":  {"publish_at = 5", Moment(5), time.Time{}, false, false, "", 7},
		"it was moved meanwhile":    {"publish_at = 6", Moment(5), at, true, true, "", 7},
		"the platform has some":     {"sent = 1", time.Time{}, at, true, true, "", 7},
		"it has a session":          {"session_uri = 'https://x', session_at = 1", time.Time{}, at, false, true, "", 7},
		"it is there":               {"remote_id = 'x'", time.Time{}, at, false, true, "", 7},
		"somebody has to upload it": {"step = 'manual'", time.Time{}, at, true, true, "manual", 7},
		"it is sent":                {"status = 'PROCESSING', started = 1", time.Time{}, at, true, true, "", 7},
	} {
		t.Run(name, func(t *testing.T) {
			now := noon
			s := clocked(t, &now)
			inserts(t, s, `INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, created, finished)
				VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'x', 'x', 't', 'ru', 'REQUEST', 'COMPLETED', 'x.mp4', 1, 1)`,
				`INSERT INTO publications (id, asset_id, platform, creator, created)
				VALUES (3, 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 'YOUTUBE', 8, 1)`,
				`INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, asked, waiting_since, waits, created)
				VALUES ('PUBLISH', 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 3, 1, 1, 7, 9, 9, 9, 1)`)
			if c.was != "" {
				inserts(t, s, `UPDATE publications SET `+c.was)
			}
			p := Publication{ID: 3, PublishAt: c.seen}
			var told []string
			err := s.Tx(t.Context(), func(tx *Tx) error {
				defer func() { told = tx.Touched() }()
				return tx.MoveTo("aaaaaaaaaaaaaaaaaaaaaaaaaa", p, c.to, c.held)
			})
			if !c.busy && len(told) == 0 {
				t.Error("open pages are told nothing")
			}
			if (err != nil) != c.busy || c.busy && !errors.Is(err, Busy(Publish)) {
				t.Errorf("got %v; want it busy: %v", err, c.busy)
			}
			var step string
			var publishAt, due, waits int64
			if err := s.db.Read().QueryRow(`SELECT p.step, ifnull(p.publish_at, 0), j.due, j.waits FROM publications p
				JOIN jobs j ON j.publication_id = p.id`).Scan(&step, &publishAt, &due, &waits); err != nil {
				t.Fatal(err)
			}
			moved := int64(0)
			if !c.to.IsZero() {
				moved = c.to.UnixMilli()
			}
			if step != c.step || due != c.due || !c.busy && publishAt != moved || (waits == 0) != (c.held && !c.busy) {
				t.Errorf("got step %q, at %d, due %d, %d waits", step, publishAt, due, waits)
			}
		})
	}
}
