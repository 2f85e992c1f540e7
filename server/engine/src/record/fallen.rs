//! Alerts about money that falls back or does not arrive. Each alert is raised with the change that reports the money, and only once,
//! however often a provider repeats itself. Alerts about disputes are in [`super::disputes`].

use domain::money::Money;
use domain::payment::{Attempt, EntryState, Modification, ModificationKind, Outcome, Payment};

use super::follow_up::Step;

/// An alert: kind, subject and text.
pub(super) type Alert = (&'static str, String, String);

/// The alerts of a step.
pub(super) fn alerts(step: &Step<'_>) -> Vec<Alert> {
    let mut alerts = vec![];
    for attempt in &step.after.attempts {
        let fresh = Attempt { book: domain::payment::Book::default(), modifications: vec![], ..attempt.clone() };
        let before = step.before.attempt(&attempt.id).unwrap_or(&fresh);
        if before.book == attempt.book && before.modifications == attempt.modifications {
            continue;
        }
        let change = Change { payment: step.after, before, after: attempt };
        alerts.extend(change.capture());
        alerts.extend(change.released());
        alerts.extend(change.refunds());
        alerts.extend(change.surplus());
        alerts.extend(change.returned());
    }
    alerts
}

/// One attempt before and after a step.
struct Change<'a> {
    payment: &'a Payment,
    before: &'a Attempt,
    after: &'a Attempt,
}

impl Change<'_> {
    fn alert(&self, kind: &'static str, text: String) -> Alert {
        (kind, self.after.id.to_string(), format!("payment {}: {text}", self.payment.id))
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.payment.amount.currency)
    }

    /// The alert about captured money that does not arrive after all.
    fn capture(&self) -> Option<Alert> {
        let lost = self.before.book.captured_net() - self.after.book.captured_net();
        (lost > 0).then(|| {
            let text = format!(
                "a capture of {} failed after it had been reported as done, so the money does not arrive; {}",
                self.money(lost),
                self.instead(lost)
            );
            self.alert("capture_failed", text)
        })
    }

    /// The next step after a capture that failed.
    fn instead(&self, lost: i64) -> String {
        let (id, left) = (&self.payment.id, self.after.capturable());
        if left > 0 && !self.gave_up_the_rest() {
            let amount = left.min(lost);
            let rest = if amount < left && !self.was_the_last() { " --keep-rest" } else { "" };
            let amount = self.money(amount).to_decimal();
            format!(
                "the authorisation still stands: capture it again with `till payment capture {id} --attempt {} --amount \
                 {amount}{rest}`",
                self.after.id
            )
        } else if self.after.is_released() && !self.payment.status().is_settled() && !self.payment.is_called_off() {
            "the authorisation is gone as well, so the shopper can pay again with the same link".to_owned()
        } else {
            format!(
                "nothing more can be captured of the attempt; see `till payment show {id}`, and have what is missing paid \
                 another way"
            )
        }
    }

    /// Whether a capture that has failed in this step was to release the rest.
    fn was_the_last(&self) -> bool {
        let failed = |attempt: &Attempt, known: &Modification| known.outcome(&attempt.book) == Outcome::Failed;
        let last = |known: &Modification| {
            let before = self.before.modification(&known.id);
            matches!(known.kind, ModificationKind::Capture { last: true, .. })
                && failed(self.after, known)
                && !before.is_some_and(|before| failed(self.before, before))
        };
        self.after.modifications.iter().any(last)
    }

    /// Whether the merchant has captured a part, kept the rest, and not asked for a last capture since.
    fn kept_the_rest(&self) -> bool {
        let part = |known: &Modification| matches!(known.kind, ModificationKind::Capture { last: false, .. });
        self.after.modifications.iter().any(part) && !self.gave_up_the_rest()
    }

    /// Whether there is a last capture that has not failed.
    fn gave_up_the_rest(&self) -> bool {
        let last = |known: &Modification| {
            matches!(known.kind, ModificationKind::Capture { last: true, .. })
                && known.outcome(&self.after.book) != Outcome::Failed
        };
        self.after.modifications.iter().any(last)
    }

    /// The alert about an authorisation, or the rest of one, that was released without a request.
    fn released(&self) -> Option<Alert> {
        if self.payment.canceled || self.after.second || !self.after.book.voided {
            return None;
        }
        let book = &self.after.book;
        let taken = book.captured_net().saturating_add(book.captures_in(EntryState::Pending));
        let rest = book.authorised.saturating_sub(taken);
        // Captured money that fell back has an alert of its own.
        let only_authorised = self.before.book.captured_net() == 0;
        let asked = self.after.is_released_on_request();
        if self.after.is_released() && !self.before.is_released() && only_authorised && !asked {
            let text = format!(
                "the provider has released the authorisation of {} by itself: it has expired, or was voided at the provider; \
                 nothing was captured; the shopper can pay again with the same link, or end it with `till payment cancel {}`",
                self.money(book.authorised),
                self.payment.id
            );
            Some(self.alert("authorisation_released", text))
        } else if !self.before.book.voided && taken > 0 && rest > 0 && self.kept_the_rest() {
            let text = format!(
                "the provider has released the other {} of the authorisation by itself: it has expired, or was voided at the \
                 provider; {} of it was captured, and nothing more can be; have the rest paid another way",
                self.money(rest),
                self.money(taken)
            );
            Some(self.alert("authorisation_released", text))
        } else {
            None
        }
    }

    /// The alerts about refunds that failed after the provider had accepted or done them.
    fn refunds(&self) -> Vec<Alert> {
        let taken = |reference: &String| {
            let before = self.before.book.refunds.get(reference).map(|entry| entry.state);
            matches!(before, Some(EntryState::Pending | EntryState::Succeeded)) && !self.is_surplus(reference)
        };
        let failed = self.after.book.refunds.iter().filter(|(_, entry)| entry.state.is_failure());
        let failed = failed.filter(|(reference, _)| taken(reference));
        let alert = |(reference, entry): (&String, &domain::payment::Entry)| {
            let known = self.after.modifications.iter().find(|known| known.reference.as_ref() == Some(reference));
            let text = format!(
                "the refund {reference} of {} failed{}, so the shopper has not got the money and it is with you again; \
                 refund again with `till payment refund {} --attempt {} --amount {}`, or pay it another way",
                self.money(entry.amount),
                because(known),
                self.payment.id,
                self.after.id,
                self.money(entry.amount).to_decimal()
            );
            self.alert("refund_failed", text)
        };
        failed.map(alert).collect()
    }

    /// Whether Till itself sent a refund, because too much was paid.
    fn is_surplus(&self, reference: &str) -> bool {
        let known = |known: &&Modification| known.reference.as_deref() == Some(reference);
        self.after.modifications.iter().find(known).is_some_and(|known| self.is_own(known))
    }

    /// Whether Till began a modification by itself. Merchants' requests from before keys existed have no key either.
    fn is_own(&self, known: &Modification) -> bool {
        known.is_own() && self.payment.wanted_back().is_some()
    }

    /// The alerts about surplus that could not be sent back.
    fn surplus(&self) -> Vec<Alert> {
        let failed = |attempt: &Attempt, known: &Modification| known.outcome(&attempt.book) == Outcome::Failed;
        let new = |known: &&Modification| {
            let before = self.before.modification(&known.id);
            let back = !matches!(known.kind, ModificationKind::Capture { .. });
            back && self.is_own(known)
                && failed(self.after, known)
                && !before.is_some_and(|before| failed(self.before, before))
        };
        let alert = |known: &Modification| {
            let text = format!(
                "attempt {} was paid {} more than was owed, and sending it back failed{}; Till tries again with growing pauses, \
                 and at once after `till merchant surplus {} refund`",
                self.after.id,
                self.money(if known.amount() > 0 { known.amount() } else { self.after.book.authorised }),
                because(Some(known)),
                self.payment.merchant
            );
            self.alert("surplus_stuck", text)
        };
        self.after.modifications.iter().filter(new).map(alert).collect()
    }

    /// The alert about money that the shopper's bank took back.
    fn returned(&self) -> Option<Alert> {
        let back = self.after.book.returned_total() - self.before.book.returned_total();
        (back > 0).then(|| {
            let text = format!(
                "the shopper's bank took {} back, so you have not been paid; ask the shopper to pay another way before \
                 you deliver",
                self.money(back)
            );
            self.alert("payment_returned", text)
        })
    }
}

/// The provider's reason, if it gave one.
fn because(known: Option<&Modification>) -> String {
    let reason = known.and_then(Modification::reason);
    reason.map_or_else(|| " (the provider gave no reason)".to_owned(), |reason| format!(" ({reason})"))
}
