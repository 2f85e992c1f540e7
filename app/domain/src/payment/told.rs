//! The events of a payment for its merchant: the news of a change.

use serde::{Deserialize, Serialize};

use super::book::{Entry, EntryState};
use super::dispute::DisputeState;
use super::{Attempt, Modification, ModificationKind, Outcome, Payment, Status};
use crate::id::{AttemptId, ModificationId};
use crate::mutant::{self, Mutant};

/// One event for the merchant. Amounts are minor units of the payment's currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Told {
    /// The payment's status has changed.
    Status {
        /// The new status.
        status: Status,
    },
    /// The total captured has changed; downwards, if a capture failed afterwards.
    Captured {
        /// The attempt.
        attempt: AttemptId,
        /// The new total.
        total: i64,
    },
    /// A refund's amount or state has changed.
    Refund {
        /// The attempt.
        attempt: AttemptId,
        /// The provider's reference.
        reference: String,
        /// The refund's new amount and state.
        refund: Entry,
    },
    /// A dispute's amounts or state have changed.
    Dispute {
        /// The attempt.
        attempt: AttemptId,
        /// The provider's reference.
        reference: String,
        /// The amount in dispute; for a dispute that was won, the amount that came back.
        amount: i64,
        /// The amount lost: the whole, or the part that a win did not bring back.
        #[serde(default)]
        lost: i64,
        /// The dispute's state.
        state: DisputeState,
    },
    /// The bank took money back.
    Returned {
        /// The attempt.
        attempt: AttemptId,
        /// The new total.
        total: i64,
    },
    /// An attempt was declined; the shopper can try again.
    Declined {
        /// The attempt.
        attempt: AttemptId,
    },
    /// A capture or void was not done, or a refund was refused before it began.
    ModificationFailed {
        /// The attempt.
        attempt: AttemptId,
        /// The modification.
        modification: ModificationId,
        /// The modification's kind.
        kind: ModificationKind,
    },
    /// An attempt succeeded although no debt was left.
    SecondSuccess {
        /// The attempt.
        attempt: AttemptId,
    },
}

impl Told {
    /// The name under which the event is stored.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Told::Status { status } => format!("payment.{}", status.as_str()),
            Told::Captured { .. } => "payment.captured".to_owned(),
            Told::Refund { refund, .. } => match refund.state {
                EntryState::Pending => "refund.created",
                EntryState::Succeeded => "refund.succeeded",
                EntryState::Refused | EntryState::Failed => "refund.failed",
            }
            .to_owned(),
            Told::Dispute { state, .. } => match state {
                DisputeState::Inquiry => "dispute.announced",
                DisputeState::Open => "dispute.opened",
                DisputeState::Won => "dispute.won",
                DisputeState::Lost => "dispute.lost",
            }
            .to_owned(),
            Told::Returned { .. } => "payment.returned".to_owned(),
            Told::Declined { .. } => "attempt.declined".to_owned(),
            Told::ModificationFailed { kind, .. } => format!("{}.failed", kind.as_str()),
            Told::SecondSuccess { .. } => "payment.second_success".to_owned(),
        }
    }
}

/// The merchant's events that follow from a change, in a fixed order.
#[must_use]
pub fn told(before: &Payment, after: &Payment) -> Vec<Told> {
    let mut told = vec![];
    for attempt in &after.attempts {
        of_attempt(before.attempt(&attempt.id), attempt, &mut told);
    }
    let skipped = before.status() == Status::Unknown && mutant::on(Mutant::OutboxSkipsAfterUnknown);
    if before.status() != after.status() && !skipped {
        told.push(Told::Status { status: after.status() });
    }
    told
}

fn of_attempt(before: Option<&Attempt>, after: &Attempt, told: &mut Vec<Told>) {
    let id = || after.id.clone();
    let (old, new) = (before.map(|before| &before.book), &after.book);
    let was = |total: fn(&super::Book) -> i64| old.map_or(0, total);
    if was(super::Book::captured_net) != new.captured_net() {
        told.push(Told::Captured { attempt: id(), total: new.captured_net() });
    }
    for (reference, refund) in &new.refunds {
        let skipped = refund.state.is_failure() && mutant::on(Mutant::OutboxSkipsFailedRefunds);
        let known = old.and_then(|old| old.refunds.get(reference));
        let again = known.is_some_and(|known| known.state.is_failure() && refund.state.is_failure());
        if known != Some(refund) && !again && !skipped {
            told.push(Told::Refund { attempt: id(), reference: reference.clone(), refund: *refund });
        }
    }
    for (reference, dispute) in &new.disputes {
        let (amount, state, lost) = (dispute.amount, dispute.state, dispute.lost());
        let known = old.and_then(|old| old.disputes.get(reference));
        // Providers repeat a report, some seconds later and under other names.
        if known.is_none_or(|known| (known.amount, known.state, known.lost()) != (amount, state, lost)) {
            told.push(Told::Dispute { attempt: id(), reference: reference.clone(), amount, state, lost });
        }
    }
    if was(super::Book::returned_total) != new.returned_total() {
        told.push(Told::Returned { attempt: id(), total: new.returned_total() });
    }
    if after.decline().is_some() && before.and_then(Attempt::decline) != after.decline() {
        told.push(Told::Declined { attempt: id() });
    }
    for known in &after.modifications {
        let failed = |attempt: &Attempt, known: &Modification| known.outcome(&attempt.book) == Outcome::Failed;
        let before = before.and_then(|before| Some((before, before.modification(&known.id)?)));
        let booked = after.book.refunds.contains_key(known.reference.as_deref().unwrap_or_default());
        if failed(after, known) && !booked && !before.is_some_and(|(attempt, known)| failed(attempt, known)) {
            told.push(Told::ModificationFailed { attempt: id(), modification: known.id.clone(), kind: known.kind });
        }
    }
    if after.second && !before.is_some_and(|before| before.second) {
        told.push(Told::SecondSuccess { attempt: id() });
    }
}
