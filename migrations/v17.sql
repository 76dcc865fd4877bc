-- The schema adds the tables consents, announcements and announced.
-- An update that is set aside keeps its content, so that an owner can have it tried again. The schema adds the index.
ALTER TABLE inbox ADD COLUMN set_aside INTEGER;
PRAGMA writable_schema = 1;
UPDATE sqlite_schema SET sql = replace(sql, 'CONSTRAINT set_aside_is_erased CHECK (error IS NULL OR raw IS NULL)',
	'CONSTRAINT set_aside_has_content_and_reason CHECK (set_aside IS NULL OR raw IS NOT NULL AND error IS NOT NULL)')
WHERE type = 'table' AND name = 'inbox';
PRAGMA writable_schema = RESET;
-- The database knows no platform by its name: a further one needs no step. The schema makes the triggers and the indexes
-- again.
DROP INDEX IF EXISTS assets_by_age;
DROP INDEX IF EXISTS assets_by_name_on_youtube;
DROP INDEX IF EXISTS assets_newest_on_youtube;
DROP INDEX IF EXISTS assets_newest_by_status_on_youtube;
DROP INDEX IF EXISTS assets_by_name_on_rumble;
DROP INDEX IF EXISTS assets_newest_on_rumble;
DROP INDEX IF EXISTS assets_newest_by_status_on_rumble;
DROP INDEX IF EXISTS assets_by_name_on_telegram;
DROP INDEX IF EXISTS assets_newest_on_telegram;
DROP INDEX IF EXISTS assets_newest_by_status_on_telegram;
UPDATE assets SET youtube = 1 WHERE rumble = 1 OR telegram = 1;
ALTER TABLE assets RENAME COLUMN youtube TO published;
ALTER TABLE assets DROP COLUMN rumble;
ALTER TABLE assets DROP COLUMN telegram;
ALTER TABLE publications ADD COLUMN asset_created INTEGER;
UPDATE publications SET asset_created = (SELECT created FROM assets a WHERE a.id = asset_id);
PRAGMA writable_schema = 1;
UPDATE sqlite_schema SET sql = replace(replace(sql,
	'CHECK (platform = ''YOUTUBE'' OR platform = ''RUMBLE'' OR platform = ''TELEGRAM'')',
	'CHECK (platform <> '''' AND platform = upper(platform))'),
	'CHECK (platform = ''YOUTUBE'' OR platform = ''TELEGRAM'')',
	'CHECK (platform <> '''' AND platform = upper(platform))')
WHERE type = 'table' AND name IN ('channels', 'publications');
PRAGMA writable_schema = RESET;
-- audit_by_admin, requests_undelivered_since and assets_needing_since take the place of indexes.
DROP INDEX IF EXISTS audit_of_admins;
DROP INDEX IF EXISTS requests_undelivered_by_asset;
DROP INDEX IF EXISTS assets_needing_by_time;
