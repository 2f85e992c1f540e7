-- What is too much, and what of it is kept, is counted for each attempt. Payments of which more was captured than was owed, or more
-- refunded than captured, may have been booked otherwise; the server posts what is missing when it migrates, and sets this to 0.
ALTER TABLE payments ADD COLUMN rebook BIGINT NOT NULL DEFAULT 0;
UPDATE payments SET rebook = 1
    WHERE captured > amount OR refunded > captured OR kept > 0 OR (canceled = 1 AND captured > 0);
CREATE INDEX payments_to_rebook ON payments (id) WHERE rebook = 1;
