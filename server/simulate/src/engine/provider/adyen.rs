//! Adyen's words: payment links, modifications that are received, standard webhooks.

mod notices;
mod requests;

pub(super) use self::notices::SECRET;

/// The merchant account that everything belongs to.
pub(super) const MERCHANT_ACCOUNT: &str = "SimulatedECOM";
