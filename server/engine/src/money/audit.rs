//! Judges a payment's books. The rules are independent of the ledger's rules and of the payment's surplus.
//!
//! The history holds the providers' reports, the source of each refund, and the merchant's decisions to keep money. From the history
//! follows where every captured amount must be: for each currency,
//!
//! > captured − sent back − taken by banks = captured for the debt − refunds of the order − taken of it by banks + kept + held
//!
//! The left side is at the provider, or with a bank while a dispute is open. The right side is the merchant's and, held, the shoppers'.
//! The written rows must agree with both sides.

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

/// An error in a payment's books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Discrepancy {
    /// The payment; none if the error does not concern a single payment.
    pub payment: Option<PaymentId>,
    /// The account of the ledger, or the name of another wrong value.
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
    /// The amount captured beyond the debt.
    beyond: i128,
    /// The part of `beyond` that the merchant keeps.
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

    /// The amount that went back. It is taken first from the part beyond the debt that is not kept, then from the rest.
    fn back(&self) -> i128 {
        self.pending + self.sent_back + self.held_by_banks + self.taken_by_banks
    }

    fn unasked(&self) -> i128 {
        (self.beyond - self.kept).max(0)
    }

    /// The shopper's money that is still held for them; below zero if refunds exceed all captured money.
    fn held(&self) -> i128 {
        let impossible = (self.pending + self.sent_back - self.captured).max(0);
        self.unasked() - self.back().min(self.unasked()) - impossible
    }

    /// The merchant's part: captured for the debt or kept, less the amount of it that went back. Money that a bank holds is the
    /// merchant's until the dispute is lost.
    fn earned(&self) -> i128 {
        let of_order = self.back() - self.back().min(self.unasked());
        let impossible = (self.pending + self.sent_back - self.captured).max(0);
        self.captured - self.unasked() - of_order + self.held_by_banks + impossible
    }
}

/// Whether the merchant captured money of an attempt and will capture no more of it: a last capture is done, or the rest of a manual
/// capture was released.
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

/// The amount captured that was not owed: all beyond the debt, and all captured after the merchant had taken less and was done.
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

/// Purses of a payment. The amount captured beyond the debt is taken from the latest second success back to the first, then from the
/// other attempts.
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

/// All errors in a stored payment, by its history and by the balances written in the ledger: by account, debit positive.
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

/// A refund by the policy for surplus money that exceeds the surplus of its attempt: the attempt, the amount, and the most it could be.
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
