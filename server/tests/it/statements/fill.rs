//! Fills tables with a hundred thousand rows, made by the database itself.

use engine::store::{Dialect, Store};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

/// Tables that grow: a statement may read one as a whole only for a stated reason.
pub const LARGE: [&str; 21] = [
    "alerts",
    "api_keys",
    "attempt_references",
    "attempts",
    "balances",
    "entries",
    "events",
    "exchanges",
    "inbox",
    "inbox_packs",
    "inbox_waits",
    "jobs",
    "links",
    "merchants",
    "modification_keys",
    "movements",
    "orders",
    "payment_events",
    "payments",
    "sessions",
    "transactions",
];

/// Rows of the tables that grow with every payment.
const ROWS: i64 = 100_000;
/// Rows of the other tables.
const FEWER: i64 = 20_000;

/// The merchant that owns nearly all rows.
pub const MERCHANT: &str = "mer_00000000000000000000000001";
/// Its account, which has nearly every delivery.
pub const ACCOUNT: &str = "pa_00000000000000000000000001";
/// An account with few deliveries.
pub const QUIET: &str = "pa_00000000000000000000000002";

type Table = (&'static str, i64, &'static [(&'static str, &'static str)]);

/// The tables with the number of their rows, their columns, and each column's value in row `i`. `@pi` and the like are
/// ids of that row.
const TABLES: &[Table] = &[
    ("merchants", FEWER, &[("id", "@mer"), ("name", "'Shop'"), ("created", "i")]),
    (
        "api_keys",
        FEWER,
        &[
            ("id", "@key"),
            ("merchant_id", "M"),
            ("digest", "@key"),
            ("hint", "'abcd'"),
            ("live", "0"),
            ("created", "i / 3"),
        ],
    ),
    (
        "provider_accounts",
        50,
        &[
            ("id", "@pa"),
            ("merchant_id", "M"),
            ("provider", "'stripe'"),
            ("base_url", "'http://127.0.0.1:1'"),
            ("live", "0"),
            ("enabled", "1"),
            ("sealed", "''"),
            ("created", "i"),
        ],
    ),
    (
        "links",
        FEWER,
        &[
            ("id", "@plink"),
            ("token", "@"),
            ("merchant_id", "M"),
            ("state", "'active'"),
            ("once", "0"),
            ("live", "0"),
            ("currency", "'EUR'"),
            ("total", "3098"),
            ("basket", "'{}'"),
            ("metadata", "'{}'"),
            ("returns", "'{}'"),
            ("policies", "'{}'"),
            ("created", "i / 3"),
        ],
    ),
    // Every thousandth order is a one-time link's.
    (
        "orders",
        ROWS,
        &[
            ("id", "@ord"),
            ("merchant_id", "M"),
            ("live", "0"),
            ("link_id", "@plink % 20000"),
            ("once", "CASE WHEN i < 20000 AND i % 1000 = 0 THEN 1 ELSE 0 END"),
            ("currency", "'EUR'"),
            ("total", "3098"),
            ("basket", "'{}'"),
            ("customer", "'{}'"),
            ("fields", "'[]'"),
            ("metadata", "'{}'"),
            ("returns", "'{}'"),
            ("policies", "'{}'"),
            ("created", "i / 3"),
        ],
    ),
    (
        "payments",
        ROWS,
        &[
            ("id", "@pi"),
            ("merchant_id", "M"),
            ("order_id", "@ord"),
            ("link_id", "@plink % 20000"),
            ("live", "0"),
            ("currency", "'EUR'"),
            ("amount", "3098"),
            ("capture", "'automatic'"),
            ("canceled", "0"),
            ("status", "CASE WHEN i % 2 = 0 THEN 'succeeded' ELSE 'requires_payment' END"),
            ("authorised", "3098 * (1 - i % 2)"),
            ("captured", "3098 * (1 - i % 2)"),
            ("refunded", "0"),
            ("seq", "i % 2"),
            ("revision", "1"),
            ("created", "i / 3"),
            ("updated", "i"),
        ],
    ),
    (
        "attempts",
        ROWS,
        &[
            ("id", "@att"),
            ("payment_id", "@pi"),
            ("account_id", "A"),
            ("ordinal", "0"),
            ("live", "0"),
            ("data", "'{}'"),
            ("created", "i"),
            ("updated", "i"),
        ],
    ),
    (
        "payment_events",
        ROWS,
        &[
            ("payment_id", "@pi"),
            ("seq", "1"),
            ("name", "'x'"),
            ("data", "'{}'"),
            ("source", "'engine'"),
            ("actor", "'engine'"),
            ("at", "i"),
        ],
    ),
    (
        "sessions",
        ROWS,
        &[
            ("id", "@cs"),
            ("token", "@"),
            ("merchant_id", "M"),
            ("live", "0"),
            ("order_id", "@ord"),
            ("payment_id", "@pi"),
            ("state", "'open'"),
            ("extension", "0"),
            ("expires", "i"),
            ("revision", "0"),
            ("created", "i"),
        ],
    ),
    (
        "transactions",
        ROWS,
        &[
            ("source", "'payment_event'"),
            ("source_id", "@pi"),
            ("number", "1"),
            ("merchant_id", "M"),
            ("live", "0"),
            ("at", "i"),
        ],
    ),
    (
        "entries",
        ROWS,
        &[
            ("source_id", "@pi"),
            ("number", "1"),
            ("line", "0"),
            ("business", "'capture'"),
            ("account", "'provider_receivable'"),
            ("party", "A"),
            ("currency", "'EUR'"),
            ("amount", "3098"),
        ],
    ),
    (
        "balances",
        FEWER,
        &[
            ("merchant_id", "@mer"),
            ("live", "0"),
            ("currency", "'EUR'"),
            ("account", "'provider_receivable'"),
            ("party", "A"),
            ("shard", "0"),
            ("amount", "3098"),
        ],
    ),
    (
        "attempt_references",
        ROWS,
        &[
            ("account_id", "A"),
            ("reference", "@pi"),
            ("kind", "'payment'"),
            ("attempt_id", "@att"),
            ("payment_id", "@pi"),
        ],
    ),
    (
        "movements",
        ROWS,
        &[
            ("id", "@cap"),
            ("merchant_id", "M"),
            ("live", "0"),
            ("payment_id", "@pi"),
            ("attempt_id", "@att"),
            ("kind", "CASE WHEN i % 2 = 0 THEN 'capture' ELSE 'refund' END"),
            ("currency", "'EUR'"),
            ("amount", "3098"),
            ("lost", "0"),
            ("state", "'succeeded'"),
            ("reference", "@ref"),
            ("created", "i / 3"),
            ("updated", "i"),
        ],
    ),
    (
        "events",
        ROWS,
        &[
            ("id", "@evt"),
            ("merchant_id", "M"),
            ("live", "0"),
            ("name", "'x'"),
            ("object_kind", "'payment'"),
            ("object_id", "@pi"),
            ("payment_id", "@pi"),
            ("number", "1"),
            ("seq", "1"),
            ("change", "'{}'"),
            ("snapshot", "'{}'"),
            ("source", "'engine'"),
            ("actor", "'engine'"),
            ("created", "i / 3"),
        ],
    ),
    (
        "modification_keys",
        FEWER,
        &[
            ("merchant_id", "M"),
            ("live", "0"),
            ("request_key", "@key"),
            ("payment_id", "@pi"),
            ("attempt_id", "@att"),
            ("modification_id", "@mod"),
        ],
    ),
    ("inbox_packs", FEWER, &[("id", "@in"), ("bytes", "''")]),
    // A thousand deliveries are pending, a thousand wait, and ten belong to the quiet account.
    (
        "inbox",
        ROWS,
        &[
            ("id", "@in"),
            ("account_id", "CASE WHEN i % 10000 = 0 THEN Q ELSE A END"),
            ("event", "@evt"),
            ("state", "CASE WHEN i % 100 = 1 THEN 'pending' WHEN i % 100 = 2 THEN 'waiting' ELSE 'applied' END"),
            ("received", "i"),
            ("pack", "@in"),
            ("due", "i"),
        ],
    ),
    ("inbox_waits", FEWER, &[("wanted", "@att"), ("inbox_id", "@in")]),
    (
        "jobs",
        ROWS,
        &[
            ("id", "@job"),
            ("kind", "CASE WHEN i % 2 = 0 THEN 'check' ELSE 'expire' END"),
            ("subject", "@att"),
            ("account_id", "A"),
            ("run_at", "4000000000000 + i"),
            ("tries", "0"),
            ("generation", "0"),
            ("leased_until", "0"),
            ("last_error", "CASE WHEN i % 5000 = 0 THEN 'no' END"),
            ("dead", "CASE WHEN i % 10000 = 0 THEN i END"),
            ("created", "i"),
        ],
    ),
    (
        "exchanges",
        FEWER,
        &[
            ("id", "@ex"),
            ("account_id", "A"),
            ("attempt_id", "@att"),
            ("operation", "'x'"),
            ("request", "'x'"),
            ("reply", "'x'"),
            ("duration", "1"),
            ("at", "i"),
        ],
    ),
    (
        "alerts",
        FEWER,
        &[
            ("kind", "'x'"),
            ("subject", "@att"),
            ("detail", "'x'"),
            ("times", "1"),
            ("first_at", "i"),
            ("last_at", "i / 3"),
        ],
    ),
];

/// Fills a database whose structure is current.
pub async fn fill(store: &Store, url: &str) {
    install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.unwrap();
    // The rows are not checked one by one.
    let begin = match store.dialect() {
        Dialect::Sqlite => {
            "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; BEGIN IMMEDIATE"
        }
        Dialect::Postgres => "SET session_replication_role = replica; SET synchronous_commit = off; BEGIN",
    };
    connection.execute(begin).await.unwrap();
    for (table, rows, columns) in TABLES {
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let values = columns.iter().map(|(_, value)| expanded(value)).collect::<Vec<_>>().join(", ");
        let text = format!(
            "INSERT INTO {table} ({names}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             SELECT {values} FROM n"
        );
        connection.execute(AssertSqlSafe(text)).await.unwrap_or_else(|error| panic!("{table}: {error}"));
    }
    connection.execute("COMMIT").await.unwrap();
    if store.dialect() == Dialect::Postgres {
        // PostgreSQL's autovacuum analyses tables as well. An SQLite database is never analysed.
        connection.execute("ANALYZE").await.unwrap();
    }
    connection.close().await.unwrap();
}

/// An expression with ids written out.
fn expanded(value: &str) -> String {
    match value {
        "M" => return format!("'{MERCHANT}'"),
        "A" => return format!("'{ACCOUNT}'"),
        _ => {}
    }
    let value = value.replace("THEN Q ELSE A", &format!("THEN '{QUIET}' ELSE '{ACCOUNT}'"));
    let Some(id) = value.strip_prefix('@') else { return value };
    let (prefix, number) = match id.split_once(" % ") {
        Some((prefix, of)) => (prefix, format!("(i % {of} + 1)")),
        None => (id, "i".to_owned()),
    };
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}_") };
    let digits = format!("CAST({number} AS TEXT)");
    format!("'{prefix}' || SUBSTR('{}' || {digits}, LENGTH({digits}) + 1)", "0".repeat(26))
}
