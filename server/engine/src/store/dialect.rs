//! The differences between SQLite and PostgreSQL.

use sqlx::Executor;

use super::Connection;
use super::inbox::Gate;
use crate::error::Error;
use crate::problem::DatabaseProblem;

/// The two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite: one file, one server.
    Sqlite,
    /// PostgreSQL: several servers.
    Postgres,
}

/// WAL with FULL: a commit is on disk when it returns. A lower setting loses acknowledged rows when power fails. A commit that finds 32
/// MB in the WAL moves them into the file itself, so that the WAL does not fill a small disk; [`super::checkpoint`] moves them before
/// any commit has to. A WAL that has grown longer, because of a reader, is cut when it restarts. The cache is no larger because SQLite
/// walks through all of it at some commits.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
    PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192; \
    PRAGMA wal_autocheckpoint = 8192; PRAGMA journal_size_limit = 33554432;";
/// A statement that waits longer than this is blocked by a fault.
const POSTGRES_SETTINGS: &str = "SET synchronous_commit = on; SET statement_timeout = '15s'; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '30s';";

/// Writing statements find their rows by their keys. Left to itself, the planner reads a whole table to change 256 rows, as long as it
/// takes the table for small.
const POSTGRES_WRITER_SETTINGS: &str =
    "SET enable_seqscan = off; SET random_page_cost = 1.1; SET max_parallel_workers_per_gather = 0; SET jit = off;";

impl Dialect {
    /// The kind of database that an address belongs to.
    pub fn of(url: &str) -> Result<Dialect, Error> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Dialect::Sqlite),
            Some("postgres" | "postgresql") => Ok(Dialect::Postgres),
            _ => Err(DatabaseProblem::Address.into()),
        }
    }

    /// The address with the parameters that the driver needs.
    pub(super) fn address(self, url: &str) -> String {
        match self {
            Dialect::Sqlite if !url.contains("mode=") => {
                let separator = if url.contains('?') { '&' } else { '?' };
                format!("{url}{separator}mode=rwc")
            }
            _ => url.to_owned(),
        }
    }

    pub(super) async fn prepare(self, connection: &mut Connection, writes: bool) -> Result<(), sqlx::Error> {
        let settings = match self {
            Dialect::Sqlite => SQLITE_SETTINGS,
            Dialect::Postgres => POSTGRES_SETTINGS,
        };
        connection.execute(settings).await?;
        if self == Dialect::Postgres && writes {
            connection.execute(POSTGRES_WRITER_SETTINGS).await?;
        }
        Ok(())
    }

    /// The encoding of the database, if it cannot hold every character. SQLite's encodings can. SQL_ASCII holds any bytes and checks none.
    pub(super) async fn encoding(self, connection: &mut Connection) -> Result<Option<String>, sqlx::Error> {
        match self {
            Dialect::Sqlite => Ok(None),
            Dialect::Postgres => {
                let asked = sqlx::query_scalar("SHOW server_encoding");
                let encoding: String = asked.fetch_one(connection).await?;
                Ok(Some(encoding).filter(|encoding| encoding != "UTF8"))
            }
        }
    }

    /// Begins a writing transaction. SQLite must take the write lock first: a transaction that reads before it writes can fail in the middle.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        }
    }

    /// Leases due jobs. Servers on one PostgreSQL skip each other's rows instead of waiting for them.
    pub(super) fn claim_jobs(self) -> &'static str {
        match self {
            Dialect::Sqlite => {
                "UPDATE jobs SET leased_until = $1, tries = tries + 1 WHERE id IN (
                    SELECT id FROM jobs WHERE run_at <= $2 AND leased_until <= $2 AND dead IS NULL
                        AND COALESCE((SELECT base_url FROM provider_accounts
                            WHERE provider_accounts.id = jobs.account_id), '-') NOT IN ({})
                    ORDER BY run_at LIMIT $3
                 ) RETURNING id, kind, subject, tries, generation,
                    (SELECT base_url FROM provider_accounts WHERE provider_accounts.id = jobs.account_id) AS provider"
            }
            Dialect::Postgres => {
                "UPDATE jobs SET leased_until = $1, tries = tries + 1 WHERE id IN (
                    SELECT id FROM jobs WHERE run_at <= $2 AND leased_until <= $2 AND dead IS NULL
                        AND COALESCE((SELECT base_url FROM provider_accounts
                            WHERE provider_accounts.id = jobs.account_id), '-') NOT IN ({})
                    ORDER BY run_at LIMIT $3 FOR UPDATE SKIP LOCKED
                 ) RETURNING id, kind, subject, tries, generation,
                    (SELECT base_url FROM provider_accounts WHERE provider_accounts.id = jobs.account_id) AS provider"
            }
        }
    }

    /// Takes up due events of the inbox. Servers skip each other's rows here as well.
    pub(super) fn claim_inbox(self) -> &'static str {
        match self {
            Dialect::Sqlite => {
                "UPDATE inbox SET due = $1, tries = tries + 1 WHERE id IN (
                    SELECT id FROM inbox WHERE state = 'pending' AND due <= $2 ORDER BY due LIMIT $3
                 ) RETURNING id, account_id, received, tries, pack, pack_start, pack_size"
            }
            Dialect::Postgres => {
                "UPDATE inbox SET due = $1, tries = tries + 1 WHERE id IN (
                    SELECT id FROM inbox WHERE state = 'pending' AND due <= $2 ORDER BY due LIMIT $3
                    FOR UPDATE SKIP LOCKED
                 ) RETURNING id, account_id, received, tries, pack, pack_start, pack_size"
            }
        }
    }

    /// Passes the gate between storing deliveries that wait and waking them, see [`super::inbox`]. Each of the two lock modes admits
    /// itself and excludes the other. SQLite's writing transactions are exclusive anyway.
    pub(super) async fn pass_gate(self, connection: &mut Connection, gate: Gate) -> Result<(), sqlx::Error> {
        if self == Dialect::Postgres {
            let lock = match gate {
                Gate::Storing => "LOCK TABLE inbox_gate IN ROW EXCLUSIVE MODE",
                Gate::Waking => "LOCK TABLE inbox_gate IN SHARE MODE",
            };
            connection.execute(lock).await?;
        }
        Ok(())
    }

    /// Gives up waiting events whose time is over, and skips events that are being woken.
    pub(super) fn give_up_waiting(self) -> &'static str {
        match self {
            Dialect::Sqlite => {
                "UPDATE inbox SET state = 'orphan', settled = $1, note = $2 WHERE id IN (
                    SELECT id FROM inbox WHERE state = 'waiting' AND due <= $1 ORDER BY due LIMIT $3
                 ) RETURNING id, account_id, claims"
            }
            Dialect::Postgres => {
                "UPDATE inbox SET state = 'orphan', settled = $1, note = $2 WHERE id IN (
                    SELECT id FROM inbox WHERE state = 'waiting' AND due <= $1 ORDER BY due LIMIT $3
                    FOR UPDATE SKIP LOCKED
                 ) RETURNING id, account_id, claims"
            }
        }
    }

    /// Payments older than `$1`, at most `$2`, that were never started and whose sessions are over.
    pub(super) fn unstarted_payments(self) -> &'static str {
        match self {
            Dialect::Sqlite => {
                "SELECT id, order_id FROM payments WHERE seq = 0 AND created < $1 AND NOT EXISTS (SELECT 1 FROM sessions
                    WHERE sessions.payment_id = payments.id AND sessions.expires >= $1) ORDER BY created LIMIT $2"
            }
            Dialect::Postgres => {
                "SELECT id, order_id FROM payments WHERE seq = 0 AND created < $1 AND NOT EXISTS (SELECT 1 FROM sessions
                    WHERE sessions.payment_id = payments.id AND sessions.expires >= $1) ORDER BY created LIMIT $2
                 FOR UPDATE SKIP LOCKED"
            }
        }
    }

    /// Selects a row if a migration was ever run.
    pub(super) fn has_steps(self) -> &'static str {
        match self {
            Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
            Dialect::Postgres => {
                "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables
                 WHERE tablename = '_sqlx_migrations' AND schemaname = ANY (current_schemas(false))"
            }
        }
    }

    /// The names of the tables and views in the database, without the database's own and those of its extensions.
    pub(super) fn tables(self) -> &'static str {
        match self {
            Dialect::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            }
            Dialect::Postgres => {
                "SELECT CAST(relname AS TEXT) AS name FROM pg_class
                 WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
                    AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY (current_schemas(false)))
                    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = CAST('pg_class' AS REGCLASS)
                        AND objid = pg_class.oid AND deptype = 'e')"
            }
        }
    }

    /// Moves committed pages from the log into the file. PostgreSQL does so itself.
    pub(super) fn checkpoint(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => Some("PRAGMA wal_checkpoint(PASSIVE)"),
            Dialect::Postgres => None,
        }
    }

    /// Writes in a way that changes nothing and takes no room, and fails where no write is possible. SQLite notices a read-only or full
    /// file system only when it has a page to write, so it writes the version number that is stored already. PostgreSQL refuses even a
    /// change of no row.
    pub(super) async fn write_nothing(self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        match self {
            Dialect::Sqlite => {
                let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
                let same = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {version}"));
                connection.execute(sqlx::raw_sql(same)).await?;
            }
            Dialect::Postgres => {
                connection.execute("UPDATE jobs SET tries = tries WHERE id = ''").await?;
            }
        }
        Ok(())
    }

    /// Lets statements of this connection take as long as they need.
    pub(super) fn patience(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some("SET statement_timeout = 0; SET lock_timeout = 0"),
        }
    }

    /// Makes a read-only transaction see one moment, whatever others commit meanwhile. SQLite's transactions always do.
    pub(super) fn one_moment(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        }
    }

    /// The triggers by which the database itself refuses to change or delete payment events and ledger entries, and to change an order.
    /// An order that has a payment cannot be deleted either, because the payment refers to it. Run after every migration.
    pub(super) fn guards(self) -> Vec<String> {
        // The tables are in the order in which `crate::record` writes them. Otherwise a server that starts and a server that writes
        // could wait for each other.
        let tables = ["payment_events", "transactions", "entries"];
        match self {
            Dialect::Sqlite => {
                let guard = |table: &str, what: &str| {
                    format!(
                        "CREATE TRIGGER IF NOT EXISTS {table}_keeps_{what} BEFORE {what} ON {table} BEGIN
                            SELECT RAISE(ABORT, '{table} is append-only'); END"
                    )
                };
                let of_books = tables.iter().flat_map(|table| [guard(table, "update"), guard(table, "delete")]);
                std::iter::once(guard("orders", "update")).chain(of_books).collect()
            }
            Dialect::Postgres => {
                let function = "CREATE OR REPLACE FUNCTION till_append_only() RETURNS trigger AS $f$
                    BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $f$ LANGUAGE plpgsql";
                let guard = |table: &str, what: &str| {
                    // The trigger is only made if it is missing: making it locks the table, and this runs at every start of a server.
                    format!(
                        "DO $$ BEGIN
                            IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = '{table}_append_only' AND tgrelid = '{table}'::regclass) THEN
                                CREATE TRIGGER {table}_append_only BEFORE {what} ON {table}
                                    FOR EACH ROW EXECUTE FUNCTION till_append_only();
                            END IF; END $$"
                    )
                };
                // One server at a time: two servers that replace a function at once get an error.
                let lock = "SELECT CAST(pg_advisory_xact_lock(7102455) AS TEXT)".to_owned();
                let of_books = tables.iter().map(|table| guard(table, "update or delete"));
                [lock, function.to_owned(), guard("orders", "update")].into_iter().chain(of_books).collect()
            }
        }
    }

    /// Loads payments to be changed in this transaction. PostgreSQL locks the rows in one order, so that two servers never wait for each
    /// other. On SQLite a writing transaction is exclusive anyway.
    pub(super) fn lock_payments(self) -> &'static str {
        match self {
            Dialect::Sqlite => {
                "SELECT id, merchant_id, live, currency, amount, capture, canceled, kept, revision, seq, told
                 FROM payments WHERE id IN ({})"
            }
            Dialect::Postgres => {
                "SELECT id, merchant_id, live, currency, amount, capture, canceled, kept, revision, seq, told
                 FROM payments WHERE id IN ({}) ORDER BY id FOR UPDATE"
            }
        }
    }

    /// Notifies other servers, when the transaction commits, that payments' pages have news.
    pub(super) fn notify(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => None,
            Dialect::Postgres => {
                Some("SELECT CAST(pg_notify('till_news', column1) AS TEXT) FROM (VALUES {}) AS payments")
            }
        }
    }
}
