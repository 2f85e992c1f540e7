//! What travels between Till and the providers.

use domain::Millis;
use domain::payment::Observation;

use super::provider::{Kind, Say};

/// What is wrong with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forgery {
    /// Nothing.
    Genuine,
    /// It is not signed with the account's secret.
    Unsigned,
    /// It speaks of another amount than the debt.
    Amount,
    /// It speaks of another currency.
    Currency,
    /// It names an attempt, but another page.
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
    /// The provider has given up; only a fetch can tell now.
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

/// What came back, if anything did.
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
    /// Nothing was done.
    Refused,
    /// Nothing was done; try later.
    RateLimited,
    /// The request did not leave.
    NotSent,
    /// Nobody knows.
    Lost,
}
