//! What must hold of a payment whatever happens, said anew: not with the functions that it checks.

use std::collections::BTreeMap;

use domain::checkout::Phase;
use domain::payment::{Attempt, Entry, Modification, ModificationKind, ModificationStage};

/// Checks that a capture, void or refund that has just been written down fits, with everything that was asked for before and
/// everything that was done, into what there is. Returns the rule that is broken, and how.
pub(crate) fn fits(attempt: &Attempt, kind: ModificationKind) -> Option<(&'static str, String)> {
    let book = &attempt.book;
    let captures = standing(&book.captures) + unheard(attempt, false);
    let (rule, asked, there) = match kind {
        ModificationKind::Refund { .. } => {
            ("refunds ≤ captures", standing(&book.refunds) + unheard(attempt, true), book.captured_net())
        }
        ModificationKind::Capture { .. } => {
            let captured = book.captured_net().max(standing(&book.captures));
            ("captures ≤ authorisation", captured + unheard(attempt, false), book.authorised)
        }
        ModificationKind::Void => ("void or capture, not both", captures, 0),
    };
    (asked > there).then(|| (rule, format!("{asked} asked for or done, of {there}")))
}

/// Whether what a page says about money may be said, when providers have ever captured or authorised any.
pub(crate) fn is_evidenced(phase: Phase, captured: bool, authorised: bool) -> bool {
    match phase {
        Phase::Paid
        | Phase::PaidLate
        | Phase::PartlyPaid
        | Phase::Overpaid
        | Phase::PartlyRefunded
        | Phase::Refunded => captured,
        Phase::Authorised => authorised,
        _ => true,
    }
}

/// What was asked for and may yet be done: refunds, or captures.
fn unheard(attempt: &Attempt, refunds: bool) -> i64 {
    let counts = |kind: ModificationKind| match kind {
        ModificationKind::Refund { .. } => refunds,
        ModificationKind::Capture { .. } => !refunds,
        ModificationKind::Void => false,
    };
    let open = |one: &&Modification| matches!(one.stage, ModificationStage::Requested | ModificationStage::Unknown);
    attempt.modifications.iter().filter(open).filter(|one| counts(one.kind)).map(Modification::amount).sum()
}

fn standing(entries: &BTreeMap<String, Entry>) -> i64 {
    entries.values().filter(|entry| !entry.state.is_failure()).map(|entry| entry.amount).sum()
}
