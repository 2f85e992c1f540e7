//! The simulator of Adyen (Checkout API v72, Pay by Link, hosted sessions), written from its public documentation.
//!
//! Adyen differs from other providers in three points: every modification is answered with `received` and its result comes by notification;
//! a payment cannot be retrieved; notifications wait behind one that fails.

pub mod api;
pub mod auth;
mod checkouts;
pub mod control;
mod error;
mod fields;
pub mod hosted;
mod idempotency;
pub mod ids;
pub mod links;
mod modifications;
pub mod money;
pub mod notify;
pub mod objects;
pub mod operation;
mod outcomes;
mod payments;
mod provider;
pub mod reports;
mod results;
mod sessions;
pub mod state;
mod time;
mod triggers;

/// The running provider.
type Core = crate::core::Core<state::Adyen>;
