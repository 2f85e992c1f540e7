-- One SQL for SQLite and PostgreSQL. Times are milliseconds since 1970, amounts are minor units, flags are 0 or 1,
-- structured values are JSON in TEXT. Names of constraints are not relied upon: SQLite does not report them. Each question that is asked
-- while tables grow finds its rows in an index: the test `statements` asks both databases how they would answer every statement.

-- surplus: what happens to money beyond the debt, 'refund' or 'hold'. surplus_set: when that was last decided; what a provider refused
-- to send back before is tried again at once.
CREATE TABLE merchants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    support_email TEXT,
    surplus TEXT NOT NULL DEFAULT 'refund',
    surplus_set BIGINT NOT NULL DEFAULT 0,
    created BIGINT NOT NULL
);
CREATE INDEX merchants_by_age ON merchants (created, id);

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
CREATE INDEX api_keys_of_merchant ON api_keys (merchant_id, created DESC, id);

-- sealed holds the credentials and webhook secrets, encrypted. events_seen: up to when the account's events have been listed at its
-- provider.
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
CREATE INDEX provider_accounts_of_merchant ON provider_accounts (merchant_id, created);

-- A template of orders. total is what the basket comes to.
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
CREATE INDEX links_of_merchant ON links (merchant_id, created DESC, id);

-- What is bought: a snapshot. Never changed, see store::dialect; forgotten if nobody began to pay it. link_id is the link it was made from, if it was made from one; once: that
-- link is for one order only.
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
-- A one-time link is one order.
CREATE UNIQUE INDEX orders_one_per_link ON orders (link_id) WHERE once = 1;

-- status and the totals repeat what the attempts say, for queries; decisions are made from the attempts. seq is the number of the
-- newest event. told is the number of the newest row of events that is about it. kept is what the merchant keeps beyond the debt. An
-- order is one debt. link_id repeats the order's.
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
CREATE INDEX payments_of_merchant ON payments (merchant_id, created DESC, id);
-- Counts the paid payments of a link.
CREATE INDEX payments_paid ON payments (link_id) WHERE status IN ('succeeded', 'requires_capture');
-- Payments that may have money to send back.
CREATE INDEX payments_beyond ON payments (merchant_id, id)
    WHERE status IN ('succeeded', 'requires_capture') AND (captured > amount OR authorised > amount OR canceled = 1);

-- Never started: forgotten after a while.
CREATE INDEX payments_unstarted ON payments (created) WHERE seq = 0;

-- sent: the request that opens the attempt, as it was sent first, without the credentials. A repetition is made from it.
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
-- One debt, one payment: never two attempts that can both move money.
CREATE UNIQUE INDEX attempts_one_live ON attempts (payment_id) WHERE live = 1;

-- The provider's names of an attempt: any number of each kind (session, payment, capture). No two attempts of an account share one, so
-- that a delivery has one addressee. payment_id repeats the attempt's.
CREATE TABLE attempt_references (
    account_id TEXT NOT NULL REFERENCES provider_accounts (id),
    reference TEXT NOT NULL,
    kind TEXT NOT NULL,
    attempt_id TEXT NOT NULL REFERENCES attempts (id),
    payment_id TEXT NOT NULL,
    PRIMARY KEY (account_id, reference, kind)
);

-- Captures, refunds, disputes and returns: a projection of attempts, written with them; decisions are made from the attempts. lost: what
-- a dispute took for good. capture: the id of the capture that a refund acts on.
CREATE TABLE movements (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    live BIGINT NOT NULL,
    payment_id TEXT NOT NULL REFERENCES payments (id),
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
CREATE INDEX movements_of_merchant ON movements (merchant_id, kind, created DESC, id);
CREATE INDEX movements_by_reference ON movements (reference, created, id);

-- Append-only, see store::dialect. source says who told: shopper, merchant, engine, webhook or fetch; cause is the inbox row where
-- there is one.
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
-- Everybody who pays an order meets in the same session.
CREATE UNIQUE INDEX sessions_one_current ON sessions (order_id) WHERE state <> 'expired';

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
-- Without it SQLite reads all of the table for each payment that is forgotten.
CREATE INDEX modification_keys_of_payment ON modification_keys (payment_id);

-- The journal: a source posts once. source: payment_event, settlement_line, manual. source_id and number: the payment and its event,
-- the settlement and its line, the entry by hand. Append-only, see store::dialect.
CREATE TABLE transactions (
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    live BIGINT NOT NULL,
    posted_by TEXT,
    approved_by TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (source_id, number),
    CHECK (source IN ('payment_event', 'settlement_line', 'manual')),
    CHECK (source <> 'manual' OR (posted_by IS NOT NULL AND approved_by IS NOT NULL AND posted_by <> approved_by))
);

-- The lines of a transaction, which add up to zero in each currency: domain::journal sees to that. amount: debits are positive.
-- party: whose account it is, empty where there is one for all. Append-only.
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
    FOREIGN KEY (source_id, number) REFERENCES transactions (source_id, number),
    CHECK (amount <> 0)
);

-- The sums of the entries, kept with them. shard: a sum is spread over several rows, so that transactions do not wait for each other.
CREATE TABLE balances (
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    live BIGINT NOT NULL,
    currency TEXT NOT NULL,
    account TEXT NOT NULL,
    party TEXT NOT NULL,
    shard BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, live, currency, account, party, shard)
);

-- News for merchants. number: of those of a payment, from one, without gaps. seq: the payment's event that it follows from.
-- snapshot: the object as it was then. change: what was new about it. source says who caused it, as in payment_events.
CREATE TABLE events (
    id TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
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
    created BIGINT NOT NULL,
    UNIQUE (payment_id, number)
);
CREATE INDEX events_of_merchant ON events (merchant_id, created DESC, id);
CREATE INDEX events_by_time ON events (created);

-- Deliveries of providers. due: when a pending row may be taken up next; taking it up moves this beyond the time that may take, so that
-- a server that dies in the middle gives the row back by doing nothing. Of a waiting row it is when it is given up: it is not taken up
-- before something in inbox_waits becomes known. claims: the attempt of ours that a waiting row names. tries: how often it was taken up
-- since it last waited. pack: which row of inbox_packs the bytes are in, from which byte on, and how many; that row is pruned earlier.
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
-- Deliveries that wait: those that are due, and those of an account. Small, because most do not wait.
CREATE INDEX inbox_pending ON inbox (due) WHERE state = 'pending';
CREATE INDEX inbox_pending_of ON inbox (account_id, received) WHERE state = 'pending';
-- Deliveries that are given up unless their payment becomes known.
CREATE INDEX inbox_waiting ON inbox (due) WHERE state = 'waiting';

-- Deliveries that share a commit share a row of bytes: see store::packs. unpacked: if they are compressed, how many bytes they are
-- without.
CREATE TABLE inbox_packs (
    id TEXT PRIMARY KEY,
    bytes BYTEA NOT NULL,
    unpacked BIGINT
);

-- Has no rows. PostgreSQL's transactions lock it, so that storing a delivery that waits and writing what it waits for do not pass each
-- other unseen: see store::inbox::waits.
CREATE TABLE inbox_gate (
    id BIGINT PRIMARY KEY
);

-- An event that arrives before its payment is known waits for a name of it: our attempt's id, or account/provider's reference.
CREATE TABLE inbox_waits (
    wanted TEXT NOT NULL,
    inbox_id TEXT NOT NULL REFERENCES inbox (id),
    PRIMARY KEY (wanted, inbox_id)
);
CREATE INDEX inbox_waits_of ON inbox_waits (inbox_id);

-- One row per kind and subject. generation counts requests, so that one made while the job runs is not lost. account_id: with whose
-- account it calls a provider; one that is slow must not take every place. dead: when it was given up; a person can ask for it again.
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
-- Jobs that were given up keep their time and must not stand before those that are due.
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

-- Alerts: matters for a person to look at. One row per kind and subject, counted, so that a flood cannot fill the disk.
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
