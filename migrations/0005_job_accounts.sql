-- Whose provider a job calls: one that is slow must not take every place.
ALTER TABLE jobs ADD COLUMN account_id TEXT;
