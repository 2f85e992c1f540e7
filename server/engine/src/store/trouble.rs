//! The errors of a database as closed data. SQLite and PostgreSQL say what is wrong in codes; a missing right is told apart by the
//! message, because PostgreSQL has one code for all rights.

use std::borrow::Cow;
use std::fmt;

use sqlx::Error;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;

/// An error of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The database cannot be reached; the system's reason.
    Unreachable(String),
    /// No connection became free in time.
    NoConnection,
    /// The database refused an operation.
    Refused {
        /// The database's own message.
        message: String,
        /// The database's code.
        code: String,
        /// The known cause, if the code tells one.
        cause: Option<Cause>,
    },
    /// Any other error; the driver's words.
    Other(String),
}

/// A cause that an operator can remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The SQLite file may not be written.
    ReadOnlyFile,
    /// The disk of the SQLite file fails.
    DiskFails,
    /// The disk of the SQLite file is full.
    DiskFull,
    /// SQLite cannot make its files beside the database.
    CannotOpen,
    /// The role may not make tables in the schema.
    NoRightOnSchema,
    /// The role may not use the tables.
    NoRightOnTables,
    /// There is no database of this name.
    NoDatabase,
    /// The user name or the password is wrong.
    NoLogin,
    /// PostgreSQL has no free connection.
    TooManyConnections,
    /// PostgreSQL's disk is full.
    ServerDiskFull,
    /// PostgreSQL is starting or stopping.
    Starting,
    /// The server is a replica.
    Replica,
}

impl Trouble {
    /// An error of the driver.
    #[must_use]
    pub fn of(error: &Error) -> Trouble {
        match error {
            Error::Database(error) => refused(error.as_ref()),
            Error::Io(error) => Trouble::Unreachable(error.to_string()),
            Error::PoolTimedOut => Trouble::NoConnection,
            error => Trouble::Other(error.to_string()),
        }
    }

    /// An error of a step of the structure, with the step's number if it is known.
    #[must_use]
    pub fn of_step(error: &MigrateError) -> (Option<i64>, Trouble) {
        match error {
            MigrateError::Execute(error) => (None, Trouble::of(error)),
            MigrateError::ExecuteMigration(error, step) => (Some(*step), Trouble::of(error)),
            error => (None, Trouble::Other(error.to_string())),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Unreachable(reason) => write!(f, "unreachable: {reason}"),
            Trouble::NoConnection => f.write_str("no connection became free"),
            Trouble::Refused { message, code, .. } => write!(f, "{message} (code {code})"),
            Trouble::Other(words) => f.write_str(words),
        }
    }
}

/// The message alone: what the driver adds is a line of PostgreSQL's own source.
fn refused(error: &dyn DatabaseError) -> Trouble {
    let (message, code) = (error.message(), error.code().unwrap_or(Cow::Borrowed("none")));
    Trouble::Refused { cause: cause(&code, message), message: message.to_owned(), code: code.into_owned() }
}

/// The cause, by the database's error code: PostgreSQL documentation, Appendix A; SQLite documentation, Result and Error Codes, of which the
/// low byte is the primary code.
fn cause(code: &str, message: &str) -> Option<Cause> {
    if code.len() != 5 {
        return match code.parse::<i64>().ok()? & 0xff {
            8 => Some(Cause::ReadOnlyFile),
            10 => Some(Cause::DiskFails),
            13 => Some(Cause::DiskFull),
            14 => Some(Cause::CannotOpen),
            _ => None,
        };
    }
    match code {
        "42501" if message.contains("schema") => Some(Cause::NoRightOnSchema),
        "42501" => Some(Cause::NoRightOnTables),
        "3D000" => Some(Cause::NoDatabase),
        "28000" | "28P01" => Some(Cause::NoLogin),
        "53300" => Some(Cause::TooManyConnections),
        "53100" => Some(Cause::ServerDiskFull),
        "57P03" => Some(Cause::Starting),
        "25006" => Some(Cause::Replica),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sqlx::any::install_default_drivers;
    use sqlx::{AnyConnection, Connection, Executor};

    use super::*;

    /// The error of a statement that fails on an SQLite database in memory.
    async fn trouble(statement: &'static str) -> Trouble {
        install_default_drivers();
        let mut connection = AnyConnection::connect("sqlite::memory:").await.unwrap();
        Trouble::of(&connection.execute(sqlx::raw_sql(statement)).await.unwrap_err())
    }

    #[tokio::test]
    async fn a_full_database_and_one_that_only_reads_are_told_apart() {
        let cause = |trouble| match trouble {
            Trouble::Refused { cause, .. } => cause,
            other => panic!("{other}"),
        };
        let full = "PRAGMA max_page_count = 2; CREATE TABLE a (b BLOB); INSERT INTO a VALUES (zeroblob(99999))";
        assert_eq!(cause(trouble(full).await), Some(Cause::DiskFull));
        let reads = "CREATE TABLE a (b); PRAGMA query_only = ON; INSERT INTO a VALUES (1)";
        assert_eq!(cause(trouble(reads).await), Some(Cause::ReadOnlyFile));
        assert_eq!(trouble("SELECT missing").await.to_string(), "no such column: missing (code 1)");
    }

    #[test]
    fn a_right_that_is_missing_is_named() {
        let missing = |message| cause("42501", message).unwrap();
        assert_eq!(missing("permission denied for schema public"), Cause::NoRightOnSchema);
        assert_eq!(missing("permission denied for table jobs"), Cause::NoRightOnTables);
        assert_eq!(cause("42P01", "relation \"x\" does not exist"), None);
        assert_eq!(cause("odd", ""), None);
    }
}
