//! The money of one attempt, as cumulative totals and referenced entries.
//!
//! Deliveries come twice, late and out of order. Therefore the book only grows: totals by their maximum, entries by the order of their
//! states. Joining the same movements in any order, any number of times, gives the same book.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dispute::{Dispute, DisputeState};
use crate::Millis;
use crate::mutant::{self, Mutant};

/// The most entries of one kind in a book; far more than any provider allows refunds.
pub const ENTRIES_MAX: usize = 1_000;

/// A confirmed movement of money. Amounts are minor units of the payment's currency and never negative.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "movement", rename_all = "snake_case")]
pub enum Movement {
    /// The total authorised so far.
    Authorised {
        /// Minor units.
        total: i64,
    },
    /// The authorisation was released without capture.
    Voided,
    /// The total captured so far.
    Captured {
        /// Minor units.
        total: i64,
    },
    /// A report on one capture, from a provider that reports each capture. A failed capture lowers the total that the provider reported.
    Capture {
        /// The provider's reference of the capture.
        reference: String,
        /// Minor units.
        amount: i64,
        /// The state.
        state: EntryState,
    },
    /// The authorisation ended, for a payment that counted as captured as soon as it was authorised. The amount was not captured. The
    /// report has no effect where money has gone back since, because only captured money can go back.
    Uncaptured {
        /// Minor units.
        amount: i64,
    },
    /// A report on one refund.
    Refund {
        /// The provider's reference.
        reference: String,
        /// Minor units.
        amount: i64,
        /// The state.
        state: EntryState,
    },
    /// A report on one dispute. Reports come in any order and any number of times.
    Dispute {
        /// The provider's reference, the same for all reports on one dispute.
        reference: String,
        /// Minor units. The state gives the meaning: for [`DisputeState::Inquiry`] the amount announced, for [`DisputeState::Open`] and
        /// [`DisputeState::Lost`] the amount that this report takes, for [`DisputeState::Won`] the amount that came back. If less came back
        /// than was taken, the rest is lost. After a win, `Lost` gives the amount taken again, in addition to the amount that had not come
        /// back.
        amount: i64,
        /// The dispute's state.
        state: DisputeState,
        /// The report's time by the provider's clock, or its place in the order of the states' names: a dispute can be won and then lost.
        at: Millis,
        /// The deadline for evidence, where the provider gives one.
        #[serde(default)]
        due: Option<Millis>,
        /// Whether the amount is a part. Different parts of the same state and time add up, and an equal amount is a repetition. Of amounts
        /// that are not parts the largest counts.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        part: bool,
        /// The provider's own date of this part, where the date is not proved. The date moves no money: of equal parts with different dates
        /// one counts, and an alert tells a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dated: Option<Millis>,
    },
    /// The bank took the money back.
    Returned {
        /// The provider's reference.
        reference: String,
        /// Minor units.
        amount: i64,
    },
}

/// The state of one refund or capture. A state only moves down this list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// Accepted, not done.
    Pending,
    /// Refused after it had been accepted. Not done, unless the provider later reports success.
    Refused,
    /// Done.
    Succeeded,
    /// Not done, possibly after it had been reported as done. The money is where it was before.
    Failed,
}

impl EntryState {
    /// Whether no money has moved, as far as is known, and none is on its way.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, EntryState::Refused | EntryState::Failed)
    }
}

/// One refund or capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Minor units.
    pub amount: i64,
    /// The state.
    pub state: EntryState,
}

/// The money of one attempt. All amounts are minor units.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Book {
    /// The highest total authorised.
    pub authorised: i64,
    /// Whether the rest of the authorisation was released.
    pub voided: bool,
    /// The highest total captured.
    pub captured: i64,
    /// The amount that counted as captured and was released instead, unless the capture is [proved](Book::is_captured_for_sure).
    #[serde(default)]
    pub uncaptured: i64,
    /// Captures reported one by one.
    #[serde(default)]
    pub captures: BTreeMap<String, Entry>,
    /// Refunds.
    pub refunds: BTreeMap<String, Entry>,
    /// Disputes.
    pub disputes: BTreeMap<String, Dispute>,
    /// Bank returns.
    pub returned: BTreeMap<String, i64>,
}

impl Book {
    /// Adds a movement. Returns whether the book has changed.
    pub fn join(&mut self, movement: &Movement) -> bool {
        let before = self.clone();
        match movement {
            Movement::Authorised { total } => self.authorised = self.authorised.max(*total),
            Movement::Voided => self.voided = true,
            Movement::Captured { total } if mutant::on(Mutant::TotalsAddUp) => self.captured += total,
            Movement::Captured { total } => self.captured = self.captured.max(*total),
            Movement::Uncaptured { amount } => self.uncaptured = self.uncaptured.max(*amount),
            Movement::Capture { reference, amount, state } => advance(&mut self.captures, reference, *amount, *state),
            Movement::Returned { reference, amount } => raise(&mut self.returned, reference, *amount),
            Movement::Refund { reference, amount, state } => advance(&mut self.refunds, reference, *amount, *state),
            Movement::Dispute { reference, amount, state, at, due, part, dated } => {
                let amount = (*amount).max(0);
                let news = match part {
                    true => Dispute::part(amount, *at, *state, *due, *dated),
                    false => Dispute::new(amount, *at, *state, *due),
                };
                if let Some(kept) = entry(&mut self.disputes, reference, news.clone()) {
                    kept.join(&news);
                }
            }
        }
        *self != before
    }

    /// The amount captured, less captures that failed afterwards. A provider reports a total, or each capture by itself. A failed capture
    /// after a total lowers that total.
    #[must_use]
    pub fn captured_net(&self) -> i64 {
        if mutant::on(Mutant::CaptureFailureIgnored) {
            return self.captured.max(self.captures.values().map(|entry| entry.amount).sum());
        }
        let released = if self.uncaptured > 0 && self.is_captured_for_sure() { 0 } else { self.uncaptured };
        let total = self.captured.saturating_sub(self.captures_in(EntryState::Failed)).saturating_sub(released);
        total.max(self.captures_in(EntryState::Succeeded))
    }

    /// Whether a capture is proved by a movement that only captured money allows: a refund that was done, even if it failed afterwards, a
    /// dispute that took money, or a bank's return.
    #[must_use]
    pub fn is_captured_for_sure(&self) -> bool {
        let done = |refund: &Entry| matches!(refund.state, EntryState::Succeeded | EntryState::Failed);
        self.refunds.values().any(done)
            || self.disputes.values().any(Dispute::has_moved_money)
            || self.returned_total() > 0
    }

    /// The sum of captures in one state, where the provider reports each capture.
    #[must_use]
    pub fn captures_in(&self, state: EntryState) -> i64 {
        total_in(&self.captures, state)
    }

    /// The sum of refunds in one state.
    #[must_use]
    pub fn refunds_in(&self, state: EntryState) -> i64 {
        total_in(&self.refunds, state)
    }

    /// The amount that banks hold in open disputes.
    #[must_use]
    pub fn disputes_held(&self) -> i64 {
        sum(self.disputes.values().map(Dispute::held))
    }

    /// The amount that disputes took for good, as far as is known.
    #[must_use]
    pub fn disputes_lost(&self) -> i64 {
        sum(self.disputes.values().map(Dispute::lost))
    }

    /// The amount that disputes hold or took.
    #[must_use]
    pub fn charged_back(&self) -> i64 {
        self.disputes_held().saturating_add(self.disputes_lost())
    }

    /// The sum of refunds that the provider has accepted: pending or done.
    #[must_use]
    pub fn refunds_begun(&self) -> i64 {
        self.refunds_in(EntryState::Pending).saturating_add(self.refunds_in(EntryState::Succeeded))
    }

    /// The amount that has gone back or is on its way back: refunds, disputes and returns.
    #[must_use]
    pub fn gone(&self) -> i64 {
        self.refunds_begun().saturating_add(self.charged_back()).saturating_add(self.returned_total())
    }

    /// The amount that banks took back.
    #[must_use]
    pub fn returned_total(&self) -> i64 {
        sum(self.returned.values().copied())
    }
}

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}

fn total_in(entries: &BTreeMap<String, Entry>, state: EntryState) -> i64 {
    sum(entries.values().filter(|entry| entry.state == state).map(|entry| entry.amount))
}

fn advance(entries: &mut BTreeMap<String, Entry>, reference: &str, amount: i64, state: EntryState) {
    let amount = amount.max(0);
    if let Some(kept) = entry(entries, reference, Entry { amount, state }) {
        // The amount done counts, not the amount requested. Of two reports of the same state the larger amount counts.
        let news = (state, amount) > (kept.state, kept.amount);
        let ignored = kept.state == EntryState::Succeeded && mutant::on(Mutant::RefundFailureIgnored);
        if news && !ignored {
            *kept = Entry { amount, state };
        }
    }
}

fn raise(entries: &mut BTreeMap<String, i64>, reference: &str, amount: i64) {
    if let Some(kept) = entry(entries, reference, amount.max(0)) {
        *kept = (*kept).max(amount);
    }
}

/// The entry of a reference, made if there is room.
fn entry<'a, T>(entries: &'a mut BTreeMap<String, T>, reference: &str, new: T) -> Option<&'a mut T> {
    if entries.len() >= ENTRIES_MAX && !entries.contains_key(reference) {
        return None;
    }
    Some(entries.entry(reference.to_owned()).or_insert(new))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reference() -> impl Strategy<Value = String> {
        "[ab]"
    }

    fn movement() -> impl Strategy<Value = Movement> {
        let amount = 0i64..1_000;
        let refund = prop_oneof![
            Just(EntryState::Pending),
            Just(EntryState::Refused),
            Just(EntryState::Succeeded),
            Just(EntryState::Failed)
        ];
        let dispute = prop_oneof![
            Just(DisputeState::Inquiry),
            Just(DisputeState::Open),
            Just(DisputeState::Won),
            Just(DisputeState::Lost)
        ];
        prop_oneof![
            amount.clone().prop_map(|total| Movement::Authorised { total }),
            Just(Movement::Voided),
            amount.clone().prop_map(|amount| Movement::Uncaptured { amount }),
            amount.clone().prop_map(|total| Movement::Captured { total }),
            (reference(), amount.clone(), refund.clone())
                .prop_map(|(reference, amount, state)| { Movement::Capture { reference, amount, state } }),
            (reference(), amount.clone()).prop_map(|(reference, amount)| Movement::Returned { reference, amount }),
            (reference(), amount.clone(), refund)
                .prop_map(|(reference, amount, state)| { Movement::Refund { reference, amount, state } }),
            (reference(), 0i64..6, dispute, 0i64..4, any::<bool>(), proptest::option::of(0i64..3)).prop_map(
                |(reference, amount, state, at, part, dated)| {
                    Movement::Dispute { reference, amount, state, at, due: None, part, dated }
                }
            ),
        ]
    }

    fn book_of(movements: &[Movement]) -> Book {
        let mut book = Book::default();
        for movement in movements {
            book.join(movement);
        }
        book
    }

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter(
            (movements, shuffled) in proptest::collection::vec(movement(), 0..12)
                .prop_flat_map(|all| (Just(all.clone()), Just([all.clone(), all].concat()).prop_shuffle()))
        ) {
            prop_assert_eq!(book_of(&movements), book_of(&shuffled));
        }

        #[test]
        fn totals_are_never_negative(movements in proptest::collection::vec(movement(), 0..12)) {
            let book = book_of(&movements);
            prop_assert!(book.captured_net() >= 0 && book.charged_back() >= 0 && book.returned_total() >= 0);
        }
    }

    #[test]
    fn a_settlement_s_lines_are_no_movements_of_a_payment() {
        for kind in ["fee", "paid_out"] {
            let line = format!(r#"{{"movement":"{kind}","reference":"line_1","amount":59}}"#);
            assert!(serde_json::from_str::<Movement>(&line).is_err(), "{kind}");
        }
        let returned = r#"{"movement":"returned","reference":"line_1","amount":59}"#;
        assert!(serde_json::from_str::<Movement>(returned).is_ok());
    }

    #[test]
    fn a_refund_that_fails_after_success_gives_the_money_back() {
        let refund = |state| Movement::Refund { reference: "re_1".into(), amount: 500, state };
        let mut book = book_of(&[Movement::Captured { total: 1000 }, refund(EntryState::Succeeded)]);
        assert_eq!(book.refunds_in(EntryState::Succeeded), 500);
        assert!(book.join(&refund(EntryState::Failed)));
        assert!(!book.join(&refund(EntryState::Pending)));
        assert_eq!(book.refunds_in(EntryState::Succeeded), 0);
    }

    #[test]
    fn a_refund_that_was_turned_down_and_is_done_after_all_counts() {
        let refund = |state| Movement::Refund { reference: "R1".into(), amount: 50, state };
        let mut book = book_of(&[refund(EntryState::Pending), refund(EntryState::Refused)]);
        assert_eq!((book.refunds_in(EntryState::Pending), book.refunds_in(EntryState::Succeeded)), (0, 0));
        assert!(book.join(&refund(EntryState::Succeeded)));
        assert_eq!(book.refunds_in(EntryState::Succeeded), 50);
        assert!(book.join(&refund(EntryState::Failed)), "what failed after it was done is no refund");
        assert!(!book.join(&refund(EntryState::Succeeded)));
    }

    #[test]
    fn a_capture_that_fails_after_success_is_taken_back_whichever_way_it_was_reported() {
        let capture = |state| Movement::Capture { reference: "c1".into(), amount: 600, state };
        let single = book_of(&[capture(EntryState::Succeeded), capture(EntryState::Failed)]);
        assert_eq!((book_of(&[capture(EntryState::Succeeded)]).captured_net(), single.captured_net()), (600, 0));
        let total = book_of(&[Movement::Captured { total: 600 }, capture(EntryState::Failed)]);
        assert_eq!(total.captured_net(), 0);
    }

    #[test]
    fn what_has_gone_back_was_captured_although_the_authorisation_is_said_to_have_ended() {
        let paid = [Movement::Captured { total: 1000 }, Movement::Uncaptured { amount: 1000 }];
        assert_eq!(book_of(&paid).captured_net(), 0);
        let refund = |state| Movement::Refund { reference: "R1".into(), amount: 300, state };
        for (state, captured) in [
            (EntryState::Pending, 0),
            (EntryState::Refused, 0),
            (EntryState::Succeeded, 1000),
            (EntryState::Failed, 1000),
        ] {
            assert_eq!(book_of(&[&paid[..], &[refund(state)]].concat()).captured_net(), captured, "{state:?}");
        }
        let returned = Movement::Returned { reference: "b".into(), amount: 1 };
        assert_eq!(book_of(&[&paid[..], &[returned]].concat()).captured_net(), 1000);
        // A failed capture stays failed, even if a refund was done.
        let failed = Movement::Capture { reference: "c".into(), amount: 1000, state: EntryState::Failed };
        assert_eq!(book_of(&[paid[0].clone(), failed, refund(EntryState::Succeeded)]).captured_net(), 0);
    }

    #[test]
    fn what_was_done_counts_and_not_what_had_been_asked_for() {
        let capture = |amount, state| Movement::Capture { reference: "c1".into(), amount, state };
        let words = [capture(1000, EntryState::Pending), capture(900, EntryState::Succeeded)];
        assert_eq!(book_of(&words).captured_net(), 900);
        assert_eq!(book_of(&[words[1].clone(), words[0].clone()]).captured_net(), 900);
    }
}
