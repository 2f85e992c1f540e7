//! A payment's status, derived from its totals and attempts. The status is nowhere stored as truth.

use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, Progress, Stage, Step};
use super::book::EntryState;
use super::dispute::DisputeState;
use super::modification::Outcome;
use super::{Book, Payment};

/// Sums over a payment's attempts, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Authorised.
    pub authorised: i64,
    /// Captured, less captures that failed afterwards.
    pub captured: i64,
    /// Refunds on their way.
    pub refund_pending: i64,
    /// Refunds done.
    pub refunded: i64,
    /// Held or taken by disputes.
    pub charged_back: i64,
    /// Taken back by banks.
    pub returned: i64,
}

/// The status of a payment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waiting for the shopper.
    RequiresPaymentMethod,
    /// The bank asks the shopper for a step, such as authentication.
    RequiresAction,
    /// Under way; the outcome will be known later.
    Processing,
    /// The provider did not answer. No shopper may pay again until the outcome is known.
    Unknown,
    /// Authorised, to be captured by the merchant.
    RequiresCapture,
    /// Captured.
    Succeeded,
    /// Called off.
    Canceled,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 7] = [
        Status::RequiresPaymentMethod,
        Status::RequiresAction,
        Status::Processing,
        Status::Unknown,
        Status::RequiresCapture,
        Status::Succeeded,
        Status::Canceled,
    ];

    /// The name used in the database and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::RequiresPaymentMethod => "requires_payment_method",
            Status::RequiresAction => "requires_action",
            Status::Processing => "processing",
            Status::Unknown => "unknown",
            Status::RequiresCapture => "requires_capture",
            Status::Succeeded => "succeeded",
            Status::Canceled => "canceled",
        }
    }

    /// Whether the debt needs no further payment.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Status::RequiresCapture | Status::Succeeded)
    }
}

/// The flags in addition to the status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Flags {
    /// Less than the debt was captured.
    pub partially_captured: bool,
    /// More was captured than the merchant wants for the debt.
    pub overpaid: bool,
    /// Two attempts succeeded.
    pub second_success: bool,
    /// A part of the money paid for the debt was refunded. Refunds of money beyond the debt do not count.
    pub partially_refunded: bool,
    /// All money paid for the debt was refunded, or all captured money.
    pub refunded: bool,
    /// A dispute is open or lost, wholly or in part.
    pub disputed: bool,
    /// The bank took back money that was paid for the debt, see [`Attempt::taken_back`].
    pub returned: bool,
    /// A capture, void or refund was not answered; the provider is being asked.
    pub unsure: bool,
}

pub(super) fn totals(payment: &Payment) -> Totals {
    let sum = |of: fn(&Book) -> i64| payment.attempts.iter().map(|a| of(&a.book)).fold(0, i64::saturating_add);
    Totals {
        authorised: sum(|book| book.authorised),
        captured: sum(Book::captured_net),
        refund_pending: sum(|book| book.refunds_in(EntryState::Pending)),
        refunded: sum(|book| book.refunds_in(EntryState::Succeeded)),
        charged_back: sum(Book::charged_back),
        returned: sum(Book::returned_total),
    }
}

pub(super) fn status(payment: &Payment) -> Status {
    if payment.attempts.iter().any(|attempt| attempt.book.captured_net() > 0) {
        return Status::Succeeded;
    }
    if payment.attempts.iter().any(Attempt::has_money) {
        return Status::RequiresCapture;
    }
    let Some(live) = payment.live() else {
        return if payment.is_called_off() { Status::Canceled } else { Status::RequiresPaymentMethod };
    };
    match (&live.stage, &live.progress) {
        (Stage::Unknown, _) => Status::Unknown,
        (_, Some(Progress { step: Step::Processing, .. })) => Status::Processing,
        (_, Some(Progress { step: Step::ActionRequired, .. })) => Status::RequiresAction,
        _ if payment.canceled => Status::Canceled,
        _ => Status::RequiresPaymentMethod,
    }
}

pub(super) fn flags(payment: &Payment) -> Flags {
    let totals = totals(payment);
    let disputes = || payment.attempts.iter().flat_map(|attempt| attempt.book.disputes.values());
    let paid = totals.captured > 0;
    let (taken, refunded_of_order) = (payment.taken_for_order(), payment.refunded_of_order());
    // The merchant captured less and takes no more.
    let settled = payment.wanted() < payment.debt();
    let all = totals.refunded >= totals.captured || (taken > 0 && refunded_of_order >= taken);
    let returned_of_order = || payment.claims().any(|claim| claim.returned_of_order() > 0);
    Flags {
        partially_captured: paid
            && (totals.captured < payment.amount.minor || (settled && taken < payment.amount.minor)),
        overpaid: totals.captured > if settled { payment.wanted() } else { payment.amount.minor },
        second_success: payment.attempts.iter().any(|attempt| attempt.second),
        partially_refunded: paid && !all && refunded_of_order > 0,
        refunded: paid && all,
        disputed: disputes().any(|dispute| dispute.state != DisputeState::Won || dispute.lost() > 0),
        returned: payment.taken_back() > 0 && (taken == 0 || returned_of_order()),
        unsure: payment
            .attempts
            .iter()
            .flat_map(|attempt| attempt.under_way().map(|open| open.outcome(&attempt.book)))
            .any(|outcome| outcome == Outcome::Unknown),
    }
}
