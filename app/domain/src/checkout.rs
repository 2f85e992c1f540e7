//! What a checkout page shows: a pure function of session and payment.

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::decline::DeclineClass;
use crate::id::Token;
use crate::line::Line;
use crate::method::Method;
use crate::money::Money;
use crate::payment::{Attempt, CloseReason, Payment, Progress, Stage, Status, Step};
use crate::session::{Notice, Session, SessionState};

/// What the page is about. Every phase has words and a next step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(tag = "phase", content = "decline", rename_all = "snake_case")]
pub enum Phase {
    /// Nothing is under way: choose a method.
    Choose,
    /// A payment page is open at the provider: go on there, or choose anew.
    Resume,
    /// The provider is being asked for a payment page.
    Opening,
    /// The payment under way is being stopped at the provider.
    Closing,
    /// Back from the provider, not confirmed yet.
    Confirming,
    /// The bank asks the shopper for something.
    Authenticate,
    /// Under way, known later (bank debits take days).
    Processing,
    /// The provider did not answer: do not pay again.
    Unknown,
    /// The last try was refused. The class is one that may be shown.
    Declined(DeclineClass),
    /// Approved; the merchant takes the money later.
    Authorised,
    /// Paid.
    Paid,
    /// Paid after the session had ended.
    PaidLate,
    /// Paid in part.
    PartlyPaid,
    /// Paid more than asked, or twice.
    Overpaid,
    /// A part was refunded.
    PartlyRefunded,
    /// Everything was refunded.
    Refunded,
    /// The bank took the money back.
    Returned,
    /// Called off by the merchant.
    Cancelled,
    /// The provider has released the approved payment by itself: it can be paid again.
    Released,
    /// The time ran out.
    Expired,
}

impl Phase {
    /// Whether the page should keep asking for news.
    #[must_use]
    pub fn may_change_soon(self) -> bool {
        matches!(self, Phase::Opening | Phase::Closing | Phase::Confirming | Phase::Authenticate | Phase::Unknown)
    }

    /// Whether the shopper can choose a method now.
    #[must_use]
    pub fn can_choose(self) -> bool {
        matches!(self, Phase::Choose | Phase::Resume | Phase::Declined(_) | Phase::Authenticate | Phase::Released)
    }
}

/// Everything a checkout page needs, and nothing it must not show.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct View {
    /// The session's token, for the page's own forms.
    pub token: Token,
    /// The link's token, for a new session.
    pub link: Token,
    /// The merchant's name.
    pub merchant: String,
    /// Where shoppers can ask for help.
    pub support_email: Option<String>,
    /// The order.
    pub lines: Vec<Line>,
    /// What it comes to.
    pub total: Money,
    /// What has arrived, less what was paid too much and went back; shown where it differs from the total.
    pub received: Money,
    /// The amount refunded of the order.
    pub refunded: Money,
    /// What the page is about.
    pub phase: Phase,
    /// The outcome of the last action.
    pub notice: Option<Notice>,
    /// The methods on offer, in order.
    pub methods: Vec<Method>,
    /// When the session ends.
    pub expires: Millis,
    /// Whether the end is near.
    pub ends_soon: bool,
    /// Whether the shopper may ask for more time.
    pub can_extend: bool,
    /// Whether a new session can be had from the link.
    pub can_renew: bool,
    /// The server's time.
    pub now: Millis,
    /// A short reference that support can look up.
    pub reference: String,
    /// Whether this is test mode: no real money.
    pub test_mode: bool,
}

/// What the page of a session is about. `came_back` is whether the shopper stands on the return address; it makes the
/// page wait for news instead of offering the choice, and it proves nothing.
#[must_use]
pub fn phase(session: &Session, payment: &Payment, came_back: bool, now: Millis) -> Phase {
    match payment.status() {
        Status::Succeeded => settled(session, payment),
        Status::RequiresCapture => Phase::Authorised,
        Status::Unknown => Phase::Unknown,
        Status::Processing => Phase::Processing,
        Status::Canceled => Phase::Cancelled,
        Status::RequiresAction | Status::RequiresPaymentMethod => match payment.live() {
            Some(live) => waiting(session, live, came_back, now),
            None if session.is_over(now) => Phase::Expired,
            None => idle(payment),
        },
    }
}

/// The page speaks of the order's money only: a second payment that was sent back leaves no trace on it.
fn settled(session: &Session, payment: &Payment) -> Phase {
    let flags = payment.flags();
    let totals = payment.totals();
    let (kept, received) = (payment.kept() > 0, totals.captured.saturating_sub(totals.refunded));
    let wanted = if payment.canceled { payment.amount.minor } else { payment.wanted() };
    match () {
        () if flags.returned => Phase::Returned,
        () if payment.outstanding() > 0 && payment.arrived() > wanted => Phase::Overpaid,
        () if flags.refunded => Phase::Refunded,
        () if kept && received > wanted => Phase::Overpaid,
        // Another payment that the merchant keeps stands in for what was refunded of the first.
        () if kept && received == payment.amount.minor => paid(session),
        () if flags.partially_refunded => Phase::PartlyRefunded,
        () if flags.partially_captured => Phase::PartlyPaid,
        () => paid(session),
    }
}

fn paid(session: &Session) -> Phase {
    if session.state == SessionState::Expired { Phase::PaidLate } else { Phase::Paid }
}

/// While an attempt is live its outcome is open, so "expired" would be a guess that makes people pay twice.
fn waiting(session: &Session, live: &Attempt, came_back: bool, now: Millis) -> Phase {
    match (&live.stage, &live.progress) {
        (Stage::Opening, _) => Phase::Opening,
        (Stage::Closing(_), _) => Phase::Closing,
        // Providers send shoppers to the return address after success; an earlier decline or step is old news there.
        // Without a way to the provider's page there is nothing to go on with; what became of it is being asked.
        _ if came_back || session.is_over(now) || live.usable_handoff(now).is_none() => Phase::Confirming,
        (_, Some(Progress { step: Step::Declined(decline), .. })) => Phase::Declined(decline.class.shown()),
        (_, Some(Progress { step: Step::ActionRequired, .. })) => Phase::Authenticate,
        _ => Phase::Resume,
    }
}

fn idle(payment: &Payment) -> Phase {
    let last = payment.attempts.last();
    // A decline before an approval is old news.
    let over = |attempt: &&Attempt| attempt.stage == Stage::Closed(CloseReason::Cancelled) || attempt.is_released();
    match last.filter(|attempt| !over(attempt)).and_then(Attempt::decline) {
        Some(decline) => Phase::Declined(decline.class.shown()),
        // More has gone back than was taken: that it was never taken is not certain.
        None if payment.is_overdrawn() => Phase::Unknown,
        None if payment.is_released() => Phase::Released,
        None => Phase::Choose,
    }
}

#[cfg(test)]
mod tests;
