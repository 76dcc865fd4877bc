-- What a look at a platform found, and when.
ALTER TABLE publications ADD COLUMN looked_at INTEGER;
ALTER TABLE publications ADD COLUMN changed_there TEXT CHECK (changed_there IS NULL OR json_valid(changed_there));
