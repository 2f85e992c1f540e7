//! Surplus money: the amount that each attempt captured for the debt, the amount beyond it, and the fate of the rest.
//!
//! An attempt's *share* of the debt and its *excess* depend only on its captures. Money that goes back later changes neither, so a refund
//! of the order never makes a second payment look owed. A merchant who captures less and takes no more has settled the debt: a second
//! payment is then surplus as a whole.

use super::book::EntryState;
use super::{Attempt, Capture, ModificationKind, Payment};
use crate::mutant::{self, Mutant};

/// The money of one attempt, divided by the debt. Amounts are minor units.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The attempt.
    pub attempt: &'a Attempt,
    /// The amount captured for the debt.
    pub share: i64,
    /// The amount captured beyond the debt.
    pub excess: i64,
    /// The amount that a planted bug takes from the excess for refunds of other attempts. Zero without the bug.
    swallowed: i64,
}

impl Claim<'_> {
    /// The excess less the part that the merchant decided to keep.
    fn unkept(&self) -> i64 {
        let kept = if mutant::on(Mutant::KeptIsSentBack) { 0 } else { self.attempt.kept };
        self.excess.saturating_sub(kept).max(0)
    }

    /// The excess that has neither gone back, nor is on its way back, nor is kept. Money that goes back is taken first from the excess
    /// that is not kept, then from the share, then from what is kept.
    #[must_use]
    pub fn surplus(&self) -> i64 {
        self.unkept().saturating_sub(self.attempt.book.gone()).saturating_sub(self.swallowed).max(0)
    }

    /// The surplus and refunds of it that are pending: the amount that the shopper has paid too much and does not have back.
    #[must_use]
    pub fn outstanding(&self) -> i64 {
        let book = &self.attempt.book;
        self.unkept().saturating_sub(book.gone().saturating_sub(book.refunds_in(EntryState::Pending))).max(0)
    }

    /// The amount that the merchant decided to keep and that has not gone back since. Money that goes back is taken last from this amount.
    #[must_use]
    pub fn still_kept(&self) -> i64 {
        let kept = self.excess.min(self.attempt.kept);
        let before = self.unkept().saturating_add(self.share);
        kept.saturating_sub(self.attempt.book.gone().saturating_sub(before).max(0)).max(0)
    }

    /// The amount of the order that was refunded: refunds done, less the excess that is not kept.
    #[must_use]
    pub fn refunded_of_order(&self) -> i64 {
        self.attempt.book.refunds_in(EntryState::Succeeded).saturating_sub(self.unkept()).max(0)
    }

    /// The amount of the order that banks took back.
    #[must_use]
    pub fn returned_of_order(&self) -> i64 {
        self.attempt.book.gone().saturating_sub(self.unkept()).clamp(0, self.attempt.taken_back())
    }
}

impl Payment {
    /// The amount that the merchant wants, in minor units: the debt, or the amount captured for it if the merchant captured less and takes
    /// no more. While more may be captured, the rest is owed.
    #[must_use]
    pub fn wanted(&self) -> i64 {
        let debt = self.debt();
        if mutant::on(Mutant::PartialCaptureLeavesDebt) {
            return debt;
        }
        // With automatic capture, a release was not the merchant's choice.
        let released = |attempt: &Attempt| {
            self.capture == Capture::Manual && attempt.book.voided && attempt.book.captured_net() > 0
        };
        let mut taken = 0_i64;
        for attempt in self.in_turn() {
            taken = taken.saturating_add(attempt.book.captured_net());
            if attempt.is_captured_finally() || released(attempt) {
                return taken.min(debt);
            }
        }
        debt
    }

    /// The attempts in the order in which they pay: attempts that were owed first, then second successes.
    fn in_turn(&self) -> impl Iterator<Item = &Attempt> {
        let owed = self.attempts.iter().filter(|attempt| !attempt.second);
        owed.chain(self.attempts.iter().filter(|attempt| attempt.second))
    }

    /// Every attempt with its share of the debt. Each attempt in turn takes the rest of the amount that the merchant wants, up to its own
    /// captures.
    pub fn claims(&self) -> impl Iterator<Item = Claim<'_>> {
        self.in_turn().scan(self.wanted(), |left, attempt| {
            let captured = attempt.book.captured_net();
            let share = captured.min(*left);
            *left -= share;
            let swallowed = if mutant::on(Mutant::OrderRefundSwallows) { self.gone_elsewhere(attempt) } else { 0 };
            Some(Claim { attempt, share, excess: captured - share, swallowed })
        })
    }

    /// The amount captured beyond the debt that has neither gone back nor been kept, over all attempts, in minor units.
    #[must_use]
    pub fn surplus(&self) -> i64 {
        self.claims().map(|claim| claim.surplus()).fold(0, i64::saturating_add)
    }

    /// The amount that shoppers have paid too much and do not have back yet, in minor units: the surplus, and refunds of it that are
    /// pending.
    #[must_use]
    pub fn outstanding(&self) -> i64 {
        self.claims().map(|claim| claim.outstanding()).fold(0, i64::saturating_add)
    }

    /// The amount of the order that was refunded, in minor units. Refunds of surplus do not count. Where no money was taken for the order,
    /// because the payment was called off, every refund counts.
    #[must_use]
    pub fn refunded_of_order(&self) -> i64 {
        if self.taken_for_order() == 0 {
            return self.totals().refunded;
        }
        self.claims().map(|claim| claim.refunded_of_order()).fold(0, i64::saturating_add)
    }

    /// The amount captured, less refunds of surplus, in minor units. Refunds of the order do not lower the amount.
    #[must_use]
    pub fn arrived(&self) -> i64 {
        let totals = self.totals();
        let sent_back = totals.refunded.saturating_sub(self.refunded_of_order());
        totals.captured.saturating_sub(sent_back)
    }

    /// The amount captured for the debt, or kept beyond it, in minor units.
    #[must_use]
    pub fn taken_for_order(&self) -> i64 {
        let taken = |claim: Claim<'_>| claim.share.saturating_add(claim.excess.min(claim.attempt.kept));
        self.claims().map(taken).fold(0, i64::saturating_add)
    }

    /// The money to be sent back or released next: second successes first, the newest first. Money goes back to the attempt from which it
    /// came.
    #[must_use]
    pub fn wanted_back(&self) -> Option<(&Attempt, ModificationKind)> {
        let loose = |attempt: &&Attempt| {
            attempt.second
                && attempt.has_money()
                && attempt.book.captured_net() == 0
                && !attempt.under_way().any(|open| !matches!(open.kind, ModificationKind::Refund { .. }))
        };
        if let Some(attempt) = self.attempts.iter().rev().find(loose) {
            return Some((attempt, ModificationKind::Void));
        }
        if mutant::on(Mutant::SurplusFromOwed) {
            let asked = self.attempts.iter().map(Attempt::asked_back).sum::<i64>();
            let owed = self.claims().map(|claim| claim.attempt).find(|attempt| attempt.refundable() > 0)?;
            let amount = (self.surplus() - asked).min(owed.refundable());
            return (amount > 0).then_some((owed, ModificationKind::Refund { amount }));
        }
        // The last claim with a surplus goes back first: second successes are at the end, the newest last.
        self.claims().filter_map(wanted).last()
    }

    fn gone_elsewhere(&self, here: &Attempt) -> i64 {
        self.attempts.iter().filter(|attempt| attempt.id != here.id && !attempt.second).map(|one| one.book.gone()).sum()
    }
}

fn wanted(claim: Claim<'_>) -> Option<(&Attempt, ModificationKind)> {
    let surplus = claim.surplus().saturating_sub(claim.attempt.asked_back());
    let amount = surplus.min(claim.attempt.refundable());
    (amount > 0).then_some((claim.attempt, ModificationKind::Refund { amount }))
}

#[cfg(test)]
mod tests;
