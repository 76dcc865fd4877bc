-- Admins have an origin; files older than version 10 don't have that table. The schema adds invitations and tokens.
CREATE TABLE IF NOT EXISTS admins (
	id INTEGER PRIMARY KEY CHECK (id > 0),
	owner INTEGER NOT NULL CHECK (owner IN (0, 1)),
	added INTEGER NOT NULL
) STRICT;
ALTER TABLE admins ADD COLUMN origin TEXT NOT NULL DEFAULT 'command' CHECK (origin IN ('command', 'page', 'invitation'));
