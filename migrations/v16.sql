-- Admins have an origin. requests_open takes the place of an index. The schema adds the tables settings, setup,
-- invitations, tokens, offers, texts and bot.
ALTER TABLE admins ADD COLUMN origin TEXT NOT NULL DEFAULT 'command' CHECK (origin IN ('command', 'page', 'invitation'));
DROP INDEX IF EXISTS requests_live;
