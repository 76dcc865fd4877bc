-- The field's terms. What follows needs the bin, which files older than version 14 don't have.
DROP INDEX IF EXISTS jobs_by_lane;
DROP INDEX IF EXISTS assets_unwanted;
DROP INDEX IF EXISTS requests_held;
DROP INDEX IF EXISTS inbox_held;
DROP INDEX IF EXISTS tails_by_key;
DROP INDEX IF EXISTS attempts_tried_again;
ALTER TABLE assets RENAME COLUMN needs TO needs_attention;
ALTER TABLE assets RENAME COLUMN unwanted TO delete_requested_at;
ALTER TABLE publications RENAME COLUMN dressed TO extras_done;
ALTER TABLE channels RENAME COLUMN hold TO paused_until;
ALTER TABLE channels RENAME COLUMN hold_for TO paused_for;
ALTER TABLE requests RENAME COLUMN held TO restore_hold;
ALTER TABLE inbox RENAME COLUMN held TO restore_hold;
ALTER TABLE jobs RENAME COLUMN lane TO fairness_key;
ALTER TABLE jobs RENAME COLUMN turn TO position;
ALTER TABLE jobs RENAME COLUMN crowd TO fan_out;
ALTER TABLE jobs RENAME COLUMN suspect TO quarantined;
ALTER TABLE tallies RENAME TO name_counts;
ALTER TABLE tails RENAME TO name_suffixes;
ALTER TABLE name_suffixes RENAME COLUMN tail TO suffix;
PRAGMA writable_schema = 1;
UPDATE sqlite_schema SET sql = replace(sql, '''gave up''', '''gave_up''') WHERE type = 'table' AND name = 'attempts';
UPDATE sqlite_schema SET sql = replace(sql, '"' || name || '"', name) WHERE name IN ('name_counts', 'name_suffixes');
PRAGMA writable_schema = RESET;
UPDATE attempts SET outcome = 'gave_up' WHERE outcome = 'gave up';
CREATE TABLE IF NOT EXISTS bin (
	id TEXT PRIMARY KEY,
	at INTEGER NOT NULL,
	admin INTEGER NOT NULL,
	creator INTEGER,
	name TEXT NOT NULL,
	file TEXT,
	thumb TEXT,
	content TEXT NOT NULL CHECK (json_valid(content))
) STRICT;
UPDATE bin SET content = replace(replace(replace(replace(replace(content, '"needs":', '"needs_attention":'),
	'"unwanted":', '"delete_requested_at":'), '"dressed":', '"extras_done":'), '"held":', '"restore_hold":'),
	'"outcome":"gave up"', '"outcome":"gave_up"');
-- Who asked first is answered first.
UPDATE jobs SET position = ifnull(request_id, ifnull((SELECT min(id) FROM requests r
	WHERE r.asset_id = jobs.asset_id AND r.id > jobs.fan_out), 0)) WHERE kind IN ('ANNOUNCE', 'DELIVER', 'APOLOGISE');
UPDATE inbox SET chat_id = 0 WHERE raw IS NULL;
