//! The errors of the engine.

use domain::id::AttemptId;
use domain::order::OrderError;
use domain::payment::Refusal;
use thiserror::Error;

use crate::seal::SealError;
use crate::store::trouble;

/// The reason why an operation failed.
#[derive(Debug, Error)]
pub enum Error {
    /// The database refused an operation or could not be reached.
    #[error("the database: {}", trouble::words(.0))]
    Store(#[from] sqlx::Error),
    /// The database's structure could not be brought up to date.
    #[error("migrating the database: {}", trouble::words_of_step(.0))]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A stored value is not what this version writes.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    /// A payment refused a fact.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The thing does not exist.
    #[error("there is no {0}")]
    NotFound(String),
    /// The order of a link is invalid.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// Several attempts are possible; the text lists a command for each.
    #[error("{text}")]
    Which {
        /// The question.
        text: String,
        /// The attempts, oldest first.
        attempts: Vec<AttemptId>,
    },
    /// The input is invalid; the text says what to do.
    #[error("{0}")]
    Invalid(String),
    /// Credentials cannot be unsealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Error {
    /// Whether a single item of a batch may be to blame, so that the others may succeed without it. Otherwise the database cannot work
    /// now.
    pub(crate) fn is_of_one(&self) -> bool {
        match self {
            Error::Store(sqlx::Error::Database(error)) => !error.code().is_some_and(|code| is_of_all(&code)),
            Error::Store(error) => {
                use sqlx::Error as E;
                !matches!(
                    error,
                    E::Io(_)
                        | E::Tls(_)
                        | E::Protocol(_)
                        | E::PoolTimedOut
                        | E::PoolClosed
                        | E::WorkerCrashed
                        | E::BeginFailed
                )
            }
            _ => true,
        }
    }

    /// Whether a reference belongs to another attempt already. PostgreSQL names the constraint, SQLite the columns.
    pub(crate) fn is_reference_clash(&self) -> bool {
        let Error::Store(sqlx::Error::Database(error)) = self else { return false };
        let names = |text: &str| text.contains("attempt_references");
        error.is_unique_violation() && error.constraint().map_or_else(|| names(error.message()), names)
    }

    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Error::Corrupt(what.to_string())
    }
}

/// Whether a database's code says that it cannot work now: SQLite's result codes, or PostgreSQL's classes for connections,
/// read-only servers, resources, locks, operators and the system.
fn is_of_all(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "25", "28", "3D", "53", "55", "57", "58", "XX"].contains(&&code[..2]);
    }
    // The low byte is the primary code: PERM, BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN,
    // PROTOCOL, NOTADB.
    let primary = code.parse::<i64>().map(|code| code & 0xff);
    primary.is_ok_and(|code| [3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26].contains(&code))
}
