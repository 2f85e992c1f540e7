//! The two kinds of failure that are no fault of the request: it may work later, or another request was first.

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

/// The work that another server or request did first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raced {
    /// Another server has settled some of these deliveries.
    Deliveries,
    /// Other requests changed the account each time its credentials were to be sealed again.
    Sealing(ProviderAccountId),
}
