-- Captures, refunds, the ledger and what merchants must hear.

-- What the merchant keeps beyond the debt, in minor units.
ALTER TABLE payments ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
-- What happens to money nobody asked for: 'refund' or 'hold'.
ALTER TABLE merchants ADD COLUMN surplus TEXT NOT NULL DEFAULT 'refund';
-- When the money of a link's payments is taken: 'automatic' or 'manual'.
ALTER TABLE links ADD COLUMN capture TEXT NOT NULL DEFAULT 'automatic';

-- When a job was given up; a person can ask for it again.
ALTER TABLE jobs ADD COLUMN dead BIGINT;

-- Up to when an account's events have been listed at its provider.
ALTER TABLE provider_accounts ADD COLUMN events_seen BIGINT NOT NULL DEFAULT 0;

-- Double entry: each row moves an amount from the credited to the debited account, so that all balances of a merchant and currency
-- add up to zero after every row. seq is the payment's event it was posted with. Append-only: see store::dialect.
CREATE TABLE ledger (
    payment_id TEXT NOT NULL REFERENCES payments (id),
    seq BIGINT NOT NULL,
    line BIGINT NOT NULL,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    provider_account_id TEXT NOT NULL REFERENCES provider_accounts (id),
    currency TEXT NOT NULL,
    business TEXT NOT NULL,
    debit_account TEXT NOT NULL,
    credit_account TEXT NOT NULL,
    amount BIGINT NOT NULL,
    live BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (payment_id, seq, line),
    CHECK (amount > 0),
    CHECK (debit_account <> credit_account)
);
CREATE INDEX ledger_of_merchant ON ledger (merchant_id, currency, at);

-- What the merchant must hear, in order per payment. delivered is set when the merchant's endpoint has acknowledged it.
CREATE TABLE outbox (
    payment_id TEXT NOT NULL REFERENCES payments (id),
    seq BIGINT NOT NULL,
    line BIGINT NOT NULL,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    live BIGINT NOT NULL,
    created BIGINT NOT NULL,
    delivered BIGINT,
    PRIMARY KEY (payment_id, seq, line)
);
CREATE INDEX outbox_waiting ON outbox (merchant_id, created) WHERE delivered IS NULL;
