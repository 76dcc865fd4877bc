-- A Telegram channel is a platform, and channels have defaults. The schema makes the triggers and the index again.
ALTER TABLE assets ADD COLUMN telegram INTEGER NOT NULL DEFAULT 0 CHECK (telegram IN (0, 1));
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
