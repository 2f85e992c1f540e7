//! The decision function: `(state, fact) → events`, or a refusal.

use thiserror::Error;

use super::attempt::{Attempt, CloseReason, Refs, Stage};
use super::book::Movement;
use super::fact::{Event, Fact, Observation};
use super::handoff::Handoff;
use super::refusal::{NotNow, Taking};
use super::{Breach, Claim, Payment, breach, modify, observe};
use crate::Millis;
use crate::id::AttemptId;
use crate::money::Money;
use crate::mutant::{self, Mutant};

/// The reason why a fact is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The debt is settled.
    #[error("the payment has already succeeded")]
    Settled,
    /// The merchant called the payment off.
    #[error("the payment was canceled")]
    Canceled,
    /// Another attempt can still move money.
    #[error("attempt {0} is still live")]
    Live(AttemptId),
    /// The attempt does not belong to this payment.
    #[error("attempt {0} is not part of this payment")]
    NoSuchAttempt(AttemptId),
    /// The attempt cannot be closed now: its outcome is not known yet.
    #[error("attempt {0} cannot be closed now")]
    InProgress(AttemptId),
    /// The provider reports another amount or currency than the debt's.
    #[error("the provider reports {got}, the payment is {expected}")]
    Mismatch {
        /// The debt.
        expected: Money,
        /// The provider's amount, as text.
        got: String,
    },
    /// The provider's references are those of another object.
    #[error("the provider's references contradict those of attempt {0}")]
    Contradiction(AttemptId),
    /// The request exceeds the amount that is left.
    #[error("{asked} was asked for, but only {left} can be {}", .what.participle())]
    TooMuch {
        /// The request.
        what: Taking,
        /// The amount requested.
        asked: Money,
        /// The amount left.
        left: Money,
    },
    /// The present state does not allow the fact.
    #[error(transparent)]
    NotNow(#[from] NotNow),
    /// The events that follow would break a rule that protects money.
    #[error("refused, because a rule that protects money would be broken: {0}")]
    Breach(#[from] Breach),
}

/// The events that follow from a fact. No events means that the fact is known already.
pub fn decide(payment: &Payment, fact: &Fact) -> Result<Vec<Event>, Refusal> {
    match fact {
        Fact::Start(attempt) => start(payment, attempt),
        Fact::Opened { attempt, refs, handoff, until } => {
            opened(payment, find(payment, attempt)?, refs, handoff, *until)
        }
        Fact::NotOpened { attempt, reason } => Ok(not_opened(find(payment, attempt)?, *reason)),
        Fact::Unanswered { attempt } => Ok(unanswered(find(payment, attempt)?)),
        Fact::CloseRequested { attempt, reason } => close(find(payment, attempt)?, *reason),
        Fact::Observed { attempt, observation } => observe::observed(payment, find(payment, attempt)?, observation),
        Fact::Cancel => cancel(payment),
        Fact::Modify { attempt, modification, limits } => {
            modify::modify(find(payment, attempt)?, modification, *limits)
        }
        Fact::Answered { attempt, modification, answer } => {
            modify::answered(find(payment, attempt)?, modification, answer)
        }
        Fact::Keep => Ok(keep(payment)),
        Fact::Twin { attempt, observation } => twin(payment, attempt, observation),
    }
}

fn find<'a>(payment: &'a Payment, id: &AttemptId) -> Result<&'a Attempt, Refusal> {
    payment.attempt(id).ok_or_else(|| Refusal::NoSuchAttempt(id.clone()))
}

pub(super) fn staged(attempt: &Attempt, stage: Stage) -> Event {
    Event::Staged { attempt: attempt.id.clone(), stage }
}

fn start(payment: &Payment, attempt: &Attempt) -> Result<Vec<Event>, Refusal> {
    if payment.status().is_settled() {
        return Err(Refusal::Settled);
    }
    if payment.is_called_off() {
        return Err(Refusal::Canceled);
    }
    if payment.is_overdrawn() {
        return Err(NotNow::Overdrawn.into());
    }
    let forgets = |live: &Attempt| live.stage == Stage::Unknown && mutant::on(Mutant::StartWhileUnknown);
    if let Some(live) = payment.live().filter(|live| !forgets(live)) {
        return Err(Refusal::Live(live.id.clone()));
    }
    if attempt.amount != payment.amount {
        return Err(Refusal::Mismatch { expected: payment.amount, got: attempt.amount.to_string() });
    }
    Ok(vec![Event::Started { attempt: Box::new(attempt.clone()) }])
}

fn opened(
    payment: &Payment,
    attempt: &Attempt,
    refs: &Refs,
    handoff: &Handoff,
    until: Option<Millis>,
) -> Result<Vec<Event>, Refusal> {
    if attempt.refs.contradicts(refs) {
        return Err(Refusal::Contradiction(attempt.id.clone()));
    }
    let known = Event::Known { attempt: attempt.id.clone(), refs: refs.clone(), handoff: Some(handoff.clone()), until };
    Ok(match attempt.stage {
        // The debt was settled or called off meanwhile, so no shopper may pay on this page.
        Stage::Opening | Stage::Unknown
            if (payment.status().is_settled() || payment.canceled) && !mutant::on(Mutant::OpenedAfterSettledStays) =>
        {
            vec![known, staged(attempt, Stage::Closing(CloseReason::Superseded))]
        }
        Stage::Opening | Stage::Unknown => vec![known, staged(attempt, Stage::Open)],
        Stage::Open if attempt.handoff.is_some() => vec![],
        _ => vec![known],
    })
}

fn not_opened(attempt: &Attempt, reason: CloseReason) -> Vec<Event> {
    match attempt.stage {
        // A failed connection proves nothing about another request that was sent meanwhile.
        Stage::Unknown if reason == CloseReason::Unreachable => vec![],
        Stage::Opening | Stage::Unknown => vec![staged(attempt, Stage::Closed(reason))],
        _ => vec![],
    }
}

fn unanswered(attempt: &Attempt) -> Vec<Event> {
    match attempt.stage {
        Stage::Opening => vec![staged(attempt, Stage::Unknown)],
        _ => vec![],
    }
}

pub(super) fn close(attempt: &Attempt, reason: CloseReason) -> Result<Vec<Event>, Refusal> {
    match attempt.stage {
        Stage::Closing(_) | Stage::Closed(_) => Ok(vec![]),
        Stage::Open if mutant::on(Mutant::ClosedWithoutAsking) => Ok(vec![staged(attempt, Stage::Closed(reason))]),
        Stage::Open if !attempt.is_processing() => Ok(vec![staged(attempt, Stage::Closing(reason))]),
        _ => Err(Refusal::InProgress(attempt.id.clone())),
    }
}

fn twin(payment: &Payment, attempt: &Attempt, observation: &Observation) -> Result<Vec<Event>, Refusal> {
    if attempt.is_live() || payment.attempt(&attempt.id).is_some() {
        return Err(NotNow::NoTwin.into());
    }
    let mut with = payment.clone();
    let started = Event::Started { attempt: Box::new(attempt.clone()) };
    with.apply(&started);
    let events = observe::observed(&with, attempt, observation)?;
    Ok(std::iter::once(started).chain(events).collect())
}

fn keep(payment: &Payment) -> Vec<Event> {
    let kept = |claim: Claim<'_>| {
        // Money that is being sent back is not kept.
        let amount = claim.surplus().saturating_sub(claim.attempt.asked_back());
        (amount > 0).then(|| Event::Kept { attempt: claim.attempt.id.clone(), amount })
    };
    payment.claims().filter_map(kept).collect()
}

fn cancel(payment: &Payment) -> Result<Vec<Event>, Refusal> {
    if payment.status().is_settled() {
        return Err(Refusal::Settled);
    }
    if payment.canceled {
        return Ok(vec![]);
    }
    let mut events = match payment.live() {
        Some(live) => close(live, CloseReason::Cancelled)?,
        None => vec![],
    };
    events.push(Event::Canceled);
    Ok(events)
}

impl Payment {
    /// Decides about a fact, applies the events to the payment and returns them.
    ///
    /// # Errors
    /// The fact is refused, or its events would break a rule. The payment is unchanged then.
    pub fn handle(&mut self, fact: &Fact) -> Result<Vec<Event>, Refusal> {
        let (after, events) = self.next(fact)?;
        *self = after;
        Ok(events)
    }

    /// The payment after a fact, and the events of the change.
    ///
    /// # Errors
    /// The fact is refused, or its events would break a rule.
    pub fn next(&self, fact: &Fact) -> Result<(Payment, Vec<Event>), Refusal> {
        let events = decide(self, fact)?;
        let mut after = self.clone();
        if !events.is_empty() {
            events.iter().for_each(|event| after.apply(event));
            breach::check(self, fact, &after)?;
        }
        Ok((after, events))
    }
}

impl Event {
    /// Whether the event moved money.
    #[must_use]
    pub fn moves_money(&self) -> bool {
        matches!(self, Event::Moved { movement, .. } if *movement != Movement::Voided)
    }
}

#[cfg(test)]
pub(crate) mod tests;
