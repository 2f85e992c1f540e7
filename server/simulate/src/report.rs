//! What a run found.

/// What did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant.
    pub invariant: &'static str,
    /// What was found instead.
    pub detail: String,
}

/// A seed, run again with its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What did not hold; nothing, if everything did.
    pub violation: Option<Violation>,
    /// Every step, readable.
    pub trace: Vec<String>,
}
