-- Videos made in advance. The schema adds the tables advance and editions.
ALTER TABLE assets ADD COLUMN advance INTEGER CHECK (advance IN (0, 1));
