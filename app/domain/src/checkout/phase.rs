//! The subject of a session's page: a pure function of session and payment.

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::decline::DeclineClass;
use crate::payment::{
    Attempt, Capture, CloseReason, Modification, ModificationKind, Outcome, Payment, Progress, Stage, Status, Step,
};
use crate::session::{Session, SessionState};

/// The subject of a page. Every phase has words and a next step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(tag = "phase", content = "decline", rename_all = "snake_case")]
pub enum Phase {
    /// No payment is under way: choose a method.
    Choose,
    /// A payment page is open at the provider: continue there, or choose again.
    Resume,
    /// The provider is being asked for a payment page.
    Opening,
    /// The payment under way is being stopped at the provider.
    Closing,
    /// The shopper is back from the provider; the payment is not confirmed yet.
    Confirming,
    /// The bank asks the shopper for a step, such as authentication.
    Authenticate,
    /// The payment is under way; its outcome will be known later (bank debits take days).
    Processing,
    /// The provider did not answer: do not pay again.
    Unknown,
    /// More has gone back than is known to have been captured. A person has to look; the shopper must not pay again.
    Unclear,
    /// The last attempt was declined. The class is one that a shopper may see.
    Declined(DeclineClass),
    /// Authorised; the merchant captures later.
    Authorised,
    /// Paid.
    Paid,
    /// Paid after the session had ended.
    PaidLate,
    /// Paid in part.
    PartlyPaid,
    /// The merchant has captured a part of the authorised amount, and wanted no more.
    PartlyCollected,
    /// Paid more than asked, or twice. The surplus has neither gone back nor been kept.
    Overpaid,
    /// Paid more than asked, or twice, and the merchant has decided to keep the surplus.
    OverpaidKept,
    /// A part was refunded.
    PartlyRefunded,
    /// Everything was refunded.
    Refunded,
    /// The bank took the money back, or a part of it.
    Returned,
    /// Called off by the merchant.
    Cancelled,
    /// Called off by the merchant; the provider has not yet confirmed that nothing is taken.
    Cancelling,
    /// Called off by the merchant, and paid all the same: the money is held or goes back.
    PaidCancelled,
    /// The provider has released the authorisation by itself. The order can be paid again.
    Released,
    /// The session's time ran out.
    Expired,
}

impl Phase {
    /// Whether the page should keep asking for news.
    #[must_use]
    pub fn may_change_soon(self) -> bool {
        matches!(
            self,
            Phase::Opening
                | Phase::Closing
                | Phase::Confirming
                | Phase::Authenticate
                | Phase::Unknown
                | Phase::Unclear
                | Phase::Cancelling
        )
    }

    /// Whether the shopper can choose a method now.
    #[must_use]
    pub fn can_choose(self) -> bool {
        matches!(self, Phase::Choose | Phase::Resume | Phase::Declined(_) | Phase::Authenticate | Phase::Released)
    }
}

/// The subject of a session's page. `came_back` says whether the shopper is on the return address. The page then waits for news instead of
/// offering the choice. The return address proves no payment.
#[must_use]
pub fn phase(session: &Session, payment: &Payment, came_back: bool, now: Millis) -> Phase {
    match payment.status() {
        Status::Succeeded if payment.canceled => paid_after_the_end(session, payment),
        Status::Succeeded => settled(session, payment),
        Status::RequiresCapture if is_being_released(payment) => Phase::Cancelling,
        Status::RequiresCapture if payment.canceled => Phase::PaidCancelled,
        Status::RequiresCapture => Phase::Authorised,
        Status::Unknown => Phase::Unknown,
        Status::Processing => Phase::Processing,
        // The provider's page may just have been paid.
        _ if payment.canceled && payment.live().is_some() => Phase::Cancelling,
        Status::Canceled => Phase::Cancelled,
        // A refund that the provider reports hints at a capture, so the page invites no shopper to pay again.
        _ if payment.is_overdrawn() => Phase::Unclear,
        Status::RequiresAction | Status::RequiresPaymentMethod => match payment.live() {
            Some(live) => waiting(session, live, came_back, now),
            None if session.is_over(now) => Phase::Expired,
            None => idle(payment),
        },
    }
}

/// The phase of a payment that has succeeded. Only the order's money counts: a second payment that was sent back leaves no trace on the
/// page.
fn settled(session: &Session, payment: &Payment) -> Phase {
    let flags = payment.flags();
    match () {
        () if flags.returned => Phase::Returned,
        () if payment.outstanding() > 0 && payment.arrived() > payment.wanted() => Phase::Overpaid,
        () if flags.refunded => Phase::Refunded,
        () if payment.kept() > 0 && net(payment) >= payment.amount.minor => kept(session, payment),
        () if flags.partially_refunded => Phase::PartlyRefunded,
        () if flags.partially_captured && is_collected(payment) => Phase::PartlyCollected,
        () if flags.partially_captured => Phase::PartlyPaid,
        () => paid(session),
    }
}

/// The phase of a payment that has succeeded although the merchant had called it off. No part of the money is owed.
fn paid_after_the_end(session: &Session, payment: &Payment) -> Phase {
    let flags = payment.flags();
    match () {
        () if flags.refunded => Phase::Refunded,
        () if payment.outstanding() > 0 => Phase::PaidCancelled,
        // The money that a bank took may have been beyond the part that the merchant keeps. Less than the order's total is left all the
        // same.
        () if payment.kept() > 0 && (flags.returned || is_cut_by_bank(payment)) => Phase::Returned,
        () if net(payment) >= payment.amount.minor && payment.kept() > 0 => kept(session, payment),
        () if payment.totals().refunded > 0 => Phase::PartlyRefunded,
        () if payment.kept() > 0 => Phase::PartlyCollected,
        // A bank has taken the money back; another attempt may still be open.
        () if payment.live().is_some() => Phase::Cancelling,
        () => Phase::Cancelled,
    }
}

/// Whether a bank took money back and the merchant keeps less than the order's total.
fn is_cut_by_bank(payment: &Payment) -> bool {
    payment.taken_back() > 0 && payment.kept() < payment.amount.minor
}

/// The phase where the merchant keeps money beyond the debt and has at least the order's total. A second payment may replace the refunded
/// part of the first.
fn kept(session: &Session, payment: &Payment) -> Phase {
    if net(payment) > payment.amount.minor { Phase::OverpaidKept } else { paid(session) }
}

/// The amount that was captured and not refunded, in minor units.
pub(super) fn net(payment: &Payment) -> i64 {
    let totals = payment.totals();
    totals.captured.saturating_sub(totals.refunded)
}

/// Whether the merchant takes no more than was captured, or can take the rest without the shopper. Otherwise the shopper has paid too
/// little.
fn is_collected(payment: &Payment) -> bool {
    let asked = |attempt: &Attempt| {
        let standing = |known: &&Modification| {
            matches!(known.kind, ModificationKind::Capture { .. }) && known.outcome(&attempt.book) != Outcome::Failed
        };
        attempt.modifications.iter().filter(standing).map(Modification::amount).fold(0, i64::saturating_add)
    };
    let asked = payment.attempts.iter().map(asked).fold(0, i64::saturating_add);
    match asked {
        // The rest was released, or the last capture has ended.
        _ if payment.wanted() < payment.debt() => true,
        // A part of a full authorisation was captured by hand at the provider.
        0 => payment.capture == Capture::Manual && payment.attempts.iter().any(|one| is_approved_whole(payment, one)),
        asked => asked <= payment.totals().captured,
    }
}

/// Whether an attempt has captured money and was authorised for the whole amount.
fn is_approved_whole(payment: &Payment, attempt: &Attempt) -> bool {
    attempt.book.captured_net() > 0 && attempt.book.authorised >= payment.amount.minor
}

/// Whether a void is under way for every attempt with money.
fn is_being_released(payment: &Payment) -> bool {
    let void = |known: &Modification| matches!(known.kind, ModificationKind::Void);
    let mut held = payment.attempts.iter().filter(|attempt| attempt.has_money());
    held.all(|attempt| attempt.under_way().any(void))
}

fn paid(session: &Session) -> Phase {
    if session.state == SessionState::Expired { Phase::PaidLate } else { Phase::Paid }
}

/// While an attempt is live its outcome is open, so "expired" would be a guess that makes people pay twice.
fn waiting(session: &Session, live: &Attempt, came_back: bool, now: Millis) -> Phase {
    match (&live.stage, &live.progress) {
        (Stage::Opening, _) => Phase::Opening,
        (Stage::Closing(_), _) => Phase::Closing,
        // Providers send shoppers to the return address after success; an earlier decline or step is old news there. Without a usable
        // handoff the shopper cannot continue at the provider; Till is asking the provider for the outcome.
        _ if came_back || session.is_over(now) || live.usable_handoff(now).is_none() => Phase::Confirming,
        (_, Some(Progress { step: Step::Declined(decline), .. })) => Phase::Declined(decline.class.shown()),
        (_, Some(Progress { step: Step::ActionRequired, .. })) => Phase::Authenticate,
        _ => Phase::Resume,
    }
}

fn idle(payment: &Payment) -> Phase {
    let last = payment.attempts.last();
    // A decline before an authorisation is old news.
    let over = |attempt: &&Attempt| attempt.stage == Stage::Closed(CloseReason::Cancelled) || attempt.is_released();
    match last.filter(|attempt| !over(attempt)).and_then(Attempt::decline) {
        Some(decline) => Phase::Declined(decline.class.shown()),
        None if payment.is_released() => Phase::Released,
        None => Phase::Choose,
    }
}
