-- What a restored backup owes is held. The schema makes the view again.
ALTER TABLE requests ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held BETWEEN 0 AND 2);
ALTER TABLE inbox ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1));
