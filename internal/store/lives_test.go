// Tests of how long what belongs to the program itself is kept, whatever the settings are: docs/privacy.md says it.

package store_test

import (
	"fmt"
	"regexp"
	"slices"
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
		"when an upload began":    {`INSERT INTO uploads VALUES (?1)`, 2 * day},
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

// TestPurge_TenYearsLaterNothingIsLeftButWhatThePageSays has a row of every table, and nobody does anything any more.
func TestPurge_TenYearsLaterNothingIsLeftButWhatThePageSays(t *testing.T) {
	s := newStore(t)
	write(t, s, func(tx *store.Tx) error { _, err := tx.UpsertUser(1, "ru"); return err })
	theirs, shown := ask(t, s, "Маша", 1), store.NewID()
	complete(t, s)
	mutate(t, s, `DELETE FROM jobs`) // it has been sent
	hour := time.Now().Add(-time.Hour).UnixMilli()
	for _, statement := range []string{
		`INSERT INTO drafts (id, user_id, name, created) VALUES ('x', 1, 'Даша', ?1)`,
		`INSERT INTO assets (id, name, name_key, template, lang, origin, creator, status, file, created, finished)
			VALUES ('` + shown + `', 'Наша', 'наша', 't', 'ru', 'REQUEST', 8, 'COMPLETED', 'n.mp4', ?1, ?1)`,
		`INSERT INTO publications (asset_id, platform, creator, created) VALUES ('` + shown + `', 'YOUTUBE', 8, ?1)`,
		`INSERT INTO jobs (kind, asset_id, publication_id, fairness_key, position, due, created)
			VALUES ('PUBLISH', '` + shown + `', 1, 8, 1, 0, ?1)`,
		`INSERT INTO requests (user_id, asset_id, chat_id, status, created, finished)
			VALUES (1, '` + shown + `', 1, 'COMPLETED', ?1, ?1)`,
		`INSERT INTO attempts (asset_id, kind, attempt, started, finished, outcome)
			VALUES ('` + shown + `', 'RENDER', 1, ?1, ?1, 'done')`,
		`INSERT INTO channels (platform, external_id, title, state, token, creator, connected, checked)
			VALUES ('YOUTUBE', 'UC', 'Ours', 'CONNECTED', x'00', 8, ?1, ?1)`,
		`INSERT INTO uploads VALUES (?1)`,
		`INSERT INTO advance (name, name_key, template, lang, creator, created) VALUES ('Яна', 'яна', 't', 'ru', 8, ?1)`,
		`INSERT INTO editions VALUES ('t', 'sum')`,
		`INSERT INTO offers VALUES ('t', 1)`,
		`INSERT INTO outage (id, began, reason) VALUES (1, ?1, 'no connection')`,
		`INSERT INTO menus VALUES (0, 'ru', 'sum')`,
		`INSERT INTO alerts (admin, cause, at) VALUES (8, 'disk', ?1)`,
		`INSERT INTO inbox (update_id, chat_id, raw, received) VALUES (1, 1, '{}', ?1)`,
		`INSERT OR REPLACE INTO bot VALUES (1, 123456)`,
		`INSERT INTO links VALUES (zeroblob(32), 8, ?1)`,
		`INSERT INTO sessions VALUES (zeroblob(32), 8, ?1, ?1)`,
		`INSERT INTO admins (id, owner, added) VALUES (8, 1, ?1)`,
		`INSERT INTO admin_names (id, name) VALUES (8, 'Ольга')`,
		`INSERT INTO setup (id) VALUES (1)`,
		`INSERT INTO invitations (hash, owner, inviter, expires) VALUES (zeroblob(32), 0, 8, ?1)`,
		`INSERT INTO tokens (hash, admin, title, scope, created, expires) VALUES (zeroblob(32), 8, 'x', 'read', ?1, ?1)`,
		`INSERT INTO ledger VALUES (zeroblob(32), ?1)`,
		`INSERT INTO ledger_keys VALUES (?1, zeroblob(32))`,
		`INSERT INTO bans VALUES (3, ?1)`,
		`INSERT INTO pause VALUES (1, ?1)`,
		`INSERT INTO texts VALUES ('ru', 'start', 'other', 'Привет', ?1, 8)`,
		`INSERT INTO consents VALUES (1, ?1, 'agreed', ?1)`,
		`INSERT INTO announcements (texts, status, creator, created, changed, started, finished)
			VALUES ('{"":"Всем"}', 'done', 8, ?1, ?1, ?1, ?1)`,
		`INSERT INTO announced (announcement_id, user_id, outcome, at) VALUES (1, 1, 'delivered', ?1)`,
		`INSERT INTO audit (at, user_id, action, asset_id) VALUES (?1, 1, 'ask', '` + theirs.ID + `')`,
		`INSERT INTO bin (id, at, admin, name, content) VALUES ('AAAAAAAAAAAAAAAAAAAAAAAAAA', ?1, 8, 'Эва', '{}')`,
		`INSERT INTO settings (key, value, changed, admin) VALUES ('limits.open', '3', ?1, 8)`,
	} {
		mutate(t, s, strings.ReplaceAll(statement, "?1", fmt.Sprint(hour)))
	}
	left := func() (all, empty []string) {
		tables, err := texts(t, s, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
			ORDER BY name`)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range tables {
			if count(t, s, `SELECT count(*) FROM `+table) > 0 {
				all = append(all, table)
			} else {
				empty = append(empty, table)
			}
		}
		return all, empty
	}
	if _, empty := left(); len(empty) > 0 {
		t.Fatalf("got nothing in %q; want a row of every table, and a word of how long it stays in docs/privacy.md", empty)
	}
	setNow(s, func() time.Time { return time.Now().AddDate(10, 0, 0) })
	purge(t, s, keeps)
	// Admins and what they made or chose, what is in a state until that ends, and numbers.
	want := []string{"admin_names", "admins", "advance", "alerts", "announcements", "assets", "bans", "bot", "channels",
		"editions", "jobs", "menus", "name_counts", "name_suffixes", "offers", "outage", "pause", "publications",
		"settings", "setup", "texts", "totals"}
	if got, _ := left(); !slices.Equal(got, want) {
		t.Errorf("got rows in %q; want %q", got, want)
	}
	if got := text(t, s, `SELECT group_concat(name) FROM assets`); got != "Наша" {
		t.Errorf("got the videos %q; want the one that an admin has made and published", got)
	}
}
