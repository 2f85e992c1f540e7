//! Facts about a payment, and the events that follow from them.

use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, CloseReason, Progress, Refs, Stage, Step};
use super::book::Movement;
use super::handoff::Handoff;
use super::modification::{Modification, ModificationStage};
use crate::Millis;
use crate::id::{AttemptId, ModificationId};
use crate::money::Money;
use crate::mutant::{self, Mutant};

/// Something that happened, told to [`super::decide`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// The shopper chose a method; this attempt should be opened.
    Start(Box<Attempt>),
    /// The provider opened the attempt.
    Opened {
        /// Which.
        attempt: AttemptId,
        /// The provider's references.
        refs: Refs,
        /// The way to its page.
        handoff: Handoff,
        /// When its page closes.
        until: Option<Millis>,
    },
    /// It is certain that the attempt was not opened.
    NotOpened {
        /// Which.
        attempt: AttemptId,
        /// Why.
        reason: CloseReason,
    },
    /// The provider may or may not have opened the attempt.
    Unanswered {
        /// Which.
        attempt: AttemptId,
    },
    /// The attempt should be closed at the provider.
    CloseRequested {
        /// Which.
        attempt: AttemptId,
        /// Why.
        reason: CloseReason,
    },
    /// The provider said something, in an authenticated webhook or in answer to a fetch.
    Observed {
        /// Which.
        attempt: AttemptId,
        /// What.
        observation: Observation,
    },
    /// The merchant called the payment off.
    Cancel,
    /// Money should be captured, released or sent back.
    Modify {
        /// Of which attempt.
        attempt: AttemptId,
        /// What, new.
        modification: Box<Modification>,
        /// The provider's abilities.
        limits: Limits,
    },
    /// The provider answered a modification without saying what came of it, or did not answer.
    Answered {
        /// Of which attempt.
        attempt: AttemptId,
        /// Which modification.
        modification: ModificationId,
        /// Its answer.
        answer: Answer,
    },
    /// The merchant keeps what was paid beyond the debt.
    Keep,
    /// The provider took a second payment on the page of an attempt: this new attempt, already closed, stands for it.
    Twin {
        /// The new attempt.
        attempt: Box<Attempt>,
        /// The provider's word about it.
        observation: Observation,
    },
}

/// A provider's abilities with authorised and captured money.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Capture less than was authorised.
    pub partial_capture: bool,
    /// Capture several times.
    pub multi_capture: bool,
    /// Refund less than was captured.
    pub partial_refund: bool,
}

/// A provider's answer to a modification.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It has taken the request and will say later what came of it.
    Accepted {
        /// Its reference, where it gave one.
        reference: Option<String>,
    },
    /// It is certain that nothing was or will be done.
    Refused {
        /// Why.
        reason: String,
    },
    /// It may or may not have acted.
    Unanswered,
}

impl Answer {
    pub(super) fn stage(&self) -> ModificationStage {
        match self {
            Answer::Accepted { .. } => ModificationStage::Accepted,
            Answer::Refused { reason } => ModificationStage::Refused { reason: reason.clone() },
            Answer::Unanswered if mutant::on(Mutant::TimeOutIsNo) => {
                ModificationStage::Refused { reason: String::new() }
            }
            Answer::Unanswered => ModificationStage::Unknown,
        }
    }
}

/// A provider's word about one attempt.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Observation {
    /// When, by the provider's clock.
    pub at: Millis,
    /// The references it used.
    pub refs: Refs,
    /// The whole amount of the payment as the provider has it. It must equal the debt.
    pub debt: Option<Money>,
    /// The currency of every amount in `news`, where `debt` does not say it.
    pub currency: Option<crate::currency::Currency>,
    /// The modification it is about, where the provider repeats our reference.
    pub modification: Option<ModificationId>,
    /// Its news.
    pub news: Vec<News>,
}

/// One thing a provider said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// A step without money.
    Step(Step),
    /// A movement of money.
    Moved(Movement),
    /// The provider's page is closed for good.
    Closed(CloseReason),
    /// The modification this is about was not done, and has no entry of its own in the book.
    NotModified {
        /// Why.
        reason: String,
    },
    /// Why the modification failed of whose entry in the book the other news tell.
    Explained {
        /// Why, in the provider's words.
        reason: String,
    },
}

/// A change of a payment. Events are stored as they are, in order, and never rewritten.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An attempt began.
    Started {
        /// The new attempt.
        attempt: Box<Attempt>,
    },
    /// More is known about where an attempt is at the provider.
    Known {
        /// Which.
        attempt: AttemptId,
        /// References learned.
        refs: Refs,
        /// The way to the provider's page.
        handoff: Option<Handoff>,
        /// When that page closes.
        until: Option<Millis>,
    },
    /// Our side moved on.
    Staged {
        /// Which.
        attempt: AttemptId,
        /// To where.
        stage: Stage,
    },
    /// The provider reported a step without money.
    Progressed {
        /// Which.
        attempt: AttemptId,
        /// What.
        progress: Progress,
    },
    /// Money moved.
    Moved {
        /// Which.
        attempt: AttemptId,
        /// How.
        movement: Movement,
    },
    /// An attempt succeeded although nothing was owed any more.
    SecondSuccess {
        /// Which.
        attempt: AttemptId,
    },
    /// An attempt pays the debt although it had succeeded second: it was captured while the first was only authorised.
    Owed {
        /// Which.
        attempt: AttemptId,
    },
    /// The merchant called the payment off.
    Canceled,
    /// A modification was written down, to be sent.
    Modifying {
        /// Of which attempt.
        attempt: AttemptId,
        /// What.
        modification: Box<Modification>,
    },
    /// More is known about a modification.
    Answered {
        /// Of which attempt.
        attempt: AttemptId,
        /// Which.
        modification: ModificationId,
        /// The provider's answer.
        answer: Answer,
    },
    /// The provider said why a modification failed.
    Explained {
        /// Of which attempt.
        attempt: AttemptId,
        /// Which.
        modification: ModificationId,
        /// Why, in the provider's words.
        reason: String,
    },
    /// The merchant keeps what was paid beyond the debt.
    Kept {
        /// Of which attempt.
        attempt: AttemptId,
        /// Minor units.
        amount: i64,
    },
}

impl Event {
    /// The attempt it is about, if it is about one.
    #[must_use]
    pub fn attempt(&self) -> Option<&AttemptId> {
        match self {
            Event::Started { attempt } => Some(&attempt.id),
            Event::Known { attempt, .. }
            | Event::Staged { attempt, .. }
            | Event::Progressed { attempt, .. }
            | Event::Moved { attempt, .. }
            | Event::SecondSuccess { attempt }
            | Event::Owed { attempt }
            | Event::Modifying { attempt, .. }
            | Event::Answered { attempt, .. }
            | Event::Explained { attempt, .. }
            | Event::Kept { attempt, .. } => Some(attempt),
            Event::Canceled => None,
        }
    }

    /// The name under which the event is stored and counted.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Event::Started { .. } => "started",
            Event::Known { .. } => "known",
            Event::Staged { .. } => "staged",
            Event::Progressed { .. } => "progressed",
            Event::Moved { .. } => "moved",
            Event::SecondSuccess { .. } => "second_success",
            Event::Owed { .. } => "owed",
            Event::Canceled => "canceled",
            Event::Modifying { .. } => "modifying",
            Event::Answered { .. } => "answered",
            Event::Explained { .. } => "explained",
            Event::Kept { .. } => "kept",
        }
    }
}
