//! The errors of the engine: closed kinds with data. They have no words for people: the command line has its own, the pages have
//! `app::lang`, and programs get the [code](Error::code). `Display` is for logs: the code and the data.

mod call;
mod code;
mod later;
mod thing;

use std::fmt;

use connectors::AmountRule;
use domain::order::OrderError;
use domain::payment::Refusal;

pub use call::CallError;
pub use code::{Class, Code, document};
pub use later::{Later, Raced};
pub use thing::Thing;

use crate::problem::{AccountProblem, DatabaseProblem, LinkProblem, MerchantProblem, MoneyProblem};
use crate::seal::SealError;
use crate::store::trouble::Trouble;

/// The reason why an operation failed.
#[derive(Debug)]
pub enum Error {
    /// The database refused an operation or could not be reached.
    Store(sqlx::Error),
    /// The database's structure could not be brought up to date.
    Migrate(sqlx::migrate::MigrateError),
    /// The database is not usable for this.
    Database(DatabaseProblem),
    /// A stored value is not what this version writes. The text is for logs.
    Corrupt(String),
    /// A payment refused a fact.
    Refused(Refusal),
    /// The thing does not exist.
    NotFound(Thing),
    /// An order is invalid.
    Order(OrderError),
    /// The provider cannot count an amount.
    Amount(AmountRule),
    /// A merchant is invalid.
    Merchant(MerchantProblem),
    /// A provider account is invalid.
    Account(AccountProblem),
    /// A link is invalid, or cannot be used.
    Link(LinkProblem),
    /// A merchant's action on a payment's money is refused.
    Money(Box<MoneyProblem>),
    /// A call to a provider had no outcome.
    Provider(CallError),
    /// It may work later.
    Later(Later),
    /// Another server or request was first. What it did stands.
    Raced(Raced),
    /// Credentials cannot be unsealed.
    Seal(SealError),
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match self {
            Error::Store(error) => Trouble::of(error).fmt(f),
            Error::Migrate(error) => match Trouble::of_step(error) {
                (Some(step), trouble) => write!(f, "step {step}: {trouble}"),
                (None, trouble) => trouble.fmt(f),
            },
            Error::Corrupt(what) => f.write_str(what),
            Error::Refused(refusal) => refusal.fmt(f),
            Error::NotFound(thing) => thing.fmt(f),
            Error::Order(error) => error.fmt(f),
            Error::Amount(rule) => rule.fmt(f),
            Error::Provider(error) => error.fmt(f),
            Error::Database(problem) => write!(f, "{problem:?}"),
            Error::Merchant(problem) => write!(f, "{problem:?}"),
            Error::Account(problem) => write!(f, "{problem:?}"),
            Error::Link(problem) => write!(f, "{problem:?}"),
            Error::Money(problem) => write!(f, "{problem:?}"),
            Error::Later(later) => later.fmt(f),
            Error::Raced(raced) => raced.fmt(f),
            Error::Seal(error) => error.fmt(f),
        }
    }
}

/// Conversions from the errors of the rooms.
macro_rules! from {
    ($($kind:ident($error:ty)),* $(,)?) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Error::$kind(error.into())
            }
        }
    )*};
}

from!(
    Store(sqlx::Error),
    Migrate(sqlx::migrate::MigrateError),
    Database(DatabaseProblem),
    Refused(Refusal),
    Order(OrderError),
    Amount(AmountRule),
    Merchant(MerchantProblem),
    Account(AccountProblem),
    Link(LinkProblem),
    Money(MoneyProblem),
    Money(Box<MoneyProblem>),
    Provider(CallError),
    Later(Later),
    Raced(Raced),
    Seal(SealError),
);

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
