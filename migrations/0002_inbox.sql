-- The inbox is its own queue, and a payment counts its events.

-- When a pending row may be taken up next. Taking it up moves this beyond the time that may take: a server that dies in the middle
-- gives the row back by doing nothing.
ALTER TABLE inbox ADD COLUMN due BIGINT NOT NULL DEFAULT 0;
-- How often it was taken up since it last waited for its payment.
ALTER TABLE inbox ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
DROP INDEX inbox_unsettled;
-- Small, because it holds only what is not done. account_id and received are there for the page that waits for news.
CREATE INDEX inbox_pending ON inbox (due, account_id, received) WHERE state = 'pending';
DELETE FROM jobs WHERE kind = 'apply';

-- What events wait for that arrived before their payment was known: our attempt's id, or account/provider's reference.
CREATE TABLE inbox_waits (
    wanted TEXT NOT NULL,
    inbox_id TEXT NOT NULL REFERENCES inbox (id),
    PRIMARY KEY (wanted, inbox_id)
);
CREATE INDEX inbox_waits_of ON inbox_waits (inbox_id);

-- The number of the newest event.
ALTER TABLE payments ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
UPDATE payments SET seq = (SELECT COALESCE(MAX(seq), 0) FROM payment_events WHERE payment_id = payments.id);
