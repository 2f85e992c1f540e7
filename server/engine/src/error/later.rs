//! The two kinds of failure that are no fault of the request: it may work later, or another request was first.

use std::fmt;
use std::time::Duration;

use domain::id::{AttemptId, ModificationId, ProviderAccountId};
use domain::payment::ModificationKind;

/// The reason why something did not work now and may work later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Later {
    /// The provider's page is not open yet.
    NotOpen(AttemptId),
    /// The provider has not answered a capture, void or refund yet.
    NotAnswered {
        /// The modification.
        modification: ModificationId,
        /// The kind.
        kind: ModificationKind,
    },
    /// The provider listed no events.
    NoEvents(ProviderAccountId),
    /// The inbox is full, or the database does not answer.
    InboxFull,
    /// The work panicked.
    Panicked,
    /// The work took longer than this.
    TookTooLong(Duration),
    /// The connection that brings other servers' news was closed.
    NewsClosed,
    /// The connection that brings other servers' news does not answer.
    NewsSilent,
}

/// The data, for logs and alerts.
impl fmt::Display for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Later::NotOpen(attempt) => f.write_str(attempt.as_str()),
            Later::NotAnswered { modification, kind } => write!(f, "{} {modification}", kind.as_str()),
            Later::NoEvents(account) => f.write_str(account.as_str()),
            Later::InboxFull => f.write_str("inbox"),
            Later::Panicked => f.write_str("panic"),
            Later::TookTooLong(most) => write!(f, "more than {} seconds", most.as_secs()),
            Later::NewsClosed => f.write_str("closed"),
            Later::NewsSilent => f.write_str("silent"),
        }
    }
}

/// The work that another server or request did first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raced {
    /// Another server has settled some of these deliveries.
    Deliveries,
    /// Other requests changed the account each time its credentials were to be sealed again.
    Sealing(ProviderAccountId),
}

/// The data, for logs and alerts.
impl fmt::Display for Raced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Raced::Deliveries => f.write_str("deliveries"),
            Raced::Sealing(account) => f.write_str(account.as_str()),
        }
    }
}
