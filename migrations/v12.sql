-- How the name is spoken and what the pictures are coded in. Keys of names see through more disguises: those that
-- change, and what is counted and found by them, are computed again. Of two videos under way that are now of one name,
-- the second keeps its old key. The schema makes the trigger again.
ALTER TABLE assets ADD COLUMN note TEXT CHECK (note IN ('OTHER_VOICE', 'MUSIC_ONLY'));
ALTER TABLE assets ADD COLUMN codec TEXT;
CREATE TABLE rekeyed (id TEXT PRIMARY KEY, old TEXT, new TEXT);
INSERT INTO rekeyed SELECT * FROM (SELECT id, name_key old, name_key_of(name) new FROM assets) WHERE new NOT IN ('', old);
UPDATE OR IGNORE assets SET name_key = r.new FROM rekeyed r WHERE r.id = assets.id;
DELETE FROM tallies WHERE name_key IN (SELECT old FROM rekeyed UNION SELECT new FROM rekeyed);
DELETE FROM tails WHERE name_key IN (SELECT old FROM rekeyed UNION SELECT new FROM rekeyed);
INSERT INTO tallies SELECT a.name_key, p.part, a.status, count(*)
	FROM (SELECT old k FROM rekeyed UNION SELECT new FROM rekeyed) CROSS JOIN assets a ON a.name_key = k
		JOIN (SELECT '' part UNION ALL SELECT 'NEEDS' UNION ALL SELECT 'YOUTUBE' UNION ALL SELECT 'RUMBLE') p
		ON p.part = '' OR p.part = 'NEEDS' AND a.needs OR p.part = 'YOUTUBE' AND a.youtube OR p.part = 'RUMBLE' AND a.rumble
	GROUP BY 1, 2, 3;
INSERT INTO tails SELECT DISTINCT substr(replace(k, '-', ' '), at.key + 1), k
	FROM (SELECT old k FROM rekeyed UNION SELECT new FROM rekeyed),
		json_each('[0' || replace(hex(zeroblob(length(k) - 1)), '00', ',0') || ']') at
	WHERE (at.key = 0 OR substr(k, at.key, 1) IN (' ', '-')) AND EXISTS (SELECT 1 FROM assets WHERE name_key = k);
DROP TABLE rekeyed;
