-- Admins have an origin. The schema adds the tables settings, setup, invitations and tokens.
ALTER TABLE admins ADD COLUMN origin TEXT NOT NULL DEFAULT 'command' CHECK (origin IN ('command', 'page', 'invitation'));
