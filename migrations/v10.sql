-- What is found at the platforms. The schema adds an index that keeps two publications from having the same video: of
-- those that have one the first keeps it.
ALTER TABLE publications ADD COLUMN look_at INTEGER;
ALTER TABLE publications ADD COLUMN standing TEXT CHECK (standing IN ('private', 'gone', 'failed', 'rejected', 'taken down'));
ALTER TABLE publications ADD COLUMN standing_at INTEGER;
ALTER TABLE publications ADD COLUMN accepted TEXT;
ALTER TABLE channels ADD COLUMN ends INTEGER;
UPDATE publications AS p SET remote_id = NULL WHERE EXISTS (SELECT 1 FROM publications o
	WHERE o.platform = p.platform AND o.remote_id = p.remote_id AND o.id < p.id);
