-- Failed videos that were tried again are marked and counted. The schema makes the triggers and the index again, and
-- adds the tables admin_names, bin and totals.
DROP INDEX IF EXISTS assets_newest;
ALTER TABLE assets ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1));
UPDATE assets SET replaced = 1 WHERE status = 'FAILED' AND id IN (SELECT retry_of FROM assets);
INSERT INTO tallies SELECT name_key, 'REPLACED', status, count(*) FROM assets WHERE replaced = 1 GROUP BY name_key;
INSERT INTO tallies SELECT '', 'REPLACED', 'FAILED', count(*) FROM assets WHERE replaced = 1 HAVING count(*) > 0;
