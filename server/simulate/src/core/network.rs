//! The messages between Till and the providers.

use domain::Millis;
use domain::payment::Observation;

use super::provider::{Kind, Say};

/// The defect of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forgery {
    /// No defect.
    Genuine,
    /// The delivery is not signed with the account's secret.
    Unsigned,
    /// The amount differs from the debt.
    Amount,
    /// The currency differs from the debt's.
    Currency,
    /// The delivery names a known attempt, but another page.
    Page,
}

/// A webhook, as the provider keeps it until it is acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub kind: Kind,
    pub page: usize,
    pub attempt: usize,
    pub say: Say,
    pub at: Millis,
    pub forged: Forgery,
    pub acknowledged: bool,
    /// The provider has given up delivery; only a fetch can bring the news now.
    pub dropped: bool,
}

/// A request to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Open { attempt: usize, key: usize },
    Find { attempt: usize },
    Fetch { attempt: usize },
    Close { attempt: usize },
    Modify { modification: usize, key: usize },
    FindModification { modification: usize },
}

/// The reply to a request, if there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Opened {
        page: usize,
    },
    Seen(Box<Observation>),
    Accepted {
        movement: Option<usize>,
    },
    NotFound,
    /// The provider did nothing.
    Refused,
    /// The provider did nothing and wants the request later.
    RateLimited,
    /// The request did not leave.
    NotSent,
    /// Whether the request arrived is unknown.
    Lost,
}
