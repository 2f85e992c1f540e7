//! The provider in Adyen's terms: payment links, modifications that are only received, standard webhooks.

mod notices;
mod requests;

pub(super) use self::notices::SECRET;

/// The merchant account of the whole world.
pub(super) const MERCHANT_ACCOUNT: &str = "SimulatedECOM";
