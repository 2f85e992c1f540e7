//! What can happen to a payment, and what follows from it.

use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, CloseReason, Handoff, Progress, Refs, Stage, Step};
use super::book::Movement;
use crate::Millis;
use crate::id::AttemptId;
use crate::money::Money;

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
}

/// What a provider said about one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Observation {
    /// When, by the provider's clock.
    pub at: Millis,
    /// The references it used.
    pub refs: Refs,
    /// The whole amount of the payment as the provider has it. It must equal the debt.
    pub debt: Option<Money>,
    /// The currency of every amount in `news`, where `debt` does not say it.
    pub currency: Option<crate::currency::Currency>,
    /// What it said.
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
    /// An attempt succeeded although another had already settled the debt.
    SecondSuccess {
        /// Which.
        attempt: AttemptId,
    },
    /// The merchant called the payment off.
    Canceled,
}

impl Event {
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
            Event::Canceled => "canceled",
        }
    }
}
