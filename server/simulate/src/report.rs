//! The result of a run.

use std::fmt;
use std::time::Duration;

use crate::census::Census;

/// A violated invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant.
    pub invariant: &'static str,
    /// The state found instead.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" does not hold: {}", self.invariant, self.detail)
    }
}

/// A seed, run again with its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The violation, if there was one.
    pub violation: Option<Violation>,
    /// Every step, in words.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "{line}")?;
        }
        match &self.violation {
            Some(violation) => write!(f, "seed {}: {violation}", self.seed),
            None => write!(f, "seed {}: everything holds", self.seed),
        }
    }
}

/// The outcome of a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Seeds that were run.
    pub seeds: u64,
    /// The duration of the run.
    pub took: Duration,
    /// The seeds that failed, in their order; at most as many as asked for.
    pub failed: Vec<(u64, Violation)>,
    /// The counts of the run's events.
    pub census: Census,
}

impl Report {
    /// Seeds a second, all threads together.
    #[must_use]
    pub fn speed(&self) -> u64 {
        let micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX).max(1);
        self.seeds.saturating_mul(1_000_000) / micros
    }
}
