-- With whose account a job calls a provider: one that is slow must not take every place.
ALTER TABLE jobs ADD COLUMN account_id TEXT;
