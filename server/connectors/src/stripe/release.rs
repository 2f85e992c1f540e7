//! Authorised money that was released and is told as a refund.
//!
//! Endpoints and accounts on an API version before 2025-03-31 hear of a release as of a refund: of what a partial capture leaves,
//! of a cancelled payment, of an authorisation that ran out (Stripe changelog 2025-03-31.basil, "Partially capturing or canceling
//! payments no longer creates a Refund"). The shape of an event follows the endpoint's version and not that of our requests, so
//! both are read. Nothing was taken, so nothing goes back: the charge or the payment itself tells what was captured.

use domain::id::ModificationId;
use domain::payment::{Movement, News};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::object::{Refund, own_modification};

/// The reason of the release of an authorisation that ran out.
const EXPIRED: &str = "expired_uncaptured_charge";

/// What caused an event, as far as Stripe says.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Cause {
    /// A request, since 2017-05-25 with its key.
    Request {
        /// The idempotency key, if it had one.
        idempotency_key: Option<String>,
    },
    /// The id of a request, or something newer.
    Other(IgnoredAny),
    /// Absent.
    #[default]
    None,
}

impl Cause {
    /// The capture, void or refund of ours that asked for it.
    pub(super) fn modification(&self) -> Option<ModificationId> {
        match self {
            Cause::Request { idempotency_key } => idempotency_key.as_deref()?.parse().ok(),
            _ => None,
        }
    }
}

/// Whether a refund is the release of money that was never taken.
///
/// A refund that we asked for bears our reference and is none. Of the others: money that really went back has a balance
/// transaction once it has succeeded (a pending one may have none yet), and a refund that our own capture or void has brought about
/// was not asked for at all.
pub(super) fn is_release(refund: &Refund, cause: &Cause) -> bool {
    if own_modification(refund.metadata.as_ref()).is_some() {
        return false;
    }
    let booked = refund.balance_transaction != Some(None);
    let succeeded = refund.status.as_deref() == Some("succeeded");
    refund.reason.as_deref() == Some(EXPIRED) || (succeeded && !booked) || cause.modification().is_some()
}

/// What a release says: of an authorisation that ran out that nothing can be taken any more. Of the others the charge's own events
/// and the payment's tell.
pub(super) fn news(refund: &Refund) -> Vec<News> {
    let expired = refund.reason.as_deref() == Some(EXPIRED);
    expired.then_some(News::Moved(Movement::Voided)).into_iter().collect()
}
