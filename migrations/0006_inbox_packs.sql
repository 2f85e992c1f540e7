-- Deliveries that share a commit share a row of bytes: see store::packs.
CREATE TABLE inbox_packs (
    id TEXT PRIMARY KEY,
    bytes BYTEA NOT NULL,
    -- If they are compressed: how many bytes they are without.
    unpacked BIGINT
);
-- Which pack an event's bytes are in, from which byte on, and how many. The event is written first, to find out whether it is new.
ALTER TABLE inbox ADD COLUMN pack TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN pack_start BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN pack_size BIGINT NOT NULL DEFAULT 0;
INSERT INTO inbox_packs (id, bytes) SELECT inbox_id, body FROM inbox_bodies;
UPDATE inbox SET pack = id, pack_size = (SELECT LENGTH(body) FROM inbox_bodies WHERE inbox_id = inbox.id);
DROP TABLE inbox_bodies;
