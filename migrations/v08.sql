-- Codes of errors, the waits of jobs, and messages that were given up.
ALTER TABLE assets ADD COLUMN error_code TEXT;
ALTER TABLE requests ADD COLUMN undelivered INTEGER;
ALTER TABLE requests ADD COLUMN undelivered_code TEXT;
ALTER TABLE publications ADD COLUMN error_code TEXT;
ALTER TABLE jobs ADD COLUMN waiting_since INTEGER;
ALTER TABLE jobs ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN copies INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN error_code TEXT;
