//! The objects of an account: what is kept of each, and how each looks on the wire.
//!
//! Keys are those of the published type definitions (npm `stripe`): every key of an object is present, null where the
//! simulator has nothing to say.

pub mod charge;
pub mod dispute;
pub mod endpoint;
pub mod event;
pub mod intent;
pub mod refund;
pub mod session;

/// What an object's wire form depends on besides the object.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The sandbox's public address, without a trailing slash.
    pub base: &'a str,
    /// The API version the reader asked for.
    pub version: &'a str,
}
