//! Decides about a provider's reports.

use super::attempt::{Attempt, CloseReason, Progress, Stage};
use super::book::Movement;
use super::decide::{Refusal, close, staged};
use super::fact::{Answer, Event, News, Observation};
use super::modification::{Modification, ModificationStage};
use super::modify::plain_reason;
use super::{Payment, Refs};
use crate::mutant::{self, Mutant};

pub(super) fn observed(payment: &Payment, attempt: &Attempt, observation: &Observation) -> Result<Vec<Event>, Refusal> {
    if !mutant::on(Mutant::MismatchApplied) {
        check_money(payment, observation)?;
    }
    if matches!(attempt.stage, Stage::Closed(_)) && mutant::on(Mutant::LateSuccessDropped) {
        return Ok(vec![]);
    }
    if attempt.refs.contradicts(&observation.refs) {
        return Err(Refusal::Contradiction(attempt.id.clone()));
    }
    let mut seen = Observer { attempt: attempt.clone(), events: vec![] };
    seen.learn(&observation.refs);
    seen.link(observation);
    for news in &observation.news {
        seen.take(news, observation);
    }
    if seen.attempt.has_money() && !attempt.has_money() {
        seen.settle(payment);
    } else if seen.attempt.is_released() && seen.attempt.is_live() {
        // The attempt was authorised and released before Till learned of either.
        seen.stage(Stage::Closed(CloseReason::Succeeded));
    }
    seen.reorder(payment);
    seen.emerge(payment, observation);
    seen.withdraw(payment);
    Ok(seen.events)
}

/// Checks that the provider reports the payment's amount, and its currency for every movement.
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

/// Applies one observation to an attempt, item by item, and collects an event for each new item.
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

    /// Links a modification to the provider's reference. A provider that repeats Till's reference has accepted the modification, even if
    /// its answer was lost.
    fn link(&mut self, observation: &Observation) {
        let Some(known) = observation.modification.as_ref().and_then(|id| self.attempt.modification(id)) else {
            return;
        };
        let reference = observation.news.iter().find_map(reference_of);
        let told =
            matches!(known.stage, ModificationStage::Accepted) && (known.reference.is_some() || reference.is_none());
        let refuses = observation.news.iter().any(|news| matches!(news, News::NotModified { .. }));
        if !told && !refuses {
            let (attempt, modification) = (self.attempt.id.clone(), known.id.clone());
            let answer = Answer::Accepted { reference };
            self.attempt.answered(&modification, &answer);
            self.events.push(Event::Answered { attempt, modification, answer });
        }
    }

    fn take(&mut self, news: &News, observation: &Observation) {
        let (attempt, at) = (self.attempt.id.clone(), observation.at);
        match news {
            News::Step(step) => {
                let progress = Progress { at, step: step.clone() };
                // A repeated step is no news: every fetch of an open page repeats it.
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
                // The reason of Till's own request to close says more than the provider's "expired".
                let reason = match self.attempt.stage {
                    Stage::Closed(_) => return,
                    Stage::Closing(asked) => asked,
                    _ => *reason,
                };
                self.stage(Stage::Closed(reason));
            }
            News::NotModified { reason } => self.not_modified(observation, reason),
            News::Explained { reason } => self.explain(observation, reason),
        }
    }

    fn not_modified(&mut self, observation: &Observation, reason: &str) {
        let Some(known) = observation.modification.as_ref().and_then(|id| self.attempt.modification(id)) else {
            return;
        };
        if !known.outcome(&self.attempt.book).is_open() {
            return;
        }
        let (attempt, modification) = (self.attempt.id.clone(), known.id.clone());
        let answer = Answer::Refused { reason: reason.to_owned() };
        self.attempt.answered(&modification, &answer);
        self.events.push(Event::Answered { attempt, modification, answer });
    }

    /// Keeps the reason with the modification whose failure it explains. A refund that was made at the provider has no modification in
    /// Till.
    fn explain(&mut self, observation: &Observation, reason: &str) {
        let reference = observation.news.iter().find_map(reference_of);
        let ours = observation.modification.as_ref().and_then(|id| self.attempt.modification(id));
        let known = ours.or_else(|| {
            let same = |known: &&Modification| known.reference.is_some() && known.reference == reference;
            self.attempt.modifications.iter().find(same)
        });
        let reason = plain_reason(reason);
        let Some(known) = known.filter(|known| !reason.is_empty() && known.explanation.as_ref() != Some(&reason))
        else {
            return;
        };
        let (attempt, modification) = (self.attempt.id.clone(), known.id.clone());
        self.attempt.explained(&modification, &reason);
        self.events.push(Event::Explained { attempt, modification, reason });
    }

    fn stage(&mut self, stage: Stage) {
        if self.attempt.stage != stage {
            self.attempt.stage = stage;
            self.events.push(staged(&self.attempt, stage));
        }
    }

    /// Settles an unanswered opening: if the provider now names the attempt's page, the attempt was opened. A page that is not needed any
    /// more is closed.
    fn emerge(&mut self, payment: &Payment, observation: &Observation) {
        if self.attempt.stage == Stage::Unknown && observation.refs.session.is_some() {
            let unwanted = payment.canceled || payment.status().is_settled();
            self.stage(if unwanted { Stage::Closing(CloseReason::Superseded) } else { Stage::Open });
        }
    }

    /// Closes a page that is not needed any more and could not be closed while a payment was under way on it. Once that payment has failed,
    /// the page could be paid again.
    fn withdraw(&mut self, payment: &Payment) {
        let unwanted = payment.canceled || payment.status().is_settled();
        if unwanted && self.attempt.stage == Stage::Open && !self.attempt.is_processing() {
            self.stage(Stage::Closing(CloseReason::Superseded));
        }
    }

    /// Handles an attempt that has just succeeded. The attempt is closed. It is marked as a second success if another attempt has money or
    /// the debt was called off. An attempt that is still live elsewhere is to be closed.
    fn settle(&mut self, payment: &Payment) {
        self.stage(Stage::Closed(CloseReason::Succeeded));
        let others = || payment.attempts.iter().filter(|other| other.id != self.attempt.id);
        let second = payment.canceled || others().any(Attempt::has_money);
        if second && !mutant::on(Mutant::SecondSuccessUnnoticed) {
            self.attempt.second = true;
            self.events.push(Event::SecondSuccess { attempt: self.attempt.id.clone() });
        }
        let superseded = others().filter_map(|other| close(other, CloseReason::Superseded).ok()).flatten();
        self.events.extend(superseded.collect::<Vec<_>>());
    }
}

impl Observer {
    /// Lets captured money pay the debt: where the attempt that was owed is only authorised and a second one has been captured, the two
    /// change places. Money that has gone back, or is requested back, pays nothing.
    fn reorder(&mut self, payment: &Payment) {
        if payment.canceled || payment.attempts.len() < 2 {
            return;
        }
        let after = || payment.attempts.iter().map(|one| if one.id == self.attempt.id { &self.attempt } else { one });
        let captured = |one: &&Attempt| one.book.captured_net() > 0;
        if after().filter(|one| !one.second).any(|one| captured(&one)) {
            return;
        }
        let there = |one: &&Attempt| one.book.gone() == 0 && one.asked_back() == 0;
        let Some(pays) = after().filter(|one| one.second).find(|one| captured(one) && there(one)) else { return };
        let authorised: Vec<_> =
            after().filter(|one| !one.second && one.has_money()).map(|one| one.id.clone()).collect();
        if !authorised.is_empty() {
            let pays = Event::Owed { attempt: pays.id.clone() };
            self.events.extend(authorised.into_iter().map(|attempt| Event::SecondSuccess { attempt }).chain([pays]));
        }
    }
}

fn reference_of(news: &News) -> Option<String> {
    match news {
        News::Moved(Movement::Capture { reference, .. } | Movement::Refund { reference, .. }) => {
            Some(reference.clone())
        }
        _ => None,
    }
}
