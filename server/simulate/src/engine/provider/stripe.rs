//! Stripe's words.

mod events;
mod requests;
mod wire;

pub(super) use self::events::{SECRET, headers};
