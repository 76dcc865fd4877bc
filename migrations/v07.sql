-- The schema adds the table menus.
ALTER TABLE users ADD COLUMN source TEXT;
