//! Releases of authorised money that Stripe reports as refunds.
//!
//! Endpoints and accounts on an API version before 2025-03-31 receive a release as a refund. This concerns the rest after a partial
//! capture, a cancelled payment and an expired authorisation (Stripe changelog 2025-03-31.basil, "Partially capturing or canceling payments
//! no longer creates a Refund"). An event has the shape of the endpoint's version and not of our requests' version, so Till reads both.
//! Released money was never captured, so it is not refunded: the charge or the payment itself reports what was captured.

use domain::id::ModificationId;
use domain::payment::{Movement, News};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::object::{Refund, own_modification};

/// The reason for the release of an expired authorisation.
const EXPIRED: &str = "expired_uncaptured_charge";

/// The cause of an event, as far as Stripe names it.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Cause {
    /// A request. Versions since 2017-05-25 show its key.
    Request {
        /// The request's idempotency key, if it had one.
        idempotency_key: Option<String>,
    },
    /// The id of a request, or a newer form of cause.
    Other(IgnoredAny),
    /// No cause is given.
    #[default]
    None,
}

impl Cause {
    /// The capture, void or refund of ours that caused the event.
    pub(super) fn modification(&self) -> Option<ModificationId> {
        match self {
            Cause::Request { idempotency_key } => idempotency_key.as_deref()?.parse().ok(),
            _ => None,
        }
    }
}

/// Whether a refund is the release of money that was never captured.
///
/// A refund with our reference was requested by us and is no release. Any other refund is a release in three cases: its reason is an
/// expired authorisation, our own capture or void caused it, or it succeeded without a balance transaction. A real refund has a balance
/// transaction once it has succeeded; a pending one may have none yet.
pub(super) fn is_release(refund: &Refund, cause: &Cause) -> bool {
    if own_modification(refund.metadata.as_ref()).is_some() {
        return false;
    }
    let booked = refund.balance_transaction != Some(None);
    let succeeded = refund.status.as_deref() == Some("succeeded");
    refund.reason.as_deref() == Some(EXPIRED) || (succeeded && !booked) || cause.modification().is_some()
}

/// The news of a release. An expired authorisation can no longer be captured. The events of the charge and of the payment report all other
/// releases.
pub(super) fn news(refund: &Refund) -> Vec<News> {
    let expired = refund.reason.as_deref() == Some(EXPIRED);
    expired.then_some(News::Moved(Movement::Voided)).into_iter().collect()
}
