-- The table bot is new. requests_open takes the place of this index.
DROP INDEX IF EXISTS requests_live;
