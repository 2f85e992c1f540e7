//! Tests that a page's sentences are true. They judge by each attempt's book and not with the functions that choose the phase. The
//! sentences themselves are in `app::lang`; a phase that gets another sentence needs another claim here.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::payment::{Entry, EntryState, Fact, Modification, ModificationKind, Outcome, decide, walk};

/// The facts about a payment's money, computed independently of the code under test.
struct Truth<'a> {
    payment: &'a Payment,
    phase: Phase,
    figures: Figures,
}

impl Truth<'_> {
    fn sum(&self, of: impl Fn(&Attempt) -> i64) -> i64 {
        self.payment.attempts.iter().map(of).sum()
    }

    fn taken(&self) -> i64 {
        self.sum(|attempt| attempt.book.captured_net())
    }

    fn refunded(&self) -> i64 {
        let done = |one: &&Entry| one.state == EntryState::Succeeded;
        self.sum(|attempt| attempt.book.refunds.values().filter(done).map(|one| one.amount).sum())
    }

    fn by_banks(&self) -> i64 {
        self.sum(|attempt| attempt.book.returned.values().sum())
    }

    /// The amount that banks took back of shoppers' bank debits by disputes.
    fn denied(&self) -> i64 {
        let debits = |attempt: &Attempt| attempt.method == Method::BankDebit;
        self.sum(|attempt| if debits(attempt) { attempt.book.charged_back() } else { 0 })
    }

    /// Whether the order was paid by one debit, with nothing beyond it, and the bank has taken money of it back.
    fn is_one_debit_taken_back(&self) -> bool {
        let with_money: Vec<_> = self.payment.attempts.iter().filter(|one| one.book.captured_net() > 0).collect();
        matches!(with_money[..], [one] if one.book.captured_net() <= self.payment.amount.minor) && self.denied() > 0
    }

    fn any(&self, of: impl Fn(&Attempt) -> bool) -> bool {
        self.payment.attempts.iter().any(of)
    }

    fn is_being_voided(&self) -> bool {
        let void = |one: &Modification, of: &Attempt| {
            matches!(one.kind, ModificationKind::Void) && one.outcome(&of.book).is_open()
        };
        self.any(|attempt| attempt.modifications.iter().any(|one| void(one, attempt)))
    }

    fn captures_asked(&self) -> i64 {
        let asked = |one: &Modification, of: &Attempt| match one.kind {
            ModificationKind::Capture { amount, .. } if one.outcome(&of.book) != Outcome::Failed => amount,
            _ => 0,
        };
        self.sum(|attempt| attempt.modifications.iter().map(|one| asked(one, attempt)).sum())
    }

    /// Whether there is captured money, or an authorisation that can still be captured or is being captured.
    fn is_held(&self) -> bool {
        let approved = |attempt: &Attempt| {
            attempt.book.authorised > 0 && (!attempt.book.voided || attempt.book.captures_in(EntryState::Pending) > 0)
        };
        self.taken() > 0 || self.any(approved) || self.captures_asked() > 0
    }

    fn is_live(&self) -> bool {
        self.any(|attempt| !matches!(attempt.stage, Stage::Closed(_)))
    }

    fn is_overdrawn(&self) -> bool {
        self.any(|attempt| attempt.book.gone() > attempt.book.captured_net())
    }

    /// Whether the whole surplus has gone back or is kept. Judged only where one attempt is owed and the others are plainly surplus; none
    /// in other cases.
    fn is_too_much_settled(&self) -> Option<bool> {
        let debt = if self.payment.canceled { 0 } else { self.payment.amount.minor };
        let back = |attempt: &Attempt| attempt.book.gone() - attempt.book.refunds_in(EntryState::Pending);
        let owed: Vec<_> =
            self.payment.attempts.iter().filter(|one| !one.second && one.book.captured_net() > 0).collect();
        match owed[..] {
            [] if debt > 0 => return None,
            [first] if first.book.captured_net() < debt => return None,
            [_, _, ..] => return None,
            _ => {}
        }
        let of = |attempt: &Attempt| {
            let due = if attempt.second { 0 } else { debt };
            attempt.book.captured_net() - due - back(attempt) <= attempt.kept
        };
        Some(self.payment.attempts.iter().all(of))
    }

    /// Whether all captured money was refunded, or taken or held by banks.
    fn is_nothing_left(&self) -> bool {
        self.taken() - self.refunded() <= self.by_banks() + self.sum(|attempt| attempt.book.charged_back())
    }

    /// Whether the merchant has settled for a part: at least that much was captured, and no more can be captured.
    fn takes_only(&self, part: i64) -> bool {
        let ended = |attempt: &Attempt| {
            let last = |one: &Modification| matches!(one.kind, ModificationKind::Capture { last: true, .. });
            attempt.book.captured_net() > 0 && (attempt.book.voided || attempt.modifications.iter().any(last))
        };
        0 < part && part <= self.taken() && self.any(ended)
    }

    /// The sentence "You approved the total, and the merchant has collected a part": by hand at the provider, or by a last capture.
    fn took_a_part_of_all(&self, asked: i64) -> bool {
        let last = |one: &Modification| matches!(one.kind, ModificationKind::Capture { last: true, .. });
        let chosen = |attempt: &Attempt| {
            let is_whole = asked == 0 && attempt.book.authorised >= self.payment.amount.minor;
            attempt.book.captured_net() > 0
                && ((self.payment.capture == Capture::Manual && (attempt.book.voided || is_whole))
                    || attempt
                        .modifications
                        .iter()
                        .any(|one| last(one) && one.outcome(&attempt.book) == Outcome::Succeeded))
        };
        self.any(chosen)
    }

    /// The sentence "Nothing was taken."
    fn nothing_taken(&self) -> bool {
        self.taken() == 0 && !self.is_overdrawn()
    }

    /// The sentence "Choose how to pay": Till lets the shopper begin.
    fn may_begin(&self) -> bool {
        let next = Attempt::new(
            AttemptId::from_random([77; 16]),
            session().id,
            ProviderAccountId::from_random([6; 16]),
            Method::Card,
            self.payment.amount,
            0,
            HOUR,
        );
        self.is_live() || decide(self.payment, &Fact::Start(Box::new(next))).is_ok()
    }

    fn holds(&self) -> bool {
        let Figures { received, refunded, returned, kept, wanted } = self.figures;
        let (amount, canceled) = (self.payment.amount.minor, self.payment.canceled);
        let net = self.taken() - self.refunded();
        match self.phase {
            Phase::Choose | Phase::Released | Phase::Declined(_) => {
                self.nothing_taken() && self.may_begin() && !canceled
            }
            Phase::Resume | Phase::Authenticate | Phase::Confirming | Phase::Opening | Phase::Closing => {
                self.is_live() && self.taken() == 0 && !canceled
            }
            Phase::Expired => self.nothing_taken() && !self.is_live() && !canceled,
            Phase::Unknown => self.any(|attempt| attempt.stage == Stage::Unknown),
            Phase::Processing => self.is_live(),
            Phase::Unclear => self.is_overdrawn(),
            Phase::Authorised => !canceled && self.taken() == 0 && self.is_held(),
            // "Nothing will be taken."
            Phase::Cancelled => !self.is_live() && self.is_nothing_left(),
            // "We are waiting for the provider to confirm that nothing is taken."
            Phase::Cancelling => self.is_nothing_left() && (self.is_being_voided() || self.is_live()),
            // "Your money is held until the merchant decides."
            Phase::PaidCancelled => {
                canceled && self.is_held() && (self.taken() == 0 || self.is_too_much_settled() != Some(true))
            }
            Phase::Paid | Phase::PaidLate => {
                // "You paid the total to the merchant". If the merchant called the payment off, the money must be kept. A dispute of a
                // card payment does not change the page's words about the order.
                let disputed = self.payment.totals().charged_back;
                let is_denied = !canceled && self.is_one_debit_taken_back();
                net >= amount && !is_denied && (!canceled || self.payment.kept() + disputed >= amount)
            }
            Phase::PartlyPaid | Phase::PartlyCollected => {
                let wanted = self.captures_asked();
                let asked = canceled || (wanted > 0 && wanted <= self.taken()) || self.took_a_part_of_all(wanted);
                0 < received.minor && received.minor < amount && asked == (self.phase == Phase::PartlyCollected)
            }
            // "The merchant will settle the difference." Where the merchant takes less than the total, the page names that amount: "takes
            // only".
            Phase::Overpaid => {
                let takes = if wanted.minor < amount { self.takes_only(wanted.minor) } else { true };
                takes && received.minor > wanted.minor && !canceled && self.is_too_much_settled() != Some(true)
            }
            Phase::OverpaidKept => {
                0 < kept.minor && kept.minor <= net - amount && self.is_too_much_settled() != Some(false)
            }
            Phase::PartlyRefunded => {
                0 < refunded.minor && refunded.minor < received.minor && refunded.minor <= self.refunded()
            }
            Phase::Refunded => 0 < refunded.minor && refunded.minor <= self.refunded(),
            Phase::Returned => 0 < returned.minor && returned.minor <= self.by_banks() + self.denied(),
        }
    }
}

fn check(payment: &Payment, seen: &mut HashSet<Phase>) {
    let states = [SessionState::Open, SessionState::Expired, SessionState::Complete];
    for state in states {
        let session = Session { state, ..session() };
        for (came_back, now) in [(false, 0), (true, 0), (false, 2 * HOUR)] {
            let phase = phase(&session, payment, came_back, now);
            let truth = Truth { payment, phase, figures: Figures::of(payment) };
            assert!(truth.holds(), "{phase:?} is said with {:?} of {payment:#?}", truth.figures);
            seen.insert(phase);
        }
    }
}

proptest! {
    #[test]
    fn a_page_says_only_what_is_true(seed: u32) {
        walk(u64::from(seed), 40, |_, _, payment| check(payment, &mut HashSet::new()));
    }
}

#[test]
fn random_lives_come_through_every_phase() {
    let mut seen = HashSet::new();
    for seed in 0..4_000 {
        walk(seed, 40, |_, _, payment| check(payment, &mut seen));
    }
    let wanted = [
        Phase::Choose,
        Phase::Resume,
        Phase::Opening,
        Phase::Closing,
        Phase::Confirming,
        Phase::Authenticate,
        Phase::Processing,
        Phase::Unknown,
        Phase::Unclear,
        Phase::Declined(DeclineClass::Generic),
        Phase::Authorised,
        Phase::Paid,
        Phase::PaidLate,
        Phase::PartlyPaid,
        Phase::PartlyCollected,
        Phase::Overpaid,
        Phase::OverpaidKept,
        Phase::PartlyRefunded,
        Phase::Refunded,
        Phase::Returned,
        Phase::Cancelled,
        Phase::Cancelling,
        Phase::PaidCancelled,
        Phase::Released,
        Phase::Expired,
    ];
    let missing: Vec<_> = wanted.into_iter().filter(|phase| !seen.contains(phase)).collect();
    assert_eq!(missing, vec![], "what is never reached is never judged");
}
