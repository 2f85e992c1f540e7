//! The money of one attempt, as cumulative totals and referenced entries.
//!
//! Deliveries come twice, late and out of order. Therefore everything here only grows: totals by their maximum, entries
//! by the order of their states. Joining the same movements in any order, any number of times, gives the same book.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Millis;

/// Entries of one kind an attempt keeps at most; far more than any provider allows refunds.
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
    /// A capture that had been reported did not happen after all.
    CaptureFailed {
        /// The provider's reference of that capture.
        reference: String,
        /// Minor units.
        amount: i64,
    },
    /// News of one refund.
    Refund {
        /// The provider's reference.
        reference: String,
        /// Minor units.
        amount: i64,
        /// How far it is.
        state: RefundState,
    },
    /// News of one dispute.
    Dispute {
        /// The provider's reference.
        reference: String,
        /// Minor units.
        amount: i64,
        /// Where it stands.
        state: DisputeState,
        /// When, by the provider's clock: a dispute can be won and then lost.
        at: Millis,
    },
    /// The bank took the money back.
    Returned {
        /// The provider's reference.
        reference: String,
        /// Minor units.
        amount: i64,
    },
    /// The provider paid the money out to the merchant.
    PaidOut {
        /// The provider's reference of the settlement line.
        reference: String,
        /// Minor units.
        amount: i64,
    },
}

/// A refund's life. It only moves down this list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Accepted, not sent.
    Pending,
    /// Sent to the shopper.
    Succeeded,
    /// Did not arrive, possibly after it had been reported as sent; the money is back.
    Failed,
}

/// Where a dispute stands. The order breaks ties between equal time stamps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// Announced; no money has moved.
    Inquiry,
    /// The money was taken from the merchant.
    Open,
    /// Decided for the merchant; the money is back.
    Won,
    /// Decided against the merchant.
    Lost,
}

/// One refund.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refund {
    /// Minor units.
    pub amount: i64,
    /// How far it is.
    pub state: RefundState,
}

/// One dispute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dispute {
    /// Minor units.
    pub amount: i64,
    /// The provider's time of the newest word.
    pub at: Millis,
    /// The newest word.
    pub state: DisputeState,
}

/// The money of one attempt. All amounts are minor units.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Book {
    /// The highest total authorised.
    pub authorised: i64,
    /// Whether what was left of the authorisation is gone.
    pub voided: bool,
    /// The highest total captured.
    pub captured: i64,
    /// Captures that failed afterwards.
    pub capture_failed: BTreeMap<String, i64>,
    /// Refunds.
    pub refunds: BTreeMap<String, Refund>,
    /// Disputes.
    pub disputes: BTreeMap<String, Dispute>,
    /// Bank returns.
    pub returned: BTreeMap<String, i64>,
    /// Payouts.
    pub paid_out: BTreeMap<String, i64>,
}

impl Book {
    /// Takes a movement in. Returns whether it said anything new.
    pub fn join(&mut self, movement: &Movement) -> bool {
        let before = self.clone();
        match movement {
            Movement::Authorised { total } => self.authorised = self.authorised.max(*total),
            Movement::Voided => self.voided = true,
            Movement::Captured { total } => self.captured = self.captured.max(*total),
            Movement::CaptureFailed { reference, amount } => raise(&mut self.capture_failed, reference, *amount),
            Movement::Returned { reference, amount } => raise(&mut self.returned, reference, *amount),
            Movement::PaidOut { reference, amount } => raise(&mut self.paid_out, reference, *amount),
            Movement::Refund { reference, amount, state } => {
                if let Some(kept) = entry(&mut self.refunds, reference, Refund { amount: *amount, state: *state }) {
                    kept.amount = kept.amount.max(*amount);
                    kept.state = kept.state.max(*state);
                }
            }
            Movement::Dispute { reference, amount, state, at } => {
                let news = Dispute { amount: *amount, at: *at, state: *state };
                if let Some(kept) = entry(&mut self.disputes, reference, news) {
                    kept.amount = kept.amount.max(*amount);
                    (kept.at, kept.state) = (kept.at, kept.state).max((*at, *state));
                }
            }
        }
        *self != before
    }

    /// Captured less what failed afterwards.
    #[must_use]
    pub fn captured_net(&self) -> i64 {
        self.captured.saturating_sub(sum(self.capture_failed.values().copied())).max(0)
    }

    /// Refunds in one state.
    #[must_use]
    pub fn refunds_in(&self, state: RefundState) -> i64 {
        sum(self.refunds.values().filter(|refund| refund.state == state).map(|refund| refund.amount))
    }

    /// What disputes hold or took.
    #[must_use]
    pub fn charged_back(&self) -> i64 {
        let held = |dispute: &&Dispute| matches!(dispute.state, DisputeState::Open | DisputeState::Lost);
        sum(self.disputes.values().filter(held).map(|dispute| dispute.amount))
    }

    /// What banks took back.
    #[must_use]
    pub fn returned_total(&self) -> i64 {
        sum(self.returned.values().copied())
    }

    /// What was paid out.
    #[must_use]
    pub fn paid_out_total(&self) -> i64 {
        sum(self.paid_out.values().copied())
    }
}

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}

fn raise(entries: &mut BTreeMap<String, i64>, reference: &str, amount: i64) {
    if let Some(kept) = entry(entries, reference, amount) {
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
        let refund = prop_oneof![Just(RefundState::Pending), Just(RefundState::Succeeded), Just(RefundState::Failed)];
        let dispute = prop_oneof![
            Just(DisputeState::Inquiry),
            Just(DisputeState::Open),
            Just(DisputeState::Won),
            Just(DisputeState::Lost)
        ];
        prop_oneof![
            amount.clone().prop_map(|total| Movement::Authorised { total }),
            Just(Movement::Voided),
            amount.clone().prop_map(|total| Movement::Captured { total }),
            (reference(), amount.clone()).prop_map(|(reference, amount)| Movement::CaptureFailed { reference, amount }),
            (reference(), amount.clone()).prop_map(|(reference, amount)| Movement::Returned { reference, amount }),
            (reference(), amount.clone(), refund)
                .prop_map(|(reference, amount, state)| { Movement::Refund { reference, amount, state } }),
            (reference(), amount, dispute, 0i64..4)
                .prop_map(|(reference, amount, state, at)| { Movement::Dispute { reference, amount, state, at } }),
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
    fn a_refund_that_fails_after_success_gives_the_money_back() {
        let refund = |state| Movement::Refund { reference: "re_1".into(), amount: 500, state };
        let mut book = book_of(&[Movement::Captured { total: 1000 }, refund(RefundState::Succeeded)]);
        assert_eq!(book.refunds_in(RefundState::Succeeded), 500);
        assert!(book.join(&refund(RefundState::Failed)));
        assert!(!book.join(&refund(RefundState::Pending)));
        assert_eq!(book.refunds_in(RefundState::Succeeded), 0);
    }

    #[test]
    fn a_dispute_can_be_won_and_then_lost() {
        let dispute = |state, at| Movement::Dispute { reference: "dp_1".into(), amount: 700, state, at };
        let mut book = book_of(&[dispute(DisputeState::Open, 1), dispute(DisputeState::Won, 2)]);
        assert_eq!(book.charged_back(), 0);
        book.join(&dispute(DisputeState::Lost, 3));
        assert_eq!(book.charged_back(), 700);
    }
}
