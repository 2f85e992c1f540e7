-- One SQL for SQLite and PostgreSQL. Times are milliseconds since 1970, amounts are minor units, flags are 0 or 1, structured values are
-- JSON in TEXT. Code does not rely on the names of constraints: SQLite does not report them. Each query on a table that grows finds its
-- rows in an index: the test `statements` asks both databases how they would answer every statement. Rows that are written with every
-- paid payment refer to one parent: PostgreSQL checks each foreign key of each row by a query of its own.

-- surplus: the policy for money beyond the debt, 'refund' or 'hold'. surplus_set: when the policy was last set. Money that a provider
-- refused to send back before is sent back again at once.
CREATE TABLE merchants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    support_email TEXT,
    surplus TEXT NOT NULL DEFAULT 'refund',
    surplus_set BIGINT NOT NULL DEFAULT 0,
    created BIGINT NOT NULL
);
CREATE INDEX merchants_by_age ON merchants (created, id);

-- Only the SHA-256 of a key is kept. hint: the key's last four characters.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    digest TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    live BIGINT NOT NULL,
    created BIGINT NOT NULL,
    revoked BIGINT
);
CREATE INDEX api_keys_of_merchant ON api_keys (merchant_id, live, created DESC, id);

-- sealed: the credentials and webhook secrets, encrypted. events_seen: up to when the account's events have been listed at its provider.
CREATE TABLE provider_accounts (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    provider TEXT NOT NULL,
    base_url TEXT NOT NULL,
    live BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    events_seen BIGINT NOT NULL DEFAULT 0,
    created BIGINT NOT NULL
);
CREATE INDEX provider_accounts_of_merchant ON provider_accounts (merchant_id, live, created);

-- Links: templates of orders. total: the sum of the basket.
CREATE TABLE links (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    live BIGINT NOT NULL,
    state TEXT NOT NULL,
    once BIGINT NOT NULL,
    currency TEXT NOT NULL,
    total BIGINT NOT NULL,
    basket TEXT NOT NULL,
    metadata TEXT NOT NULL,
    returns TEXT NOT NULL,
    policies TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX links_of_merchant ON links (merchant_id, live, created DESC, id);

-- Orders: snapshots of purchases. An order is never changed, see store::dialect, and is removed if its payment was never started.
-- link_id: the link that the order was made from, if there is one. once: the link is for one order only.
CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    live BIGINT NOT NULL,
    link_id TEXT REFERENCES links (id),
    once BIGINT NOT NULL,
    currency TEXT NOT NULL,
    total BIGINT NOT NULL,
    basket TEXT NOT NULL,
    customer TEXT NOT NULL,
    fields TEXT NOT NULL,
    metadata TEXT NOT NULL,
    returns TEXT NOT NULL,
    policies TEXT NOT NULL,
    created BIGINT NOT NULL
);
-- A one-time link has one order.
CREATE UNIQUE INDEX orders_one_per_link ON orders (link_id) WHERE once = 1;

-- Payments: one for each order, whose total is the debt. status and the totals repeat the state of the attempts, for queries; decisions
-- are made from the attempts. seq: the number of the payment's newest row in payment_events. told: the number of its newest row in
-- events. kept: the amount beyond the debt that the merchant keeps. link_id repeats the order's.
CREATE TABLE payments (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    live BIGINT NOT NULL,
    order_id TEXT NOT NULL UNIQUE REFERENCES orders (id),
    link_id TEXT REFERENCES links (id),
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    capture TEXT NOT NULL,
    canceled BIGINT NOT NULL,
    status TEXT NOT NULL,
    authorised BIGINT NOT NULL,
    captured BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    kept BIGINT NOT NULL DEFAULT 0,
    seq BIGINT NOT NULL DEFAULT 0,
    told BIGINT NOT NULL DEFAULT 0,
    revision BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE INDEX payments_of_merchant ON payments (merchant_id, live, created DESC, id);
-- Finds the paid payments of a link, to count them.
CREATE INDEX payments_paid ON payments (link_id, merchant_id, live) WHERE status IN ('succeeded', 'requires_capture');
-- Payments that may have money to send back.
CREATE INDEX payments_beyond ON payments (merchant_id, id)
    WHERE status IN ('succeeded', 'requires_capture') AND (captured > amount OR authorised > amount OR canceled = 1);

-- Payments that were never started, to be removed after a while.
CREATE INDEX payments_unstarted ON payments (created) WHERE seq = 0;

-- sent: the request that opens the attempt, as it was sent first, without the credentials. Every repetition is made from it.
CREATE TABLE attempts (
    id TEXT PRIMARY KEY,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    account_id TEXT NOT NULL REFERENCES provider_accounts (id),
    ordinal BIGINT NOT NULL,
    live BIGINT NOT NULL,
    data TEXT NOT NULL,
    sent TEXT,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    UNIQUE (payment_id, ordinal)
);
-- A payment never has two attempts that can both move money.
CREATE UNIQUE INDEX attempts_one_live ON attempts (payment_id) WHERE live = 1;

-- The provider's references to attempts: any number of each kind (session, payment, capture). Two attempts of an account never share a
-- reference of one kind, so that a delivery concerns one attempt. payment_id repeats the attempt's.
CREATE TABLE attempt_references (
    account_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    kind TEXT NOT NULL,
    attempt_id TEXT NOT NULL REFERENCES attempts (id),
    payment_id TEXT NOT NULL,
    PRIMARY KEY (account_id, reference, kind)
);

-- Captures, refunds, disputes and returns: a projection of attempts, written with them; decisions are made from the attempts. lost: the
-- amount that a dispute took for good. capture: the id of the capture that a refund acts on.
CREATE TABLE movements (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    live BIGINT NOT NULL,
    payment_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL REFERENCES attempts (id),
    kind TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    lost BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    capture TEXT,
    reference TEXT,
    deadline BIGINT,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    CHECK (amount >= 0),
    CHECK (lost >= 0)
);
CREATE INDEX movements_of_payment ON movements (payment_id, created, id);
CREATE INDEX movements_of_merchant ON movements (merchant_id, live, kind, created DESC, id);
CREATE INDEX movements_by_reference ON movements (reference, created, id);

-- The history of payments. Append-only, see store::dialect. source: shopper, merchant, engine, webhook or fetch. cause: the inbox row,
-- if there is one. actor: command_line, api_key with the key's id, shopper, provider or engine.
CREATE TABLE payment_events (
    payment_id TEXT NOT NULL REFERENCES payments (id),
    seq BIGINT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    source TEXT NOT NULL,
    actor TEXT NOT NULL,
    cause TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (payment_id, seq)
);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    live BIGINT NOT NULL,
    order_id TEXT NOT NULL REFERENCES orders (id),
    payment_id TEXT NOT NULL REFERENCES payments (id),
    state TEXT NOT NULL,
    notice TEXT,
    extension BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX sessions_of_payment ON sessions (payment_id, created);
CREATE INDEX sessions_of_order ON sessions (order_id, created);
-- All shoppers who pay an order share one session.
CREATE UNIQUE INDEX sessions_one_current ON sessions (order_id) WHERE state <> 'expired';

-- Merchants' idempotency keys of captures, voids and refunds. In each mode a key names one request, whatever the payment. It is written in the
-- transaction that records the request, so that of two requests with one key only one is recorded.
CREATE TABLE modification_keys (
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    live BIGINT NOT NULL,
    request_key TEXT NOT NULL,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    attempt_id TEXT NOT NULL,
    modification_id TEXT NOT NULL,
    PRIMARY KEY (merchant_id, live, request_key)
);
-- Without this index SQLite reads the whole table for each payment that is removed.
CREATE INDEX modification_keys_of_payment ON modification_keys (payment_id);

-- The journal: a source posts once. source: payment_event, settlement_line or manual. source_id and number: the payment and its event,
-- the settlement and its line, or the manual entry. Append-only, see store::dialect.
CREATE TABLE transactions (
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    merchant_id TEXT NOT NULL,
    live BIGINT NOT NULL,
    posted_by TEXT,
    approved_by TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (source_id, number),
    CHECK (source IN ('payment_event', 'settlement_line', 'manual')),
    CHECK (source <> 'manual' OR (posted_by IS NOT NULL AND approved_by IS NOT NULL AND posted_by <> approved_by))
);

-- The lines of a transaction, which add up to zero in each currency; domain::journal ensures that. amount: debits are positive. party:
-- the owner of the account; empty where there is one account for all. Append-only.
CREATE TABLE entries (
    source_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    line BIGINT NOT NULL,
    business TEXT NOT NULL,
    account TEXT NOT NULL,
    party TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (source_id, number, line),
    CHECK (amount <> 0)
);

-- The sums of the entries, updated with them. shard: a sum is spread over several rows, so that transactions do not wait for each other.
CREATE TABLE balances (
    merchant_id TEXT NOT NULL,
    live BIGINT NOT NULL,
    currency TEXT NOT NULL,
    account TEXT NOT NULL,
    party TEXT NOT NULL,
    shard BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, live, currency, account, party, shard)
);

-- Events for merchants. number: the event's number among its payment's, from one, without gaps. seq: the payment's own event that caused
-- it. snapshot: the object as it was then. change: the news. source, actor: as in payment_events.
CREATE TABLE events (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    live BIGINT NOT NULL,
    name TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    payment_id TEXT REFERENCES payments (id),
    number BIGINT,
    seq BIGINT,
    change TEXT,
    snapshot TEXT NOT NULL,
    source TEXT NOT NULL,
    actor TEXT NOT NULL,
    created BIGINT NOT NULL,
    UNIQUE (payment_id, number)
);
CREATE INDEX events_of_merchant ON events (merchant_id, live, created DESC, id);
CREATE INDEX events_by_time ON events (created);

-- Deliveries of providers. due: when a pending row may be taken up next. Taking a row up moves this time beyond the longest run, so that
-- a row becomes due again by itself if its server dies. For a waiting row, due is when the row is given up; the row is not taken up
-- before one of its references in inbox_waits becomes known. claims: the attempt of ours that a waiting row names. tries: how often the
-- row was taken up since it last waited. pack, pack_start and pack_size: the row of inbox_packs that holds the bytes, the first byte,
-- and the number of bytes. The row of bytes is removed earlier.
CREATE TABLE inbox (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES provider_accounts (id),
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    kind TEXT,
    note TEXT,
    claims TEXT,
    due BIGINT NOT NULL DEFAULT 0,
    tries BIGINT NOT NULL DEFAULT 0,
    pack TEXT NOT NULL DEFAULT '',
    pack_start BIGINT NOT NULL DEFAULT 0,
    pack_size BIGINT NOT NULL DEFAULT 0,
    received BIGINT NOT NULL,
    settled BIGINT,
    UNIQUE (account_id, event)
);
-- Pending deliveries by due time, and by account and arrival. Small, because most deliveries are settled soon.
CREATE INDEX inbox_pending ON inbox (due) WHERE state = 'pending';
CREATE INDEX inbox_pending_of ON inbox (account_id, received) WHERE state = 'pending';
-- Waiting deliveries, which are given up unless their payment becomes known.
CREATE INDEX inbox_waiting ON inbox (due) WHERE state = 'waiting';

-- Deliveries that share a commit share a row of bytes, see store::packs. unpacked: the number of bytes before compression, if they are
-- compressed.
CREATE TABLE inbox_packs (
    id TEXT PRIMARY KEY,
    bytes BYTEA NOT NULL,
    unpacked BIGINT
);

-- This table has no rows. PostgreSQL's transactions lock it, so that a transaction that stores a waiting delivery and a transaction that
-- writes one of its references cannot miss each other, see store::inbox::waits.
CREATE TABLE inbox_gate (
    id BIGINT PRIMARY KEY
);

-- An event that arrives before its payment is known waits for a reference: our attempt's id, or account/provider's reference.
CREATE TABLE inbox_waits (
    wanted TEXT NOT NULL,
    inbox_id TEXT NOT NULL REFERENCES inbox (id),
    PRIMARY KEY (wanted, inbox_id)
);
CREATE INDEX inbox_waits_of ON inbox_waits (inbox_id);

-- One row per kind and subject. generation: counts requests, so that a request made while the job runs is not lost. account_id: the
-- account with which the job calls a provider; a slow provider must not take every place. dead: when the job was given up; a person can
-- retry it.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    account_id TEXT,
    run_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    last_error TEXT,
    dead BIGINT,
    created BIGINT NOT NULL,
    UNIQUE (kind, subject)
);
-- Due jobs. Jobs that were given up keep their time, but must not come before jobs that are due.
CREATE INDEX jobs_due ON jobs (run_at) WHERE dead IS NULL;
-- Jobs that were given up, by age.
CREATE INDEX jobs_dead ON jobs (dead) WHERE dead IS NOT NULL;
-- Jobs that a clock set back has left far in the future, by kind or by lease.
CREATE INDEX jobs_of_kind ON jobs (kind, run_at);
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE leased_until > 0;
-- Jobs that fail. Jobs that were given up come first.
CREATE INDEX jobs_failing ON jobs ((CASE WHEN dead IS NULL THEN 1 ELSE 0 END), run_at, id)
    WHERE dead IS NOT NULL OR last_error IS NOT NULL;

-- Requests to providers and their replies, with secrets and personal data masked.
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

-- Alerts: matters for a person to look at. One row per kind and subject counts the occurrences, so that a flood cannot fill the disk.
CREATE TABLE alerts (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    times BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX alerts_by_time ON alerts (last_at DESC, kind, subject);
