-- The schema adds the tables consents, announcements and announced.
-- audit_by_admin takes the place of an index; the schema adds it, and audit_by_action.
DROP INDEX IF EXISTS audit_of_admins;
