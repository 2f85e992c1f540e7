-- Merchants' keys of captures, voids and refunds: one request each, whatever the payment. Written in the transaction that records the
-- request, so that of two requests with one key one is recorded.
CREATE TABLE modification_keys (
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    request_key TEXT NOT NULL,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    attempt_id TEXT NOT NULL,
    modification_id TEXT NOT NULL,
    PRIMARY KEY (merchant_id, request_key)
);

-- When a merchant's policy for surplus money was last set: what a provider refused to send back before is tried again at once.
ALTER TABLE merchants ADD COLUMN surplus_set BIGINT NOT NULL DEFAULT 0;
