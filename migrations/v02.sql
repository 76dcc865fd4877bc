-- For each row that it checks SQLite builds a table of the words of IN (…), if there are more than two; OR needs none.
-- What is stored stays as it is, so the text may be replaced (sqlite.org/lang_altertable.html).
PRAGMA writable_schema = 1;
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
ALTER TABLE assets ADD COLUMN unwanted INTEGER;
