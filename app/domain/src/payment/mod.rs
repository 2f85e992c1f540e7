//! A payment: one debt, its attempts, and the providers' confirmed reports.
//!
//! The only way to change a payment is [`decide`]: it turns a [`Fact`] into [`Event`]s or refuses the fact, and [`Payment::apply`] folds an
//! event into the state. The engine stores the events and the new state in one transaction.

mod attempt;
mod book;
mod breach;
mod decide;
mod dispute;
mod fact;
mod handoff;
mod key;
mod modification;
mod modify;
mod observe;
mod refusal;
mod rows;
mod status;
mod surplus;
mod told;
pub mod transitions;

use serde::{Deserialize, Serialize};

pub use attempt::{Attempt, CloseReason, Progress, Refs, Stage, Step};
pub use book::{Book, ENTRIES_MAX, Entry, EntryState, Movement};
pub use breach::Breach;
pub use decide::{Refusal, decide};
pub use dispute::{Dispute, DisputeState, Word};
pub use fact::{Answer, Event, Fact, Limits, News, Observation};
pub use handoff::{CodeForm, Handoff};
pub use key::{BadKey, RequestKey};
pub use modification::{MODIFICATIONS_MAX, Modification, ModificationKind, ModificationStage, Outcome};
pub use refusal::{NotNow, Taking};
pub use rows::{MovementKey, MovementKind, MovementRow, MovementState, rows};
pub use status::{Flags, Status, Totals};
pub use surplus::Claim;
pub use told::{Told, told};

#[cfg(test)]
pub(crate) use decide::tests::walk;

use crate::id::{AttemptId, MerchantId, PaymentId};
use crate::money::Money;

/// When the money is captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// At once.
    Automatic,
    /// When the merchant says so.
    Manual,
}

/// A payment: one debt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Payment {
    /// The id.
    pub id: PaymentId,
    /// The merchant who gets paid.
    pub merchant: MerchantId,
    /// The amount owed.
    pub amount: Money,
    /// When the money is captured.
    pub capture: Capture,
    /// Whether the merchant called the payment off.
    pub canceled: bool,
    /// The attempts, oldest first.
    pub attempts: Vec<Attempt>,
}

impl Payment {
    /// The attempt that can still move money without a further step of the shopper in Till, if there is one.
    #[must_use]
    pub fn live(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.is_live())
    }

    /// An attempt by its id.
    #[must_use]
    pub fn attempt(&self, id: &AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == *id)
    }

    /// The sums over all attempts.
    #[must_use]
    pub fn totals(&self) -> Totals {
        status::totals(self)
    }

    /// The amount that banks took back of all attempts, in minor units, see [`Attempt::taken_back`].
    #[must_use]
    pub fn taken_back(&self) -> i64 {
        self.attempts.iter().map(Attempt::taken_back).fold(0, i64::saturating_add)
    }

    /// The derived status.
    #[must_use]
    pub fn status(&self) -> Status {
        status::status(self)
    }

    /// The flags in addition to the status.
    #[must_use]
    pub fn flags(&self) -> Flags {
        status::flags(self)
    }

    /// The amount owed, in minor units: the debt, or zero if the payment was called off. Refunds, disputes and returns do not change the
    /// amount.
    #[must_use]
    pub fn debt(&self) -> i64 {
        if self.canceled { 0 } else { self.amount.minor }
    }

    /// The amount that the merchant decided to keep beyond the debt, over all attempts, in minor units.
    #[must_use]
    pub fn kept(&self) -> i64 {
        self.attempts.iter().map(|attempt| attempt.kept).fold(0, i64::saturating_add)
    }

    /// Whether the merchant wants no money for the payment: it was cancelled, or its only authorisation was released at the merchant's
    /// request. An authorisation that the provider released by itself leaves the debt as it was.
    #[must_use]
    pub fn is_called_off(&self) -> bool {
        self.canceled || (self.is_released() && self.attempts.iter().any(Attempt::is_released_on_request))
    }

    /// Whether more of an attempt has gone back than is known to have been captured. A provider's report is missing or wrong then.
    #[must_use]
    pub fn is_overdrawn(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.overdrawn() > 0)
    }

    /// Whether the payment's only money has been released: voided, or the authorisation ran out.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.attempts.iter().any(Attempt::is_released) && !self.attempts.iter().any(Attempt::has_money)
    }

    /// Folds one event into the state. Events come from [`decide`] alone.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Started { attempt } => self.attempts.push((**attempt).clone()),
            Event::Canceled => self.canceled = true,
            Event::Known { attempt, refs, handoff, until } => self.change(attempt, |found| {
                found.refs.join(refs);
                found.handoff = handoff.clone().or(found.handoff.take());
                found.until = until.or(found.until);
            }),
            Event::Staged { attempt, stage } => self.change(attempt, |found| found.stage = *stage),
            Event::Progressed { attempt, progress } => {
                self.change(attempt, |found| found.progress = Some(progress.clone()));
            }
            Event::Moved { attempt, movement } => self.change(attempt, |found| {
                found.book.join(movement);
            }),
            Event::SecondSuccess { attempt } => self.change(attempt, |found| found.second = true),
            Event::Owed { attempt } => self.change(attempt, |found| found.second = false),
            Event::Modifying { attempt, modification } => {
                self.change(attempt, |found| found.modifications.push((**modification).clone()));
            }
            Event::Answered { attempt, modification, answer } => {
                self.change(attempt, |found| found.answered(modification, answer));
            }
            Event::Explained { attempt, modification, reason } => {
                self.change(attempt, |found| found.explained(modification, reason));
            }
            Event::Kept { attempt, amount } => {
                self.change(attempt, |found| found.kept = found.kept.saturating_add(*amount));
            }
        }
    }

    fn change(&mut self, id: &AttemptId, with: impl FnOnce(&mut Attempt)) {
        if let Some(found) = self.attempts.iter_mut().find(|attempt| attempt.id == *id) {
            with(found);
        }
    }
}
