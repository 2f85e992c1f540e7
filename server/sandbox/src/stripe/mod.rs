//! The simulator of Stripe, written from its public documentation.

pub mod api;
pub mod auth;
pub mod cards;
mod charges;
mod checkout;
mod control;
mod declines;
mod disputes;
mod error;
mod events;
mod expand;
mod form;
pub mod hosted;
mod idempotency;
pub mod ids;
mod intents;
mod lists;
mod metadata;
mod misc;
pub mod money;
pub mod objects;
pub mod operation;
mod params;
pub mod payment;
pub mod pricing;
mod refunds;
mod release;
pub mod rights;
mod signing;
pub mod state;
pub mod version;
mod webhook_endpoints;
pub mod webhooks;

mod provider;

/// The running provider.
type Core = crate::core::Core<state::Stripe>;
