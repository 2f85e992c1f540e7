//! The objects of an account: their stored fields and their JSON.
//!
//! The JSON's keys are those of the published type definitions (npm `stripe`). Every key of an object is present, and null where the
//! simulator has no value.

pub mod charge;
pub mod dispute;
pub mod endpoint;
pub mod event;
pub mod intent;
pub mod refund;
pub mod session;

/// The inputs of an object's JSON besides the object itself.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The sandbox's public address, without a trailing slash.
    pub base: &'a str,
    /// The API version of the reader.
    pub version: &'a str,
}
