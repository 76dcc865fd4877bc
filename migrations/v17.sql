-- The schema adds the tables consents, announcements and announced.
-- An update that is set aside keeps its content, so that an owner can have it tried again. The schema adds the index.
ALTER TABLE inbox ADD COLUMN set_aside INTEGER;
PRAGMA writable_schema = 1;
UPDATE sqlite_schema SET sql = replace(sql, 'CONSTRAINT set_aside_is_erased CHECK (error IS NULL OR raw IS NULL)',
	'CONSTRAINT set_aside_has_content_and_reason CHECK (set_aside IS NULL OR raw IS NOT NULL AND error IS NOT NULL)')
WHERE type = 'table' AND name = 'inbox';
PRAGMA writable_schema = RESET;
