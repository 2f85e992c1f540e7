//! Checks the database itself after a run, with every server stopped.
//!
//! A new check is one function in [`CHECKS`]. It gets all evidence and returns a sentence for each violation.

mod deliveries;
mod ledger;
mod payments;
mod refunds;
mod snapshot;

use std::collections::HashSet;

pub use snapshot::Snapshot;

use crate::Failure;
use crate::record::Record;
use crate::shop::Refund;

/// The most sentences printed about one check.
const SENTENCES_MAX: usize = 10;

/// The evidence of a run.
pub struct Evidence<'a> {
    /// The database.
    pub found: &'a Snapshot,
    /// The clients' record.
    pub record: &'a Record,
    /// The account that takes the payments.
    pub account: &'a str,
    /// The merchant's second account.
    pub other: &'a str,
    /// The provider's checkout sessions: Till's reference and the status.
    pub provider: &'a [(String, String)],
    /// The provider's refunds.
    pub refunds: &'a [Refund],
    /// The events that the provider lists.
    pub listed: &'a HashSet<String>,
}

/// Returns a sentence for each violation.
pub type Check = fn(&Evidence<'_>) -> Vec<String>;

/// Every check with its rule.
pub const CHECKS: &[(&str, Check)] = &[
    ("the run was under load: something was acknowledged, and something paid", payments::something_happened),
    ("no reply was other than it must be", deliveries::replies_were_right),
    ("every acknowledged delivery is in the inbox", deliveries::acknowledged_are_stored),
    ("every acknowledged delivery is settled with the right verdict", deliveries::acknowledged_are_settled),
    ("forged and stale deliveries left no row", deliveries::refused_left_no_row),
    ("the inbox has nothing that nobody sent", deliveries::nothing_from_nowhere),
    ("no delivery waits for anything but an unknown payment", deliveries::none_is_left),
    ("no page and no capture or refund is left undecided", payments::none_is_undecided),
    ("what is proven paid is paid, with the right totals", payments::proven_are_paid),
    ("nothing is paid without proof", payments::unproven_are_unpaid),
    ("no payment has two live attempts", payments::one_live_attempt),
    ("events are numbered without gaps", payments::events_without_gaps),
    ("the state is the replay of the events", payments::state_is_the_replay),
    ("the totals are the attempts' sums", payments::totals_are_sums),
    ("a delivery acted at most once", payments::causes_act_once),
    ("the provider has one page per attempt", payments::one_page_per_attempt),
    ("the provider has one refund for each that succeeded, and no other", refunds::one_each),
    ("no more went back than was taken", refunds::none_beyond_captures),
    ("the ledger's entries are whole", ledger::entries_are_whole),
    ("the ledger agrees with the payments", ledger::agrees_with_payments),
    ("the outbox has what the merchant must hear", ledger::merchants_hear),
];

/// Runs every check. The error names each broken rule, with examples.
pub fn run(evidence: &Evidence<'_>) -> Result<(), Failure> {
    let mut report = vec![];
    for (rule, check) in CHECKS {
        let broken = check(evidence);
        if broken.is_empty() {
            continue;
        }
        report.push(format!("VIOLATION, {} times: {rule}", broken.len()));
        report.extend(broken.iter().take(SENTENCES_MAX).map(|sentence| format!("  {sentence}")));
    }
    if report.is_empty() { Ok(()) } else { Err(report.join("\n").into()) }
}

#[cfg(test)]
mod tests;
