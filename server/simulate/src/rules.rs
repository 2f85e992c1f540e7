//! The invariants of every payment, written without the functions that they check.

use std::collections::BTreeMap;

use domain::checkout::Phase;
use domain::payment::{Attempt, Entry, Modification, ModificationKind, ModificationStage};

/// Checks that a capture, void or refund that has just been written down fits into the available amount, together with
/// every earlier request and movement. Returns the broken rule and the details.
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

/// Whether a page may show this phase, given whether providers have ever captured or authorised any money.
pub(crate) fn is_evidenced(phase: Phase, captured: bool, authorised: bool) -> bool {
    match phase {
        Phase::Paid
        | Phase::PaidLate
        | Phase::PartlyPaid
        | Phase::PartlyCollected
        | Phase::Overpaid
        | Phase::OverpaidKept
        | Phase::PartlyRefunded
        | Phase::Refunded => captured,
        Phase::Authorised => authorised,
        Phase::PaidCancelled => authorised || captured,
        _ => true,
    }
}

/// The amount of requested refunds, or captures, that may still be done.
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

/// One payer: an attempt as the bank and the actors know it. Amounts are in minor units.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Payer {
    /// Another payer had paid before, or there was no debt.
    pub second: bool,
    /// Taken from the payer.
    pub captured: i64,
    /// Refunds under way.
    pub pending: i64,
    /// Refunds done that the merchant asked for.
    pub refunded_by_merchant: i64,
    /// Refunds done that only the merchant's policy requested.
    pub sent_back: i64,
    /// Held by the payer's bank.
    pub held_by_bank: i64,
    /// Taken back by the payer's bank.
    pub taken_by_bank: i64,
    /// The amount that the merchant decided to keep although it was not owed.
    pub kept: i64,
    /// The merchant captured money of this payer manually and will capture no more.
    pub finished: bool,
}

impl Payer {
    /// The amount that has gone back or is on its way.
    pub fn back(&self) -> i64 {
        self.pending + self.refunded_by_merchant + self.sent_back + self.held_by_bank + self.taken_by_bank
    }

    /// The amount at the provider.
    fn there(&self) -> i64 {
        self.captured - (self.back() - self.pending)
    }
}

/// The amount that each second payer paid without need. First payers pay the debt. Of the second payers only the amount
/// left unpaid is needed, and the earliest of them comes first. A merchant who captures less as the last capture leaves
/// no unpaid amount.
fn unneeded(debt: i64, payers: &[Payer]) -> Vec<i64> {
    let sum = |second: bool| -> i64 { payers.iter().filter(|one| one.second == second).map(|one| one.captured).sum() };
    let unpaid = if payers.iter().any(|one| !one.second && one.finished) { 0 } else { (debt - sum(false)).max(0) };
    let seconds = || payers.iter().filter(|one| one.second);
    let enough = seconds().position(|one| one.finished).map_or(usize::MAX, |last| last + 1);
    let needed = unpaid.min(seconds().take(enough).map(|one| one.captured).sum());
    let mut too_much = sum(true) - needed;
    let mut unneeded = vec![0; payers.len()];
    for (part, payer) in unneeded.iter_mut().zip(payers).rev().filter(|(_, payer)| payer.second) {
        *part = payer.captured.min(too_much);
        too_much -= *part;
    }
    unneeded
}

/// The most that may go back to each payer by policy.
fn loose(debt: i64, payers: &[Payer]) -> Vec<i64> {
    let of = |(part, payer): (i64, &Payer)| (part - payer.kept - payer.back()).max(0);
    unneeded(debt, payers).into_iter().zip(payers).map(of).collect()
}

/// Checks a refund by policy to one payer before it is sent. Returns the broken rule and the details.
pub(crate) fn may_send_back(debt: i64, payers: &[Payer], to: usize, amount: i64) -> Option<(&'static str, String)> {
    let most = loose(debt, payers).get(to).copied().unwrap_or(0);
    (amount > most).then(|| ("money goes back where it came from", format!("{amount} to payer {to} of {payers:?}")))
}

/// Checks who has the money when everything has come to rest. `balances` are the ledger's, debit positive, in the order
/// of [`Account::OF_PAYMENTS`](domain::ledger::Account::OF_PAYMENTS); `told` is whether a person was alerted that money
/// is held. Returns the broken rule and the details.
pub(crate) fn at_rest(debt: i64, payers: &[Payer], balances: [i64; 5], told: bool) -> Option<(&'static str, String)> {
    let wrong = |rule, what: &str| Some((rule, format!("{what}: a debt of {debt}, {payers:?}, {balances:?}")));
    if payers.iter().filter(|one| !one.second && one.captured > 0).count() > 1 {
        return wrong("nobody is charged twice unnoticed", "two payers are owed");
    }
    if payers.iter().any(|one| !one.second && one.sent_back > 0) {
        return wrong("the owed payer has back what the merchant refunded", "more was sent back");
    }
    let (unneeded, held) = (unneeded(debt, payers), loose(debt, payers));
    let held: i64 = held.iter().sum();
    if held > 0 && !told {
        return wrong("what was paid too much is sent back or held", "nobody was told");
    }
    let sum = |of: &dyn Fn(&Payer) -> i64| -> i64 { payers.iter().map(of).sum() };
    // The merchant's money: the captures for the debt and the amounts kept, each less its refunds. Money held by a bank
    // is the merchant's until the dispute is lost.
    let earned = |(part, payer): (i64, &Payer)| {
        let kept = payer.kept.min(part);
        payer.captured - part + kept - (payer.back() - (part - kept)).max(0) + payer.held_by_bank
    };
    let earned: i64 = unneeded.into_iter().zip(payers).map(earned).sum();
    let (pending, with_banks) = (sum(&|one| one.pending), sum(&|one| one.held_by_bank));
    let expected = [sum(&Payer::there), -earned, -pending, with_banks, -held];
    if balances != expected {
        return wrong("the ledger says whose the money is", &format!("expected {expected:?}"));
    }
    // Captures less the final losses are the merchant's money and the money held for shoppers.
    let left = sum(&|one| one.captured - one.refunded_by_merchant - one.sent_back - one.taken_by_bank);
    if left != earned + held + pending {
        return wrong("captured − sent back − reversals is the debt's, and what is kept or held", "it is not");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: Payer = Payer {
        second: false,
        captured: 2450,
        pending: 0,
        refunded_by_merchant: 0,
        sent_back: 0,
        held_by_bank: 0,
        taken_by_bank: 0,
        kept: 0,
        finished: false,
    };
    const AGAIN: Payer = Payer { second: true, ..PAID };

    #[test]
    fn a_second_payment_is_too_much_whatever_was_refunded_of_the_order() {
        let refunded = Payer { refunded_by_merchant: 2450, ..PAID };
        assert_eq!(at_rest(2450, &[refunded, AGAIN], [2450, 0, 0, 0, -2450], true), None);
        assert!(at_rest(2450, &[refunded, AGAIN], [2450, 0, 0, 0, -2450], false).is_some(), "nobody was told");
        assert!(at_rest(2450, &[refunded, AGAIN], [2450, -2450, 0, 0, 0], true).is_some(), "it is not the merchant's");
        let back = Payer { sent_back: 2450, ..AGAIN };
        assert_eq!(at_rest(2450, &[refunded, back], [0; 5], false), None);
    }

    #[test]
    fn a_merchant_who_took_less_needs_nothing_of_a_second_payer() {
        let less = Payer { captured: 1000, finished: true, ..PAID };
        assert_eq!(may_send_back(2450, &[less, AGAIN], 1, 2450), None);
        assert_eq!(at_rest(2450, &[less, AGAIN], [3450, -1000, 0, 0, -2450], true), None);
        assert!(at_rest(2450, &[less, AGAIN], [3450, -2450, 0, 0, -1000], true).is_some(), "it was not needed");
        assert_eq!(at_rest(2450, &[less, Payer { sent_back: 2450, ..AGAIN }], [1000, -1000, 0, 0, 0], false), None);
        // The first payer may still be charged more, so the missing amount is needed until then.
        let open = Payer { finished: false, ..less };
        assert!(may_send_back(2450, &[open, AGAIN], 1, 1001).is_some());
        // The first payer paid nothing and the merchant took a part of the second's money, so the third payment is not
        // needed.
        let (nothing, part) = (Payer { captured: 0, ..PAID }, Payer { captured: 1000, finished: true, ..AGAIN });
        assert_eq!(may_send_back(2450, &[nothing, part, AGAIN], 2, 2450), None);
        assert!(may_send_back(2450, &[nothing, part, AGAIN], 1, 1).is_some());
    }

    #[test]
    fn only_the_second_payer_gets_money_back_by_policy() {
        assert!(may_send_back(2450, &[PAID, AGAIN], 0, 1).is_some());
        assert_eq!(may_send_back(2450, &[PAID, AGAIN], 1, 2450), None);
        assert!(may_send_back(2450, &[PAID, Payer { kept: 1, ..AGAIN }], 1, 2450).is_some());
        assert!(at_rest(2450, &[Payer { sent_back: 2450, ..PAID }, AGAIN], [2450, -2450, 0, 0, 0], false).is_some());
    }

    #[test]
    fn what_a_bank_holds_is_the_merchants_until_it_is_lost() {
        let (open, lost) = (Payer { held_by_bank: 2450, ..PAID }, Payer { taken_by_bank: 2450, ..PAID });
        assert_eq!(at_rest(2450, &[open], [0, -2450, 0, 2450, 0], false), None);
        assert_eq!(at_rest(2450, &[lost], [0; 5], false), None);
    }

    #[test]
    fn a_second_payment_is_needed_where_the_first_came_to_nothing() {
        let nothing = Payer { captured: 0, ..PAID };
        assert!(may_send_back(2450, &[nothing, AGAIN], 1, 1).is_some());
        assert_eq!(at_rest(2450, &[nothing, AGAIN], [2450, -2450, 0, 0, 0], false), None);
        assert_eq!(may_send_back(0, &[AGAIN], 0, 2450), None, "but not where the debt was called off");
    }
}
