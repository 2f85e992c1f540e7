-- A delivery's bytes stand apart from its row: settling a row rewrites it, and the bytes are most of it.
CREATE TABLE inbox_bodies (
    inbox_id TEXT PRIMARY KEY REFERENCES inbox (id),
    body BYTEA NOT NULL
);
INSERT INTO inbox_bodies (inbox_id, body) SELECT id, body FROM inbox;
ALTER TABLE inbox DROP COLUMN body;
