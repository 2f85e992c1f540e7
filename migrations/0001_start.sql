-- One SQL for SQLite and PostgreSQL. Times are milliseconds since 1970, amounts are minor units, flags are 0 or 1,
-- structured values are JSON in TEXT. Names of constraints are not relied upon: SQLite does not report them.

CREATE TABLE merchants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    support_email TEXT,
    created BIGINT NOT NULL
);

-- Only the SHA-256 of a key is kept; hint is its last four characters.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    digest TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    live BIGINT NOT NULL,
    created BIGINT NOT NULL,
    revoked BIGINT
);

-- sealed holds the credentials and webhook secrets, encrypted.
CREATE TABLE provider_accounts (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    provider TEXT NOT NULL,
    base_url TEXT NOT NULL,
    live BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX provider_accounts_of_merchant ON provider_accounts (merchant_id, created);

CREATE TABLE links (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    state TEXT NOT NULL,
    once BIGINT NOT NULL,
    live BIGINT NOT NULL,
    currency TEXT NOT NULL,
    total BIGINT NOT NULL,
    lines TEXT NOT NULL,
    session_ttl BIGINT NOT NULL,
    extendable BIGINT NOT NULL,
    created BIGINT NOT NULL
);

-- status and the totals repeat what the attempts say, for queries; decisions are made from the attempts.
CREATE TABLE payments (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    link_id TEXT NOT NULL REFERENCES links (id),
    once BIGINT NOT NULL,
    live BIGINT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    capture TEXT NOT NULL,
    canceled BIGINT NOT NULL,
    status TEXT NOT NULL,
    authorised BIGINT NOT NULL,
    captured BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
-- A one-time link is one debt.
CREATE UNIQUE INDEX payments_one_per_link ON payments (link_id) WHERE once = 1;

CREATE TABLE attempts (
    id TEXT PRIMARY KEY,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    account_id TEXT NOT NULL REFERENCES provider_accounts (id),
    ordinal BIGINT NOT NULL,
    live BIGINT NOT NULL,
    session_ref TEXT,
    payment_ref TEXT,
    data TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    UNIQUE (payment_id, ordinal),
    UNIQUE (account_id, session_ref),
    UNIQUE (account_id, payment_ref)
);
-- One debt, one payment: never two attempts that can both move money.
CREATE UNIQUE INDEX attempts_one_live ON attempts (payment_id) WHERE live = 1;

-- Append-only. source says who told: shopper, merchant, engine, webhook or fetch; cause is the inbox row where there is one.
CREATE TABLE payment_events (
    payment_id TEXT NOT NULL REFERENCES payments (id),
    seq BIGINT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    source TEXT NOT NULL,
    cause TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (payment_id, seq)
);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    link_id TEXT NOT NULL REFERENCES links (id),
    payment_id TEXT NOT NULL REFERENCES payments (id),
    once BIGINT NOT NULL,
    state TEXT NOT NULL,
    notice TEXT,
    extension BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX sessions_of_payment ON sessions (payment_id, created);
CREATE INDEX sessions_of_link ON sessions (link_id, created);
-- Everybody who opens a one-time link meets in the same session.
CREATE UNIQUE INDEX sessions_one_current ON sessions (link_id) WHERE once = 1 AND state <> 'expired';

CREATE TABLE inbox (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES provider_accounts (id),
    event TEXT NOT NULL,
    body BYTEA NOT NULL,
    state TEXT NOT NULL,
    kind TEXT,
    note TEXT,
    received BIGINT NOT NULL,
    settled BIGINT,
    UNIQUE (account_id, event)
);
CREATE INDEX inbox_unsettled ON inbox (state, received);

-- One row per kind and subject. generation counts requests, so that one made while the job runs is not lost.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    last_error TEXT,
    created BIGINT NOT NULL,
    UNIQUE (kind, subject)
);
CREATE INDEX jobs_due ON jobs (run_at);

-- What was said between us and a provider, with secrets and personal data masked.
CREATE TABLE exchanges (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES provider_accounts (id),
    attempt_id TEXT,
    operation TEXT NOT NULL,
    request TEXT NOT NULL,
    status BIGINT,
    reply TEXT NOT NULL,
    duration BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX exchanges_of_attempt ON exchanges (attempt_id, at);
CREATE INDEX exchanges_by_time ON exchanges (at);

-- What a person should look at. One row per kind and subject, counted, so that a flood cannot fill the disk.
CREATE TABLE alerts (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    times BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);
