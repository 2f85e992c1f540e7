//! The provider in Stripe's terms.

mod events;
mod requests;
mod wire;

pub(super) use self::events::{SECRET, headers};
