// Tests of how long what belongs to the program itself is kept, whatever the settings are: docs/privacy.md says it.

package store_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"retake.example/internal/store"
)

func TestPurge_WhatNobodyHasAUseForGoesAtItsTime(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		insert string        // ?1 is the time
		life   time.Duration // since it
	}{
		"a name that was not confirmed": {`INSERT INTO drafts (id, user_id, name, created) VALUES ('x', 1, 'Маша', ?1)`, day},
		"who asked for how much":        {`INSERT INTO ledger (person, at) VALUES (zeroblob(32), ?1)`, day},
		"the key of a day":              {`INSERT INTO ledger_keys (day, key) VALUES (?1, zeroblob(32))`, 2 * day},
		"a session since its last visit": {`INSERT INTO sessions (hash, admin, created, seen)
			VALUES (zeroblob(32), 8, ?1, ?1)`, 14 * day},
		"a session that is used each day": {`INSERT INTO sessions (hash, admin, created, seen)
			VALUES (zeroblob(32), 8, ?1, ?1 + 89 * 86400000)`, 90 * day},
		"a sign-in link": {`INSERT INTO links (hash, admin, expires) VALUES (zeroblob(32), 8, ?1 + 900000)`, 16 * time.Minute},
		"an invitation": {`INSERT INTO invitations (hash, owner, inviter, expires)
			VALUES (zeroblob(32), 0, 8, ?1 + 86400000)`, day + time.Minute},
		"a token that has expired": {`INSERT INTO tokens (hash, admin, title, scope, created, expires)
			VALUES (zeroblob(32), 8, 'x', 'read', 1, ?1)`, 30 * day},
		"what an admin has deleted": {`INSERT INTO bin (id, at, admin, name, content)
			VALUES ('AAAAAAAAAAAAAAAAAAAAAAAAAA', ?1, 8, 'Маша', '{}')`, day},
		"the number of an update": {`INSERT INTO inbox (update_id, chat_id, received) VALUES (1, 0, ?1)`, 6 * day},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(1, "ru"); return err })
			table := regexp.MustCompile(`INTO (\w+)`).FindStringSubmatch(c.insert)[1]
			now := time.Now()
			for _, step := range []struct {
				early time.Duration
				want  int
			}{{time.Minute, 1}, {-2 * time.Minute, 0}} {
				mutate(t, s, `DELETE FROM `+table)
				mutate(t, s, strings.ReplaceAll(c.insert, "?1", fmt.Sprint(now.Add(-c.life+step.early).UnixMilli())))
				purge(t, s, store.Keep{})
				if n := count(t, s, `SELECT count(*) FROM `+table); n != step.want {
					t.Errorf("%v before its time: got %d; want %d", step.early, n, step.want)
				}
			}
		})
	}
}

func TestNewID_Is128RandomBits(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		id := store.NewID()
		if len(id) != 26 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" || seen[id] { // 5 bits each
			t.Fatalf("got %q; want 26 letters of base32, and no id twice", id)
		}
		seen[id] = true
	}
}
