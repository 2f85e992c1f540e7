//! Randomised fault runs in a deterministic world: a seed decides everything, and a seed that fails fails again.

pub mod core;
mod random;
mod report;

pub use report::{Failure, Violation};
