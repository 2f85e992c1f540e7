//! The reasons why a database cannot be used, as data.

use thiserror::Error;

/// A database, or a copy of one, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseProblem {
    /// The address names neither of the two databases.
    Address,
    /// The database has not answered in this time.
    Silent {
        /// The seconds.
        seconds: u64,
    },
    /// The encoding cannot hold every character.
    Encoding(String),
    /// Only an SQLite database is copied.
    CopyNotSqlite,
    /// The file of a copy has no name in UTF-8.
    CopyName,
    /// The copy is not whole.
    CopyBroken(Vec<Finding>),
}

/// A finding in a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// SQLite's own words.
    Sqlite(String),
    /// A row of this table refers to a row that does not exist.
    Orphan(String),
    /// Rows of this table are missing.
    Rows(&'static str),
    /// Amounts of the ledger are missing.
    Amounts,
}

/// The bytes of a delivery cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("its bytes cannot be read: pack {pack} {damage}")]
pub struct BodyProblem {
    /// The pack that should hold the bytes.
    pub pack: String,
    /// The damage of the pack.
    pub damage: Damage,
}

/// The damage of a pack of deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Damage {
    /// The pack does not exist, or no longer.
    #[error("is gone")]
    Gone,
    /// The pack ends before the delivery's bytes.
    #[error("is too short")]
    TooShort,
    /// The pack has fewer bytes than were packed.
    #[error("is shorter than it was")]
    Shorter,
    /// The number of packed bytes is impossible.
    #[error("claims to hold {0} bytes")]
    Size(i64),
    /// The pack cannot be read or unpacked; the reason of the library.
    #[error("is damaged: {0}")]
    Unreadable(String),
}
