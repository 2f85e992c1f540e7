//! The decision function: `(state, fact) → events`, or a refusal.

use thiserror::Error;

use super::attempt::{Attempt, CloseReason, Handoff, Progress, Refs, Stage};
use super::book::Movement;
use super::fact::{Event, Fact, News, Observation};
use super::{Payment, Status};
use crate::Millis;
use crate::id::AttemptId;
use crate::money::Money;

/// Why a fact changes nothing.
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
    /// The attempt is not of this payment.
    #[error("attempt {0} is not part of this payment")]
    NoSuchAttempt(AttemptId),
    /// The attempt cannot be closed now: its outcome is not known yet.
    #[error("attempt {0} cannot be closed now")]
    InProgress(AttemptId),
    /// The provider speaks of another amount or currency than the debt.
    #[error("the provider reports {got}, the payment is {expected}")]
    Mismatch {
        /// The debt.
        expected: Money,
        /// What the provider said, in words.
        got: String,
    },
    /// The provider's references are those of another object.
    #[error("the provider's references contradict those of attempt {0}")]
    Contradiction(AttemptId),
}

/// What follows from a fact. No events means that it says nothing new.
pub fn decide(payment: &Payment, fact: &Fact) -> Result<Vec<Event>, Refusal> {
    match fact {
        Fact::Start(attempt) => start(payment, attempt),
        Fact::Opened { attempt, refs, handoff, until } => {
            opened(payment, find(payment, attempt)?, refs, handoff, *until)
        }
        Fact::NotOpened { attempt, reason } => Ok(not_opened(find(payment, attempt)?, *reason)),
        Fact::Unanswered { attempt } => Ok(unanswered(find(payment, attempt)?)),
        Fact::CloseRequested { attempt, reason } => close(find(payment, attempt)?, *reason),
        Fact::Observed { attempt, observation } => observed(payment, find(payment, attempt)?, observation),
        Fact::Cancel => cancel(payment),
    }
}

fn find<'a>(payment: &'a Payment, id: &AttemptId) -> Result<&'a Attempt, Refusal> {
    payment.attempt(id).ok_or_else(|| Refusal::NoSuchAttempt(id.clone()))
}

fn staged(attempt: &Attempt, stage: Stage) -> Event {
    Event::Staged { attempt: attempt.id.clone(), stage }
}

fn start(payment: &Payment, attempt: &Attempt) -> Result<Vec<Event>, Refusal> {
    if payment.status().is_settled() {
        return Err(Refusal::Settled);
    }
    if payment.canceled {
        return Err(Refusal::Canceled);
    }
    if let Some(live) = payment.live() {
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
        // It has been paid or called off meanwhile: nobody may pay on this page.
        Stage::Opening | Stage::Unknown if payment.status().is_settled() || payment.canceled => {
            vec![known, staged(attempt, Stage::Closing(CloseReason::Superseded))]
        }
        Stage::Opening | Stage::Unknown => vec![known, staged(attempt, Stage::Open)],
        Stage::Open if attempt.handoff.is_some() => vec![],
        _ => vec![known],
    })
}

fn not_opened(attempt: &Attempt, reason: CloseReason) -> Vec<Event> {
    match attempt.stage {
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

fn close(attempt: &Attempt, reason: CloseReason) -> Result<Vec<Event>, Refusal> {
    match attempt.stage {
        Stage::Closing(_) | Stage::Closed(_) => Ok(vec![]),
        Stage::Open if !attempt.is_processing() => Ok(vec![staged(attempt, Stage::Closing(reason))]),
        _ => Err(Refusal::InProgress(attempt.id.clone())),
    }
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

fn observed(payment: &Payment, attempt: &Attempt, observation: &Observation) -> Result<Vec<Event>, Refusal> {
    check_money(payment, observation)?;
    if attempt.refs.contradicts(&observation.refs) {
        return Err(Refusal::Contradiction(attempt.id.clone()));
    }
    let mut seen = Observer { attempt: attempt.clone(), events: vec![] };
    seen.learn(&observation.refs);
    for news in &observation.news {
        seen.take(news, observation.at);
    }
    if seen.has_news_of_money(attempt) {
        seen.settle(payment);
    }
    Ok(seen.events)
}

/// The provider must speak of the same amount, and of the same currency in everything it says.
fn check_money(payment: &Payment, observation: &Observation) -> Result<(), Refusal> {
    let mismatch = |got: String| Err(Refusal::Mismatch { expected: payment.amount, got });
    if let Some(debt) = observation.debt
        && debt != payment.amount
    {
        return mismatch(debt.to_string());
    }
    let currency = observation.currency.or(observation.debt.map(|debt| debt.currency));
    let moves = observation.news.iter().any(|news| matches!(news, News::Moved(_)));
    match currency {
        Some(currency) if currency != payment.amount.currency => mismatch(format!("an amount in {currency}")),
        None if moves => mismatch("an amount without a currency".to_owned()),
        _ => Ok(()),
    }
}

/// Takes one observation in, item by item, and writes down what was new.
struct Observer {
    attempt: Attempt,
    events: Vec<Event>,
}

impl Observer {
    fn learn(&mut self, refs: &Refs) {
        let mut joined = self.attempt.refs.clone();
        joined.join(refs);
        if joined != self.attempt.refs {
            self.attempt.refs = joined;
            let attempt = self.attempt.id.clone();
            self.events.push(Event::Known { attempt, refs: refs.clone(), handoff: None, until: None });
        }
    }

    fn take(&mut self, news: &News, at: Millis) {
        let attempt = self.attempt.id.clone();
        match news {
            News::Step(step) => {
                let progress = Progress { at, step: step.clone() };
                // The same said again, as by every fetch of a page still open, is no news.
                let repeated = self.attempt.progress.as_ref().is_some_and(|known| known.step == progress.step);
                if !repeated && self.attempt.progress.as_ref() < Some(&progress) {
                    self.attempt.progress = Some(progress.clone());
                    self.events.push(Event::Progressed { attempt, progress });
                }
            }
            News::Moved(movement) => {
                if self.attempt.book.join(movement) {
                    self.events.push(Event::Moved { attempt, movement: movement.clone() });
                }
            }
            News::Closed(reason) => {
                // The reason for which we asked to close it says more than the provider's "expired".
                let reason = match self.attempt.stage {
                    Stage::Closed(_) => return,
                    Stage::Closing(asked) => asked,
                    _ => *reason,
                };
                self.stage(Stage::Closed(reason));
            }
        }
    }

    fn stage(&mut self, stage: Stage) {
        if self.attempt.stage != stage {
            self.attempt.stage = stage;
            self.events.push(staged(&self.attempt, stage));
        }
    }

    fn has_news_of_money(&self, before: &Attempt) -> bool {
        self.attempt.has_money() && !before.has_money()
    }

    /// The attempt has just succeeded: it is closed, a success of another attempt is pointed out, and an attempt that is
    /// still live elsewhere is to be closed.
    fn settle(&mut self, payment: &Payment) {
        self.stage(Stage::Closed(CloseReason::Succeeded));
        let others = || payment.attempts.iter().filter(|other| other.id != self.attempt.id);
        if others().any(Attempt::has_money) {
            self.events.push(Event::SecondSuccess { attempt: self.attempt.id.clone() });
        }
        let superseded = others().filter_map(|other| close(other, CloseReason::Superseded).ok()).flatten();
        self.events.extend(superseded.collect::<Vec<_>>());
    }
}

impl Payment {
    /// Decides and applies in one step: the events, with the payment already changed by them.
    pub fn handle(&mut self, fact: &Fact) -> Result<Vec<Event>, Refusal> {
        let events = decide(self, fact)?;
        for event in &events {
            self.apply(event);
        }
        debug_assert!(self.attempts.iter().filter(|attempt| attempt.is_live()).count() <= 1);
        debug_assert!(!matches!(self.status(), Status::Unknown) || self.live().is_some());
        Ok(events)
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
mod tests;
