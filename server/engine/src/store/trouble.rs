//! Words for the errors of a database, with the remedy.

use std::borrow::Cow;

use sqlx::Error;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;

/// An error of the database in words. Where its code says what to do, so do they.
pub(crate) fn words(error: &Error) -> String {
    match error {
        Error::Database(error) => refused(error.as_ref()),
        Error::Io(error) => format!("it cannot be reached: {error}"),
        Error::PoolTimedOut => {
            "no connection became free within 5 seconds: the database does not answer, or it is overloaded".to_owned()
        }
        error => error.to_string(),
    }
}

/// The same of a step of the structure.
pub(crate) fn words_of_step(error: &MigrateError) -> String {
    match error {
        MigrateError::Execute(error) => words(error),
        MigrateError::ExecuteMigration(error, step) => format!("step {step}: {}", words(error)),
        error => error.to_string(),
    }
}

/// The message alone: what the driver adds is a line of PostgreSQL's own source.
fn refused(error: &dyn DatabaseError) -> String {
    let (message, code) = (error.message(), error.code().unwrap_or(Cow::Borrowed("none")));
    match advice(&code, message) {
        Some(advice) => format!("{message}; {advice}"),
        None => format!("{message} (code {code})"),
    }
}

/// The remedy, by the database's error code: PostgreSQL documentation, Appendix A; SQLite documentation, Result and Error Codes, of which the
/// low byte is the primary code.
fn advice(code: &str, message: &str) -> Option<&'static str> {
    if code.len() != 5 {
        return match code.parse::<i64>().ok()? & 0xff {
            8 => Some(
                "the database file may not be written: give this user the right to write it and the directory it is in",
            ),
            10 => Some("look at the disk with the database, and at the system's log"),
            13 => Some("the disk with the database is full: make room on it"),
            14 => Some(
                "SQLite keeps files beside the database: this user needs the right to write the directory it is in",
            ),
            _ => None,
        };
    }
    match code {
        "42501" if message.contains("schema") => Some(
            "the role in TILL_DATABASE_URL must be able to make tables: GRANT USAGE, CREATE ON SCHEMA public TO the role, or let \
             the role own the database",
        ),
        "42501" => Some(
            "the role in TILL_DATABASE_URL needs GRANT USAGE ON SCHEMA public and GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES \
             IN SCHEMA public; `till migrate` is for the role that owns the tables, and others run `till serve --no-migrate`",
        ),
        "3D000" => {
            Some("check the name in TILL_DATABASE_URL, or make it: createdb --encoding UTF8 --template template0 NAME")
        }
        "28000" | "28P01" => {
            Some("check the user name and password in TILL_DATABASE_URL, and PostgreSQL's pg_hba.conf")
        }
        "53300" => Some("raise max_connections of PostgreSQL, or let fewer programs use it"),
        "53100" => Some("make room on PostgreSQL's disk"),
        "57P03" => Some("PostgreSQL is starting or stopping: try again when it is ready"),
        "25006" => Some("this PostgreSQL only reads: TILL_DATABASE_URL must name the primary, not a replica"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sqlx::any::install_default_drivers;
    use sqlx::{AnyConnection, Connection, Executor};

    use super::*;

    /// The error of a statement that fails on an SQLite database in memory.
    async fn said(statement: &'static str) -> String {
        install_default_drivers();
        let mut connection = AnyConnection::connect("sqlite::memory:").await.unwrap();
        words(&connection.execute(sqlx::raw_sql(statement)).await.unwrap_err())
    }

    #[tokio::test]
    async fn a_full_database_and_one_that_only_reads_say_what_to_do() {
        let full =
            said("PRAGMA max_page_count = 2; CREATE TABLE a (b BLOB); INSERT INTO a VALUES (zeroblob(99999))").await;
        assert!(full.contains("full; ") && full.contains("make room"), "{full}");
        let reads = said("CREATE TABLE a (b); PRAGMA query_only = ON; INSERT INTO a VALUES (1)").await;
        assert!(reads.contains("readonly") && reads.contains("right to write"), "{reads}");
        assert_eq!(said("SELECT missing").await, "no such column: missing (code 1)");
    }

    #[test]
    fn a_right_that_is_missing_is_named() {
        let text = |message| advice("42501", message).unwrap();
        assert!(text("permission denied for schema public").contains("CREATE ON SCHEMA"));
        assert!(text("permission denied for table jobs").contains("SELECT, INSERT, UPDATE, DELETE"));
        assert_eq!(advice("42P01", "relation \"x\" does not exist"), None);
        assert_eq!(advice("odd", ""), None);
    }
}
