// Every SQL statement of Retake, the types they fill, and the transactions they run in.

package main

import (
	"context"
	_ "embed"

	"retake.example/internal/store"

	"retake.example/internal/db"
)

//go:embed schema.sql
var schema string

// steps lead from one version of the schema to the next; they are only ever added to. What CREATE … IF NOT EXISTS of
// schema.sql adds needs no more than a step that does nothing.
var steps = []string{
	// For each row that it checks SQLite builds a table of the words of IN (…), if there are more than two; OR needs none.
	// What is stored stays as it is, so the text may be replaced (sqlite.org/lang_altertable.html).
	`PRAGMA writable_schema = 1;
	UPDATE sqlite_schema SET sql = replace(replace(replace(replace(sql,
		'status IN (''PENDING'', ''PROCESSING'', ''COMPLETED'', ''FAILED'')',
		'status = ''PENDING'' OR status = ''PROCESSING'' OR status = ''COMPLETED'' OR status = ''FAILED'''),
		'kind IN (''RENDER'', ''ANNOUNCE'', ''DELIVER'', ''APOLOGISE'', ''PUBLISH'')',
		'kind = ''RENDER'' OR kind = ''ANNOUNCE'' OR kind = ''DELIVER'' OR kind = ''APOLOGISE'' OR kind = ''PUBLISH'''),
		'kind IN (''ANNOUNCE'', ''DELIVER'', ''APOLOGISE'')',
		'kind = ''ANNOUNCE'' OR kind = ''DELIVER'' OR kind = ''APOLOGISE'''),
		'outcome IN (''done'', ''rescheduled'', ''deferred'', ''gave up'', ''crashed'')',
		'outcome = ''done'' OR outcome = ''rescheduled'' OR outcome = ''deferred'' OR outcome = ''gave up'' OR outcome = ''crashed''')
	WHERE type = 'table' AND name IN ('assets', 'requests', 'publications', 'jobs', 'attempts');
	PRAGMA writable_schema = RESET;
	DROP INDEX jobs_waiting;
	ALTER TABLE outage DROP COLUMN told;
	ALTER TABLE users ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
	UPDATE users SET seen = CAST(unixepoch('subsec') * 1000 AS INTEGER);
	ALTER TABLE assets ADD COLUMN unwanted INTEGER`,
	// What a restored backup owes is held. The schema makes the view again.
	`ALTER TABLE requests ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held BETWEEN 0 AND 2);
	 ALTER TABLE inbox ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1));
	 DROP VIEW unserved`,
	// A message for many people is a row.
	`ALTER TABLE jobs ADD COLUMN crowd INTEGER CHECK (crowd IS NULL OR request_id IS NULL AND started IS NULL);
	PRAGMA writable_schema = 1;
	UPDATE sqlite_schema SET sql = replace(sql, '= (request_id IS NOT NULL)', '= (request_id IS NOT NULL OR crowd IS NOT NULL)')
	WHERE type = 'table' AND name = 'jobs';
	PRAGMA writable_schema = RESET`,
	// A crowd says which progress messages its people have. The schema makes the view again.
	`DROP VIEW IF EXISTS crowds`,
	// The schema adds the view publishable, and makes the index again with the video that the view is asked about.
	`DROP INDEX publications_failed`,
	// The schema adds the table menus.
	`ALTER TABLE users ADD COLUMN source TEXT`,
	// Codes of errors, the waits of jobs, and messages that were given up.
	`ALTER TABLE assets ADD COLUMN error_code TEXT;
	ALTER TABLE requests ADD COLUMN undelivered INTEGER;
	ALTER TABLE requests ADD COLUMN undelivered_code TEXT;
	ALTER TABLE publications ADD COLUMN error_code TEXT;
	ALTER TABLE jobs ADD COLUMN waiting_since INTEGER;
	ALTER TABLE jobs ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE jobs ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE jobs ADD COLUMN copies INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE attempts ADD COLUMN error_code TEXT`,
	// The schema adds the tables ledger, ledger_keys, bans and pause.
	`SELECT 1`,
	// What is found at the platforms. The schema adds an index that keeps two publications from having the same video: of
	// those that have one the first keeps it.
	`ALTER TABLE publications ADD COLUMN look_at INTEGER;
	ALTER TABLE publications ADD COLUMN standing TEXT CHECK (standing IN ('private', 'gone', 'failed', 'rejected', 'taken down'));
	ALTER TABLE publications ADD COLUMN standing_at INTEGER;
	ALTER TABLE publications ADD COLUMN accepted TEXT;
	ALTER TABLE channels ADD COLUMN ends INTEGER;
	UPDATE publications AS p SET remote_id = NULL WHERE EXISTS (SELECT 1 FROM publications o
		WHERE o.platform = p.platform AND o.remote_id = p.remote_id AND o.id < p.id)`,
	// Videos made in advance. The schema adds the tables advance and editions.
	`ALTER TABLE assets ADD COLUMN advance INTEGER CHECK (advance IN (0, 1))`,
	// How the name is spoken and what the pictures are coded in. Keys of names see through more disguises: those that
	// change, and what is counted and found by them, are computed again. Of two videos under way that are now of one name,
	// the second keeps its old key. The schema makes the trigger again.
	`ALTER TABLE assets ADD COLUMN note TEXT CHECK (note IN ('OTHER_VOICE', 'MUSIC_ONLY'));
	ALTER TABLE assets ADD COLUMN codec TEXT;
	DROP TRIGGER IF EXISTS assets_name_is_final;
	CREATE TABLE rekeyed (id TEXT PRIMARY KEY, old TEXT, new TEXT);
	INSERT INTO rekeyed SELECT * FROM (SELECT id, name_key old, name_key_of(name) new FROM assets) WHERE new NOT IN ('', old);
	UPDATE OR IGNORE assets SET name_key = r.new FROM rekeyed r WHERE r.id = assets.id;
	DELETE FROM tallies WHERE name_key IN (SELECT old FROM rekeyed UNION SELECT new FROM rekeyed);
	DELETE FROM tails WHERE name_key IN (SELECT old FROM rekeyed UNION SELECT new FROM rekeyed);
	INSERT INTO tallies SELECT a.name_key, p.part, a.status, count(*)
		FROM (SELECT old k FROM rekeyed UNION SELECT new FROM rekeyed) CROSS JOIN assets a ON a.name_key = k
			JOIN (SELECT '' part UNION ALL SELECT 'NEEDS' UNION ALL SELECT 'YOUTUBE' UNION ALL SELECT 'RUMBLE') p
			ON p.part = '' OR p.part = 'NEEDS' AND a.needs OR p.part = 'YOUTUBE' AND a.youtube OR p.part = 'RUMBLE' AND a.rumble
		GROUP BY 1, 2, 3;
	INSERT INTO tails SELECT DISTINCT substr(replace(k, '-', ' '), at.key + 1), k
		FROM (SELECT old k FROM rekeyed UNION SELECT new FROM rekeyed),
			json_each('[0' || replace(hex(zeroblob(length(k) - 1)), '00', ',0') || ']') at
		WHERE (at.key = 0 OR substr(k, at.key, 1) IN (' ', '-')) AND EXISTS (SELECT 1 FROM assets WHERE name_key = k);
	DROP TABLE rekeyed`,
	// A Telegram channel is a platform, and channels have defaults. The schema makes the triggers and the index again.
	`ALTER TABLE assets ADD COLUMN telegram INTEGER NOT NULL DEFAULT 0 CHECK (telegram IN (0, 1));
	ALTER TABLE channels ADD COLUMN defaults TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(defaults));
	PRAGMA writable_schema = 1;
	UPDATE sqlite_schema SET sql = replace(replace(sql,
		'CHECK (platform IN (''YOUTUBE'', ''RUMBLE''))',
		'CHECK (platform = ''YOUTUBE'' OR platform = ''RUMBLE'' OR platform = ''TELEGRAM'')'),
		'CHECK (platform = ''YOUTUBE''),',
		'CHECK (platform = ''YOUTUBE'' OR platform = ''TELEGRAM''),')
	WHERE type = 'table' AND name IN ('channels', 'publications');
	PRAGMA writable_schema = RESET;
	DROP INDEX IF EXISTS assets_by_age;
	DROP TRIGGER IF EXISTS assets_tally_parts;
	DROP TRIGGER IF EXISTS assets_tally_delete;
	DROP TRIGGER IF EXISTS publications_place_insert;
	DROP TRIGGER IF EXISTS publications_place_delete`,
	// Failed videos that were tried again are marked and counted. The schema makes the triggers and the index again, and
	// adds the tables admin_names, bin and totals.
	`DROP TRIGGER IF EXISTS assets_tally_parts;
	DROP TRIGGER IF EXISTS assets_tally_delete;
	DROP INDEX IF EXISTS assets_newest;
	ALTER TABLE assets ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1));
	UPDATE assets SET replaced = 1 WHERE status = 'FAILED' AND id IN (SELECT retry_of FROM assets);
	INSERT INTO tallies SELECT name_key, 'REPLACED', status, count(*) FROM assets WHERE replaced = 1 GROUP BY name_key;
	INSERT INTO tallies SELECT '', 'REPLACED', 'FAILED', count(*) FROM assets WHERE replaced = 1 HAVING count(*) > 0`,
}

// schemaVersion is the version of the schema.
func schemaVersion() int { return len(steps) + 1 }

// OpenStore opens the database file at path, and creates or upgrades it.
func OpenStore(path string) (*store.Store, error) { return OpenStoreWith(path, store.Options{}) }

// OpenStoreWith is OpenStore with the Before and Now of o.
func OpenStoreWith(path string, o store.Options) (*store.Store, error) {
	o.Schema, o.Steps = schema, steps
	return store.Open(path, o)
}

// LookAt reads the file of a database that another process may be using, and changes nothing. broken is what is damaged
// in it; newer: it belongs to a newer version of the program.
func LookAt(ctx context.Context, path string) (broken []string, newer bool, err error) {
	d, err := db.Look(path)
	if err != nil {
		return nil, false, err
	}
	defer d.Close()
	version, broken, err := db.Examine(ctx, d)
	return broken, version > len(steps)+1, err
}
