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

/// A fact about a payment: the input of [`super::decide`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// The shopper chose a method; this attempt should be opened.
    Start(Box<Attempt>),
    /// The provider opened the attempt.
    Opened {
        /// The attempt.
        attempt: AttemptId,
        /// The provider's references.
        refs: Refs,
        /// The way to the provider's page.
        handoff: Handoff,
        /// When the provider's page closes.
        until: Option<Millis>,
    },
    /// It is certain that the attempt was not opened.
    NotOpened {
        /// The attempt.
        attempt: AttemptId,
        /// The reason.
        reason: CloseReason,
    },
    /// The provider may or may not have opened the attempt.
    Unanswered {
        /// The attempt.
        attempt: AttemptId,
    },
    /// The attempt should be closed at the provider.
    CloseRequested {
        /// The attempt.
        attempt: AttemptId,
        /// The reason.
        reason: CloseReason,
    },
    /// The provider reported something, in an authenticated webhook or in answer to a fetch.
    Observed {
        /// The attempt.
        attempt: AttemptId,
        /// The observation.
        observation: Observation,
    },
    /// The merchant called the payment off.
    Cancel,
    /// A capture, void or refund is requested.
    Modify {
        /// The attempt.
        attempt: AttemptId,
        /// The new modification.
        modification: Box<Modification>,
        /// The provider's abilities.
        limits: Limits,
    },
    /// The provider answered a modification, or did not answer.
    Answered {
        /// The attempt.
        attempt: AttemptId,
        /// The modification.
        modification: ModificationId,
        /// The provider's answer.
        answer: Answer,
    },
    /// The merchant keeps the money paid beyond the debt.
    Keep,
    /// The provider took a second payment on the page of an attempt. A new attempt, already closed, represents the second payment.
    Twin {
        /// The new attempt.
        attempt: Box<Attempt>,
        /// The provider's report on the second payment.
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
    /// The provider has accepted the request and will report the result later.
    Accepted {
        /// The provider's reference, where it gave one.
        reference: Option<String>,
    },
    /// It is certain that the request was not carried out and will not be.
    Refused {
        /// The reason.
        reason: String,
    },
    /// The provider may or may not have carried out the request.
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

/// A provider's report on one attempt.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Observation {
    /// The report's time, by the provider's clock.
    pub at: Millis,
    /// The references in the report.
    pub refs: Refs,
    /// The payment's whole amount at the provider. It must equal the debt.
    pub debt: Option<Money>,
    /// The currency of every amount in `news`, where `debt` does not say it.
    pub currency: Option<crate::currency::Currency>,
    /// The modification in the report, where the provider repeats Till's reference.
    pub modification: Option<ModificationId>,
    /// The items of the report.
    pub news: Vec<News>,
}

/// One item of a provider's report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// A step without money.
    Step(Step),
    /// A movement of money.
    Moved(Movement),
    /// The provider's page is closed for good.
    Closed(CloseReason),
    /// The modification in the report was not done, and has no entry of its own in the book.
    NotModified {
        /// The reason.
        reason: String,
    },
    /// The reason why a modification failed. The other items of the report carry the modification's entry in the book.
    Explained {
        /// The reason, in the provider's words.
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
    /// The references, the handoff or the closing time of an attempt at the provider are known.
    Known {
        /// The attempt.
        attempt: AttemptId,
        /// The new references.
        refs: Refs,
        /// The way to the provider's page.
        handoff: Option<Handoff>,
        /// When the provider's page closes.
        until: Option<Millis>,
    },
    /// The attempt's stage has changed.
    Staged {
        /// The attempt.
        attempt: AttemptId,
        /// The new stage.
        stage: Stage,
    },
    /// The provider reported a step without money.
    Progressed {
        /// The attempt.
        attempt: AttemptId,
        /// The step and its time.
        progress: Progress,
    },
    /// Money moved.
    Moved {
        /// The attempt.
        attempt: AttemptId,
        /// The movement.
        movement: Movement,
    },
    /// An attempt succeeded although no debt was left.
    SecondSuccess {
        /// The attempt.
        attempt: AttemptId,
    },
    /// An attempt that succeeded second pays the debt after all: it was captured while the first was only authorised.
    Owed {
        /// The attempt.
        attempt: AttemptId,
    },
    /// The merchant called the payment off.
    Canceled,
    /// A modification was stored, to be sent.
    Modifying {
        /// The attempt.
        attempt: AttemptId,
        /// The modification.
        modification: Box<Modification>,
    },
    /// The provider answered a modification, or did not answer.
    Answered {
        /// The attempt.
        attempt: AttemptId,
        /// The modification.
        modification: ModificationId,
        /// The provider's answer.
        answer: Answer,
    },
    /// The provider said why a modification failed.
    Explained {
        /// The attempt.
        attempt: AttemptId,
        /// The modification.
        modification: ModificationId,
        /// The reason, in the provider's words.
        reason: String,
    },
    /// The merchant keeps the money paid beyond the debt.
    Kept {
        /// The attempt.
        attempt: AttemptId,
        /// Minor units.
        amount: i64,
    },
}

impl Event {
    /// The event's attempt, if there is one.
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
