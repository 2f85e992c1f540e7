-- A delivery's bytes stand apart from its row: settling a row rewrites it, and the bytes are most of it.
-- The reference locks the inbox until the end, so that no delivery is stored between the copy and the drop.
CREATE TABLE inbox_bodies (
    inbox_id TEXT PRIMARY KEY REFERENCES inbox (id),
    body BYTEA NOT NULL
);
INSERT INTO inbox_bodies (inbox_id, body) SELECT id, body FROM inbox;
ALTER TABLE inbox DROP COLUMN body;
