//! The simulator of Stripe, written from its public documentation.

pub mod api;
pub mod auth;
pub mod cards;
mod charges;
mod checkout;
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
mod misc;
pub mod money;
pub mod objects;
mod operation;
mod params;
pub mod payment;
mod refunds;
mod signing;
pub mod state;
mod version;
mod webhook_endpoints;
pub mod webhooks;
