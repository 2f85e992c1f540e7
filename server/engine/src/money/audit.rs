//! The judge of a payment's books. Its rules are its own: they use neither the ledger's rules nor the payment's surplus.
//!
//! The history says what providers told, who asked for each refund, and what the merchant decided to keep. From that follows
//! where every captured amount must be: for each currency,
//!
//! > captured − sent back − taken by banks = captured for the debt − refunds of the order − what banks took of it + kept + held
//!
//! The left side is at the provider, or with a bank while a dispute is open. The right side is the merchant's and, held, the
//! shoppers'. The written rows must say both.

mod rows;
mod sums;

use std::collections::BTreeMap;

use domain::id::{AttemptId, PaymentId};
use domain::payment::{
    Attempt, Capture, EntryState, Event, Modification, ModificationKind, ModificationStage, Payment,
};
use serde::Serialize;

pub(super) use rows::judge_rows;
pub(super) use sums::judge_sums;

use crate::record::Source;
use crate::store::payments::Happened;

/// Something that is wrong with a payment's books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Discrepancy {
    /// The payment; none if it is not about a single one.
    pub payment: Option<PaymentId>,
    /// The account of the ledger, or what else is wrong.
    pub account: String,
    /// The amount found, in minor units.
    pub found: i64,
    /// The amount it should be, in minor units; for a refund, the most it may be.
    pub expected: i64,
}

/// The money of one attempt, by the history alone. Minor units, with room to spare for sums.
struct Purse {
    attempt: AttemptId,
    second: bool,
    captured: i128,
    pending: i128,
    sent_back: i128,
    held_by_banks: i128,
    taken_by_banks: i128,
    /// The amount it took beyond the debt.
    beyond: i128,
    /// The part of that which the merchant keeps.
    kept: i128,
}

impl Purse {
    fn new(attempt: &Attempt) -> Self {
        let book = &attempt.book;
        Purse {
            attempt: attempt.id.clone(),
            second: attempt.second,
            captured: book.captured_net().into(),
            pending: book.refunds_in(EntryState::Pending).into(),
            sent_back: book.refunds_in(EntryState::Succeeded).into(),
            held_by_banks: book.disputes_held().into(),
            taken_by_banks: i128::from(book.disputes_lost()) + i128::from(book.returned_total()),
            beyond: 0,
            kept: attempt.kept.into(),
        }
    }

    /// The amount that went back: first of the part that nobody asked for and nobody keeps, then of the rest.
    fn back(&self) -> i128 {
        self.pending + self.sent_back + self.held_by_banks + self.taken_by_banks
    }

    fn unasked(&self) -> i128 {
        (self.beyond - self.kept).max(0)
    }

    /// The shopper's money that is still held for them; below zero if refunds exceed all that came.
    fn held(&self) -> i128 {
        let impossible = (self.pending + self.sent_back - self.captured).max(0);
        self.unasked() - self.back().min(self.unasked()) - impossible
    }

    /// The merchant's part: taken for the debt or kept, less what went back of it. Money that a bank holds is the merchant's until
    /// it is lost.
    fn earned(&self) -> i128 {
        let of_order = self.back() - self.back().min(self.unasked());
        let impossible = (self.pending + self.sent_back - self.captured).max(0);
        self.captured - self.unasked() - of_order + self.held_by_banks + impossible
    }
}

/// Whether the merchant took money of an attempt and will take no more of it: a last capture is done, or the rest of what was to be
/// captured by hand was released.
fn took_for_good(payment: &Payment, attempt: &Attempt) -> bool {
    let book = &attempt.book;
    let done = |one: &Modification| match (&one.stage, &one.reference) {
        (ModificationStage::Accepted, Some(name)) => {
            book.captures.get(name).is_none_or(|entry| entry.state == EntryState::Succeeded)
        }
        (stage, None) => *stage == ModificationStage::Accepted,
        _ => false,
    };
    let last = |one: &&Modification| matches!(one.kind, ModificationKind::Capture { last: true, .. });
    let released = payment.capture == Capture::Manual && book.voided;
    book.captured_net() > 0 && (released || attempt.modifications.iter().filter(last).any(done))
}

/// The amount taken that nobody owed: all beyond the debt, and all that came after the merchant had taken less and was done.
fn beyond(payment: &Payment, purses: &[Purse]) -> i128 {
    let debt = i128::from(if payment.canceled { 0 } else { payment.amount.minor });
    let mut after = false;
    let (mut taken, mut unasked) = (0, 0);
    for second in [false, true] {
        for (attempt, purse) in payment.attempts.iter().zip(purses).filter(|(_, purse)| purse.second == second) {
            *(if after { &mut unasked } else { &mut taken }) += purse.captured;
            after |= took_for_good(payment, attempt);
        }
    }
    unasked + (taken - debt).max(0)
}

/// Purses of a payment. The amount captured beyond the debt is peeled off from the back: from the second success that came last to
/// the first, then from the others.
fn purses(payment: &Payment) -> Vec<Purse> {
    let mut purses: Vec<Purse> = payment.attempts.iter().map(Purse::new).collect();
    let mut beyond = beyond(payment, &purses);
    let mut last_first: Vec<&mut Purse> = purses.iter_mut().rev().collect();
    last_first.sort_by_key(|purse| !purse.second);
    for purse in last_first {
        purse.beyond = purse.captured.min(beyond);
        beyond -= purse.beyond;
    }
    purses
}

/// Everything that is wrong with a payment as it is stored, by its history and what is written in the ledger: balances by
/// account, debit positive.
pub(super) fn judge(stored: &Payment, events: &[Happened], written: &BTreeMap<String, i64>) -> Vec<Discrepancy> {
    let mut wrong = vec![];
    let mut report = |account: &str, found: i128, expected: i128| {
        if found != expected {
            let (payment, account) = (Some(stored.id.clone()), account.to_owned());
            wrong.push(Discrepancy { payment, account, found: shown(found), expected: shown(expected) });
        }
    };
    let mut told = Payment { attempts: vec![], canceled: false, ..stored.clone() };
    for one in events {
        if let Some((attempt, asked, most)) = sent_back_too_much(&told, one) {
            report(&format!("sent back of {attempt} by policy"), asked, most);
        }
        told.apply(&one.event);
    }
    for attempt in &stored.attempts {
        let (id, history) = (&attempt.id, told.attempt(&attempt.id));
        let of_history = |of: &dyn Fn(&Attempt) -> i64| history.map_or(0, of).into();
        let captured = |one: &Attempt| one.book.captured_net();
        let gone = |one: &Attempt| one.book.gone();
        report(&format!("captured of {id}"), captured(attempt).into(), of_history(&captured));
        report(&format!("gone back of {id}"), gone(attempt).into(), of_history(&gone));
    }
    report("kept", stored.kept().into(), told.kept().into());
    let purses = purses(&told);
    let sum = |of: &dyn Fn(&Purse) -> i128| purses.iter().map(of).sum::<i128>();
    let at_provider = |one: &Purse| one.captured - one.sent_back - one.held_by_banks - one.taken_by_banks;
    let expected = [
        ("provider_receivable", sum(&at_provider)),
        ("merchant_payable", sum(&|one| -one.earned())),
        ("refunds_in_transit", sum(&|one| -one.pending)),
        ("disputes", sum(&|one| one.held_by_banks)),
        ("suspense", sum(&|one| -one.held())),
    ];
    for (account, expected) in expected {
        report(account, written.get(account).copied().unwrap_or(0).into(), expected);
    }
    for (account, minor) in written {
        if !expected.iter().any(|(known, _)| known == account) {
            report(account, (*minor).into(), 0);
        }
    }
    report("all accounts together", written.values().map(|minor| i128::from(*minor)).sum(), 0);
    wrong
}

fn shown(minor: i128) -> i64 {
    i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX })
}

/// A refund that nobody but the policy for money nobody asked for caused, and that was more than its attempt had beyond the
/// debt: the attempt, the amount, and the most it could be.
fn sent_back_too_much(before: &Payment, one: &Happened) -> Option<(AttemptId, i128, i128)> {
    let Event::Modifying { attempt, modification } = &one.event else { return None };
    let ModificationKind::Refund { amount } = modification.kind else { return None };
    if one.source != Source::Engine.name() {
        return None;
    }
    let purse = purses(before).into_iter().find(|purse| purse.attempt == *attempt);
    let most = purse.map_or(0, |purse| purse.unasked() - purse.back().min(purse.unasked()));
    let amount = i128::from(amount);
    (amount > most).then(|| (attempt.clone(), amount, most))
}

#[cfg(test)]
mod tests;
