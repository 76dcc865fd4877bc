-- Admins have an origin. requests_open takes the place of an index. The schema adds the tables settings, setup,
-- invitations, tokens, offers, texts and bot.
-- Files older than version 10 have no admins.
CREATE TABLE IF NOT EXISTS admins (
	id INTEGER PRIMARY KEY CHECK (id > 0),
	owner INTEGER NOT NULL CHECK (owner IN (0, 1)),
	added INTEGER NOT NULL
) STRICT;
ALTER TABLE admins ADD COLUMN origin TEXT NOT NULL DEFAULT 'command' CHECK (origin IN ('command', 'page', 'invitation'));
DROP INDEX IF EXISTS requests_live;
