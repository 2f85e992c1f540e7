//! Randomised fault runs in a deterministic world: a seed decides everything, and a seed that fails fails again.
//!
//! Two layers: [`core`] runs the payment protocol as pure steps, [`engine`] the real engine on a real database.
//! `docs/SIMULATION.md` says what is simulated and what must hold.

mod census;
pub mod core;
pub mod engine;
mod random;
mod report;
mod rules;
mod run;

pub use census::Census;
pub use report::{Failure, Report, Violation};
pub use run::{Layer, Options, run};
