//! What can go wrong inside the engine.

use domain::line::LineError;
use domain::payment::Refusal;
use thiserror::Error;

use crate::seal::SealError;

/// An operation could not be done.
#[derive(Debug, Error)]
pub enum Error {
    /// The database refused or could not be reached.
    #[error("the database: {0}")]
    Store(#[from] sqlx::Error),
    /// The database's structure could not be brought up to date.
    #[error("migrating the database: {0}")]
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
    /// The order of a link is not acceptable.
    #[error(transparent)]
    Order(#[from] LineError),
    /// The input is not acceptable; the text says what to do.
    #[error("{0}")]
    Invalid(String),
    /// Credentials cannot be unsealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Error {
    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Error::Corrupt(what.to_string())
    }
}
