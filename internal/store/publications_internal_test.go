// Tests of what each state of a publication asks for.

package store

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// Each state of a publication needs an admin for one reason, or for none.
func TestAttention_WhatAPublicationNeeds(t *testing.T) {
	for name, c := range map[string]struct {
		set  string
		want string
	}{
		"waits":               {``, "map[]"},
		"waits for its time":  {`step = 'scheduled', publish_at = 5`, "map[]"},
		"by hand":             {`step = 'manual'`, "map[hand-off:1]"},
		"is sent":             {`status = 'PROCESSING', started = 1`, "map[]"},
		"failed":              {`status = 'FAILED', error = 'x', completed = 1`, "map[publication:1]"},
		"is there":            {`status = 'COMPLETED', remote_id = 'x', remote_url = 'https://x', started = 1, completed = 1`, "map[]"},
		"not as it should be": {`status = 'COMPLETED', remote_id = 'x', remote_url = 'https://x', started = 1, completed = 1, standing = 'private', standing_at = 1`, "map[publication:1]"},
		"its access has ended": {`status = 'FAILED', error = 'x', completed = 1, step = 'reconnect', channel_id = 1`,
			"map[channel:1]"},
	} {
		now := noon
		s := clocked(t, &now)
		inserts(t, s, `INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, created, finished)
				VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'x', 'x', 't', 'ru', 'REQUEST', 'COMPLETED', 'x.mp4', 1, 1)`,
			`INSERT INTO channels (id, platform, external_id, title, state, token, creator, connected, checked)
				VALUES (1, 'YOUTUBE', 'UC1', 'x', 'CONNECTED', x'00', 8, 1, 1)`,
			`INSERT INTO publications (asset_id, platform, creator, created) VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'YOUTUBE', 8, 1)`)
		if c.set != "" {
			inserts(t, s, `UPDATE publications SET `+c.set)
		}
		if name == "its access has ended" {
			inserts(t, s, `UPDATE channels SET state = 'ENDED', error = 'x'`)
		}
		all, err := s.Attention(t.Context(), Admin{ID: 8, Owner: true}, time.Time{})
		got := map[string]int{}
		for kind, g := range all {
			got[kind] = g.N
		}
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s: got %v, %v; want %s", name, got, err, c.want)
		}
	}
}

// A publication that gets through gives its channel back, and open pages count one channel less without access.
func TestFinishPublishing_AChannelThatWorksAgainIsTold(t *testing.T) {
	for state, want := range map[string]bool{"CONNECTED": false, "ENDED": true} {
		now := noon
		s := clocked(t, &now)
		inserts(t, s, `INSERT INTO assets (id, name, name_key, template, lang, origin, status, file, created, finished)
				VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 'x', 'x', 't', 'ru', 'REQUEST', 'COMPLETED', 'x.mp4', 1, 1)`,
			`INSERT INTO channels (id, platform, external_id, title, state, token, creator, connected, checked, error)
				VALUES (1, 'YOUTUBE', 'UC1', 'x', '`+state+`', x'00', 8, 1, 1, iif('`+state+`' = 'ENDED', 'x', NULL))`)
		do(t, s, func(tx *Tx) error {
			return tx.Publish("aaaaaaaaaaaaaaaaaaaaaaaaaa", Publication{Platform: "YOUTUBE", Channel: 1, Creator: 8})
		})
		task := claims(t, s, Publish, 1)[0]
		do(t, s, func(tx *Tx) error {
			back, err := tx.FinishPublishing(task.Job)
			if back != want || slices.Contains(tx.Touched(), "") != want {
				t.Errorf("%s: got back %v, told %q; want %v", state, back, tx.Touched(), want)
			}
			return err
		})
	}
}
