-- Since when a message about a video has been given up. The schema adds the index and the triggers.
ALTER TABLE assets ADD COLUMN undelivered INTEGER;
UPDATE assets SET undelivered = (SELECT min(undelivered) FROM requests WHERE asset_id = assets.id AND undelivered IS NOT NULL)
	WHERE id IN (SELECT asset_id FROM requests WHERE undelivered IS NOT NULL);
