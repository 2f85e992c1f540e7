//! Alerts whose cause is gone. Each alert is closed with the change that ends its cause. A step that ends no cause closes no alert, so
//! that payments without alerts cost nothing.

use domain::DAY;
use domain::payment::{Attempt, EntryState, Outcome, Payment};

use super::follow_up::Step;
use crate::work::modification_subject;

/// Kind and subject of an alert.
pub(super) type Ended = (&'static str, String);

/// The alerts that a step ends.
pub(super) fn alerts(step: &Step<'_>) -> Vec<Ended> {
    let (before, after) = (step.before, step.after);
    let mut ended = vec![];
    if before.wanted_back().is_some() && after.wanted_back().is_none() {
        ended.push(("surplus_held", after.id.to_string()));
    }
    for attempt in &after.attempts {
        let Some(old) = before.attempt(&attempt.id) else { continue };
        let change = Change { before, after, old, new: attempt };
        ended.extend(change.money().into_iter().map(|kind| (kind, attempt.id.to_string())));
        ended.extend(change.modifications(step.now));
    }
    ended
}

/// One attempt before and after a step.
struct Change<'a> {
    before: &'a Payment,
    after: &'a Payment,
    old: &'a Attempt,
    new: &'a Attempt,
}

impl Change<'_> {
    /// The kinds of alerts about the attempt's money that end.
    fn money(&self) -> Vec<&'static str> {
        let (old, new) = (&self.old.book, &self.new.book);
        let mut kinds = vec![];
        if is_too_much(self.before, self.old) && !is_too_much(self.after, self.new) {
            kinds.extend(["second_success", "surplus_stuck"]);
        }
        // The payment was paid again, or called off.
        let over = |payment: &Payment| payment.status().is_settled() || payment.is_called_off();
        if self.new.is_released() && !over(self.before) && over(self.after) {
            kinds.push("authorisation_released");
        }
        if self.old.overdrawn() > 0 && self.new.overdrawn() == 0 {
            kinds.push("money_impossible");
        }
        // Money was captured after a capture that failed, or refunded after a refund that failed.
        let failed = |state: EntryState| state.is_failure();
        if new.captured_net() > old.captured_net() && old.captures.values().any(|entry| failed(entry.state)) {
            kinds.push("capture_failed");
        }
        let done = |attempt: &Attempt| attempt.book.refunds_in(EntryState::Succeeded);
        if done(self.new) > done(self.old) && old.refunds.values().any(|entry| failed(entry.state)) {
            kinds.push("refund_failed");
        }
        kinds
    }

    /// The alerts about captures, voids and refunds that end: an overdue modification has a result, or a modification that counted as
    /// failed was done.
    fn modifications(&self, now: domain::Millis) -> Vec<Ended> {
        let mut ended = vec![];
        for known in &self.new.modifications {
            let Some(old) = self.old.modification(&known.id) else { continue };
            let (old, new) = (old.outcome(&self.old.book), known.outcome(&self.new.book));
            // Few modifications are old enough for an alert.
            if old.is_open() && !new.is_open() && now - known.created > DAY {
                ended.push(("modification_overdue", modification_subject(&self.new.id, &known.id)));
            }
            if old == Outcome::Failed && new != Outcome::Failed {
                ended.push(("modification_failed", known.id.to_string()));
            }
        }
        ended
    }
}

/// Whether an attempt holds money beyond the debt: captured money that has not gone back and is not kept, or an authorisation of a
/// second success.
fn is_too_much(payment: &Payment, attempt: &Attempt) -> bool {
    let authorised = attempt.second && attempt.has_money() && attempt.book.captured_net() == 0;
    authorised || payment.claims().any(|claim| claim.attempt.id == attempt.id && claim.outstanding() > 0)
}
