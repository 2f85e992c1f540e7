//! Alerts about disputes. Each dispute has rows of its own, so that the rows of two disputes of one attempt do not replace each other. A
//! row follows its dispute and is removed when its cause is gone, because banks change their minds.

use domain::method::Method;
use domain::money::Money;
use domain::payment::{Attempt, Dispute, DisputeState, Payment};
use domain::time;

use super::changes::AlertChange;
use super::follow_up::Step;

/// The most characters of a dispute's reference in the subject of an alert.
const REFERENCE_CHARS_MAX: usize = 120;

/// The changes that a step makes to the alerts about disputes.
pub(super) fn alerts(step: &Step<'_>) -> Vec<AlertChange> {
    let mut changes = vec![];
    for attempt in &step.after.attempts {
        let known = step.before.attempt(&attempt.id);
        for (reference, now) in &attempt.book.disputes {
            let before = known.and_then(|known| known.book.disputes.get(reference));
            if before != Some(now) {
                let change = Change { payment: step.after, attempt, reference, before, now };
                changes.extend([change.opened(), change.doubtful(), change.lost()].into_iter().flatten());
            }
        }
    }
    changes
}

/// One dispute before and after a step.
struct Change<'a> {
    payment: &'a Payment,
    attempt: &'a Attempt,
    reference: &'a str,
    before: Option<&'a Dispute>,
    now: &'a Dispute,
}

impl Change<'_> {
    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.payment.amount.currency)
    }

    fn subject(&self) -> String {
        let reference: String = self.reference.chars().take(REFERENCE_CHARS_MAX).collect();
        format!("{}/{reference}", self.attempt.id)
    }

    fn detail(&self, text: &str) -> String {
        format!("payment {}: {text}", self.payment.id)
    }

    fn raise(&self, kind: &'static str, text: &str) -> AlertChange {
        AlertChange::Raise { kind, subject: self.subject(), detail: self.detail(text) }
    }

    /// The alert about an open dispute: the provider has taken the money, and the outcome is not decided. An inquiry moves no money.
    fn opened(&self) -> Option<AlertChange> {
        let kind = "dispute_opened";
        let was_open = self.before.is_some_and(|old| old.state == DisputeState::Open);
        if self.now.state != DisputeState::Open {
            return was_open.then(|| AlertChange::Close { kind, subject: self.subject() });
        }
        let same = |old: &Dispute| (old.state, old.amount, old.due) == (self.now.state, self.now.amount, self.now.due);
        if self.before.is_some_and(same) {
            return None;
        }
        let until = self.now.due.map_or_else(String::new, |due| format!(" until {}", time::format(due)));
        let text = format!(
            "dispute {} was opened and the provider has taken {}; hand in evidence at the provider{until}, or accept it there",
            self.reference,
            self.money(self.now.amount)
        );
        Some(self.raise(kind, &text))
    }

    fn doubtful(&self) -> Option<AlertChange> {
        let new = self.now.is_doubtful() && !self.before.is_some_and(Dispute::is_doubtful);
        new.then(|| {
            let text = format!(
                "the provider told of the same part of dispute {} with two dates, and dates are not signed: it is counted \
                 once; if two equal parts were taken or came back, the provider's own list shows them",
                self.reference
            );
            self.raise("dispute_doubtful", &text)
        })
    }

    /// The alert about the lost amount, which stays with the shopper. A dispute that is won in part has lost the rest. The lost amount
    /// may later become smaller, or zero.
    fn lost(&self) -> Option<AlertChange> {
        let kind = "dispute_lost";
        let (before, lost) = (self.before.map_or(0, Dispute::lost), self.now.lost());
        if lost == before {
            return None;
        }
        if lost == 0 {
            return Some(AlertChange::Close { kind, subject: self.subject() });
        }
        let next = match self.attempt.method {
            Method::Card => "look at the provider whether an appeal is possible",
            // Banks decide on debits for good (Stripe documentation, ACH Direct Debit, Disputed payments).
            Method::BankDebit => "ask the shopper to pay another way",
        };
        let text = format!(
            "dispute {} was lost: {} stays with the shopper; do not refund it as well, and {next}",
            self.reference,
            self.money(lost)
        );
        // A smaller loss is no new cause: an alert that a person has dismissed does not come again.
        if lost > before {
            Some(self.raise(kind, &text))
        } else {
            Some(AlertChange::Reword { kind, subject: self.subject(), detail: self.detail(&text) })
        }
    }
}
