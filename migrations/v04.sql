-- A message for many people is a row.
ALTER TABLE jobs ADD COLUMN crowd INTEGER CHECK (crowd IS NULL OR request_id IS NULL AND started IS NULL);
PRAGMA writable_schema = 1;
UPDATE sqlite_schema SET sql = replace(sql, '= (request_id IS NOT NULL)', '= (request_id IS NOT NULL OR crowd IS NOT NULL)')
WHERE type = 'table' AND name = 'jobs';
PRAGMA writable_schema = RESET;
