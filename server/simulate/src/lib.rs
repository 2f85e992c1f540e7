//! Randomised fault runs in a deterministic world: a seed decides everything, and a seed that fails fails again.
//!
//! There are two layers: [`core`] runs the payment protocol as pure steps, and [`engine`] runs the real engine on a
//! real database. `docs/SIMULATION.md` describes the simulated world and its invariants.

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
