-- Each question that is asked while tables grow finds its rows in an index. The test `statements` asks both databases how they would
-- answer every statement.

-- Deliveries that wait: those that are due, and those of an account. Small, because most do not wait.
DROP INDEX inbox_pending;
CREATE INDEX inbox_pending ON inbox (due) WHERE state = 'pending';
CREATE INDEX inbox_pending_of ON inbox (account_id, received) WHERE state = 'pending';

-- Lists, in their order.
CREATE INDEX merchants_by_age ON merchants (created, id);
CREATE INDEX api_keys_of_merchant ON api_keys (merchant_id, created DESC, id);
CREATE INDEX links_of_merchant ON links (merchant_id, created DESC, id);
CREATE INDEX payments_of_merchant ON payments (merchant_id, created DESC, id);
CREATE INDEX alerts_by_time ON alerts (last_at DESC, kind, subject);

-- How often a link was paid.
CREATE INDEX payments_paid ON payments (link_id) WHERE status IN ('succeeded', 'requires_capture');
-- Of which something may be to be sent back.
CREATE INDEX payments_beyond ON payments (merchant_id, id)
    WHERE status IN ('succeeded', 'requires_capture') AND (captured > amount OR authorised > amount OR canceled = 1);

-- Captured before there was a ledger, and not posted yet. Found once, here, instead of at every start.
CREATE TABLE unposted_payments (
    payment_id TEXT PRIMARY KEY REFERENCES payments (id)
);
INSERT INTO unposted_payments (payment_id) SELECT id FROM payments
    WHERE captured > 0 AND NOT EXISTS (SELECT 1 FROM ledger WHERE ledger.payment_id = payments.id);

-- Jobs that were given up keep their time and must not stand before those that are due.
DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (run_at) WHERE dead IS NULL;
-- Those that a clock set back has left far in the future, by kind or by lease.
CREATE INDEX jobs_of_kind ON jobs (kind, run_at);
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE leased_until > 0;
-- Those that fail, those given up first.
CREATE INDEX jobs_failing ON jobs ((CASE WHEN dead IS NULL THEN 1 ELSE 0 END), run_at, id)
    WHERE dead IS NOT NULL OR last_error IS NOT NULL;
