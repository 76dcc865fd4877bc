-- The schema adds the tables consents, announcements and announced. audit_by_admin, requests_undelivered_since and
-- assets_needing_since take the place of indexes; the schema adds them, and audit_by_action.
DROP INDEX IF EXISTS audit_of_admins;
DROP INDEX IF EXISTS requests_undelivered_by_asset;
DROP INDEX IF EXISTS assets_needing_by_time;
