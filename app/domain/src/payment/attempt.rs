//! One try of a payment at one provider account.

use serde::{Deserialize, Serialize};

use super::book::{Book, EntryState};
use super::handoff::Handoff;
use super::modification::{Modification, ModificationKind, Outcome};
use crate::Millis;
use crate::decline::Decline;
use crate::id::{AttemptId, ModificationId, ProviderAccountId, SessionId};
use crate::method::Method;
use crate::money::Money;
use crate::mutant::{self, Mutant};

/// The stage of an attempt on Till's side. The provider's reports about the money are in [`Progress`] and [`Book`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "stage", content = "reason", rename_all = "snake_case")]
pub enum Stage {
    /// The provider is being asked to open the attempt.
    Opening,
    /// The shopper can pay at the provider.
    Open,
    /// The provider did not answer. The attempt may or may not be open there.
    Unknown,
    /// The provider is being asked to close the attempt.
    Closing(CloseReason),
    /// The attempt is over. A late success is still recorded.
    Closed(CloseReason),
}

/// The reason why an attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The money was authorised or captured.
    Succeeded,
    /// The provider reports the payment as finally failed.
    Failed,
    /// The provider refused to open the attempt.
    Refused,
    /// The request never reached the provider.
    Unreachable,
    /// The request was not answered, and a search at the provider has proved that the request had no effect.
    NotFound,
    /// The attempt's time ran out.
    Expired,
    /// The shopper or the merchant cancelled the attempt.
    Cancelled,
    /// Another attempt replaced this one.
    Superseded,
}

/// The provider's references to an attempt.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Refs {
    /// The provider's checkout session.
    pub session: Option<String>,
    /// The provider's payment.
    pub payment: Option<String>,
}

impl Refs {
    /// Adds the other's references. A reference once known never changes.
    pub fn join(&mut self, other: &Refs) {
        self.session = self.session.take().or_else(|| other.session.clone());
        self.payment = self.payment.take().or_else(|| other.payment.clone());
    }

    /// Whether a reference that both have differs.
    #[must_use]
    pub fn contradicts(&self, other: &Refs) -> bool {
        if mutant::on(Mutant::ContradictionApplied) {
            return false;
        }
        let differ = |a: &Option<String>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if a != b);
        differ(&self.session, &other.session) || differ(&self.payment, &other.payment)
    }
}

/// The newest step that the provider reported about an attempt. A step moves no money.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Progress {
    /// The step's time, by the provider's clock.
    pub at: Millis,
    /// The step.
    pub step: Step,
}

/// A step that moves no money. The order breaks ties between two steps with the same time stamp.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(tag = "step", content = "decline", rename_all = "snake_case")]
pub enum Step {
    /// The shopper has not finished.
    Waiting,
    /// The bank asks the shopper for a step, such as authentication.
    ActionRequired,
    /// The last try at the provider was refused; the shopper can try again there.
    Declined(Decline),
    /// The payment is under way; its outcome will be known later.
    Processing,
}

/// One try of a payment at one provider account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// The id; also Till's reference at the provider.
    pub id: AttemptId,
    /// The session that started the attempt; the shopper returns to that session.
    pub session: SessionId,
    /// The provider account.
    pub account: ProviderAccountId,
    /// The payment method.
    pub method: Method,
    /// The language the shopper chose, as a tag such as `de`; carried to the provider and back.
    pub lang: Option<String>,
    /// The amount requested.
    pub amount: Money,
    /// When the attempt was started.
    pub created: Millis,
    /// The stage on Till's side.
    pub stage: Stage,
    /// The provider's references.
    pub refs: Refs,
    /// The way to the provider's page.
    pub handoff: Option<Handoff>,
    /// When the provider's page closes: at first the time that Till asked for, then the provider's own.
    pub until: Option<Millis>,
    /// The newest step that the provider reported.
    pub progress: Option<Progress>,
    /// The money.
    pub book: Book,
    /// Whether the attempt succeeded although no debt was left: another attempt had settled it, or the merchant had called it off. Of
    /// several authorisations the first one captured settles the debt.
    pub second: bool,
    /// The part of the amount captured beyond the debt that the merchant decided to keep, in minor units.
    #[serde(default)]
    pub kept: i64,
    /// Requests to the provider to capture, void or refund, oldest first.
    #[serde(default)]
    pub modifications: Vec<Modification>,
}

impl Attempt {
    /// A new attempt about to be opened, whose page should close at `until`.
    #[must_use]
    pub fn new(
        id: AttemptId,
        session: SessionId,
        account: ProviderAccountId,
        method: Method,
        amount: Money,
        created: Millis,
        until: Millis,
    ) -> Self {
        Attempt {
            id,
            session,
            account,
            method,
            lang: None,
            amount,
            created,
            stage: Stage::Opening,
            refs: Refs::default(),
            handoff: None,
            until: Some(until),
            progress: None,
            book: Book::default(),
            second: false,
            kept: 0,
            modifications: vec![],
        }
    }

    /// An attempt for a second payment that the provider took on this attempt's page. The new attempt is closed and has the provider's
    /// reference to that payment.
    #[must_use]
    pub fn twin(&self, id: AttemptId, payment: String, now: Millis) -> Self {
        let until = self.until.unwrap_or(now);
        let new = Attempt::new(id, self.session.clone(), self.account.clone(), self.method, self.amount, now, until);
        let refs = Refs { session: None, payment: Some(payment) };
        Attempt { stage: Stage::Closed(CloseReason::Superseded), refs, lang: self.lang.clone(), ..new }
    }

    /// Whether the attempt is not closed, so that it can still move money.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self.stage, Stage::Closed(_))
    }

    /// The newest decline, if no other step has followed.
    #[must_use]
    pub fn decline(&self) -> Option<&Decline> {
        match &self.progress {
            Some(Progress { step: Step::Declined(decline), .. }) => Some(decline),
            _ => None,
        }
    }

    /// Whether the payment is under way at the provider, so that Till can only wait for the outcome.
    #[must_use]
    pub fn is_processing(&self) -> bool {
        self.is_live() && matches!(&self.progress, Some(Progress { step: Step::Processing, .. }))
    }

    /// The way to the provider's page, while it can be used.
    #[must_use]
    pub fn usable_handoff(&self, now: Millis) -> Option<&Handoff> {
        let usable = self.stage == Stage::Open && self.until.is_none_or(|until| now < until) && !self.is_processing();
        if usable { self.handoff.as_ref() } else { None }
    }

    /// Whether money is authorised or captured. Money that is being captured counts even if the rest of the authorisation has been released
    /// already, because deliveries come in any order.
    #[must_use]
    pub fn has_money(&self) -> bool {
        self.book.captured_net() > 0 || (self.book.authorised > 0 && (!self.book.voided || self.is_being_captured()))
    }

    /// Whether there was an authorisation of which no money is left.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.book.authorised > 0 && self.book.voided && !self.has_money()
    }

    /// Whether an authorisation is released and the merchant had requested the void. The request counts, whatever the provider answered.
    /// The void of a second success does not count: it was voided as surplus, which says nothing about the debt.
    #[must_use]
    pub fn is_released_on_request(&self) -> bool {
        let void = |asked: &Modification| matches!(asked.kind, ModificationKind::Void);
        self.is_released() && !self.second && self.modifications.iter().any(void)
    }

    /// Whether a capture is done after which the merchant takes no more.
    #[must_use]
    pub fn is_captured_finally(&self) -> bool {
        let last = |asked: &Modification| {
            matches!(asked.kind, ModificationKind::Capture { last: true, .. })
                && asked.outcome(&self.book) == Outcome::Succeeded
        };
        self.book.captured_net() > 0 && self.modifications.iter().any(last)
    }

    fn is_being_captured(&self) -> bool {
        let capture = |open: &Modification| matches!(open.kind, ModificationKind::Capture { .. });
        self.book.captures_in(EntryState::Pending) > 0 || self.under_way().any(capture)
    }

    /// A modification by its id.
    #[must_use]
    pub fn modification(&self, id: &ModificationId) -> Option<&Modification> {
        self.modifications.iter().find(|modification| modification.id == *id)
    }

    /// Modifications whose result is open.
    pub fn under_way(&self) -> impl Iterator<Item = &Modification> {
        self.modifications.iter().filter(|modification| modification.outcome(&self.book).is_open())
    }

    /// The amount that may still be captured: authorised, less captures that are done, pending or requested. Minor units.
    #[must_use]
    pub fn capturable(&self) -> i64 {
        let void = |open: &Modification| matches!(open.kind, ModificationKind::Void);
        if self.book.voided || self.under_way().any(void) {
            return 0;
        }
        let taken = self.book.captured_net().saturating_add(self.book.captures_in(EntryState::Pending));
        let asked = self.asked(|kind| matches!(kind, ModificationKind::Capture { .. }));
        self.book.authorised.saturating_sub(taken).saturating_sub(asked).max(0)
    }

    /// The amount that may still go back to the shopper: captured, less refunds that are done, pending or requested, and less what banks
    /// and disputes took back. Minor units.
    #[must_use]
    pub fn refundable(&self) -> i64 {
        let book = &self.book;
        if mutant::on(Mutant::RefundIgnoresInFlight) {
            return book.captured_net().saturating_sub(book.refunds_in(EntryState::Succeeded)).max(0);
        }
        let asked = self.asked(|kind| matches!(kind, ModificationKind::Refund { .. }));
        book.captured_net().saturating_sub(book.gone()).saturating_sub(asked).max(0)
    }

    /// The amount by which more has gone back than was captured, in minor units. An amount above zero needs a person, unless the missing
    /// capture arrives a moment later: deliveries come in any order.
    #[must_use]
    pub fn overdrawn(&self) -> i64 {
        self.book.gone().saturating_sub(self.book.captured_net()).max(0)
    }

    /// The amount that banks took back, as the shopper sees it, in minor units: returns, and disputes of a bank debit. The payer's bank
    /// decides on a debit alone and at once, and its decision is final (Stripe documentation, ACH Direct Debit, Disputed payments). A
    /// dispute of a card payment is a matter between the merchant and the banks.
    #[must_use]
    pub fn taken_back(&self) -> i64 {
        let disputed = match self.method {
            Method::Card => 0,
            Method::BankDebit => self.book.charged_back(),
        };
        self.book.returned_total().saturating_add(disputed)
    }

    /// The sum of requested refunds that are not in the book yet, in minor units.
    #[must_use]
    pub fn asked_back(&self) -> i64 {
        self.asked(|kind| matches!(kind, ModificationKind::Refund { .. }))
    }

    /// The sum of requested modifications that are not in the book yet, in minor units.
    fn asked(&self, which: impl Fn(&ModificationKind) -> bool) -> i64 {
        let open = |modification: &&Modification| match modification.outcome(&self.book) {
            Outcome::Unknown if mutant::on(Mutant::UnknownRefundNotReserved) => false,
            Outcome::Requested | Outcome::Unknown => which(&modification.kind),
            Outcome::Pending => which(&modification.kind) && !modification.is_booked(&self.book),
            Outcome::Succeeded | Outcome::Failed => false,
        };
        self.modifications.iter().filter(open).map(Modification::amount).fold(0, i64::saturating_add)
    }
}
