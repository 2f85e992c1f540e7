//! Decides about captures, voids and refunds.

use super::attempt::Attempt;
use super::book::{EntryState, Movement};
use super::decide::Refusal;
use super::fact::{Answer, Event, Limits};
use super::modification::{MODIFICATIONS_MAX, Modification, ModificationKind, Outcome};
use super::refusal::{NotNow, Taking};
use crate::id::ModificationId;
use crate::money::Money;
use crate::mutant::{self, Mutant};

/// Decides about a new modification: the event that stores it, if the attempt allows it. The amounts of earlier modifications count as
/// gone, whether or not the provider has answered: of two refunds of 60 on 100 the second is refused.
pub(super) fn modify(attempt: &Attempt, new: &Modification, limits: Limits) -> Result<Vec<Event>, Refusal> {
    if attempt.modification(&new.id).is_some() {
        return Ok(vec![]);
    }
    if attempt.modifications.len() >= MODIFICATIONS_MAX {
        return Err(NotNow::TooMany.into());
    }
    match new.kind {
        ModificationKind::Capture { amount, last } => capture(attempt, amount, last, limits)?,
        ModificationKind::Void => void(attempt)?,
        ModificationKind::Refund { amount } => refund(attempt, amount, limits)?,
    }
    let is_refund = matches!(new.kind, ModificationKind::Refund { .. });
    let modification = Modification { capture: only_capture(attempt).filter(|_| is_refund), ..new.clone() };
    Ok(vec![Event::Modifying { attempt: attempt.id.clone(), modification: Box::new(modification) }])
}

/// The provider's reference of the only capture that was done.
fn only_capture(attempt: &Attempt) -> Option<String> {
    let mut done = attempt.book.captures.iter().filter(|(_, entry)| entry.state == EntryState::Succeeded);
    let (reference, entry) = done.next()?;
    (done.next().is_none() && entry.amount == attempt.book.captured_net()).then(|| reference.clone())
}

fn capture(attempt: &Attempt, amount: i64, last: bool, limits: Limits) -> Result<(), Refusal> {
    if has_open(attempt, |kind| matches!(kind, ModificationKind::Void)) {
        return Err(NotNow::Voiding.into());
    }
    let (ended, begun) = captures(attempt);
    if let Some(open) = open_capture(attempt).filter(|_| ended || !limits.multi_capture) {
        return Err(NotNow::CaptureOpen(open).into());
    }
    if ended || (begun && !limits.multi_capture) {
        return Err(NotNow::Captured.into());
    }
    if amount < attempt.book.authorised && !limits.partial_capture {
        return Err(NotNow::WholeCaptureOnly.into());
    }
    if amount < attempt.book.authorised && !last && !limits.multi_capture {
        return Err(NotNow::OneCaptureOnly.into());
    }
    enough(attempt, Taking::Capture, amount, attempt.capturable())
}

/// Whether a capture releases the rest of the authorisation, and whether there is a capture that did not fail.
fn captures(attempt: &Attempt) -> (bool, bool) {
    let standing = attempt.modifications.iter().filter(|known| known.outcome(&attempt.book) != Outcome::Failed);
    let (mut ended, mut begun) = (false, attempt.book.captured_net() > 0);
    for known in standing {
        if let ModificationKind::Capture { last, .. } = known.kind {
            (ended, begun) = (ended || last, true);
        }
    }
    (ended, begun)
}

/// The result so far of a capture that was requested and is still open.
fn open_capture(attempt: &Attempt) -> Option<Outcome> {
    let capture = |open: &&Modification| matches!(open.kind, ModificationKind::Capture { .. });
    Some(attempt.under_way().find(capture)?.outcome(&attempt.book))
}

fn void(attempt: &Attempt) -> Result<(), Refusal> {
    if attempt.book.voided || has_open(attempt, |kind| matches!(kind, ModificationKind::Void)) {
        return Err(NotNow::Voided.into());
    }
    let taken = attempt.book.captured_net() > 0;
    if mutant::on(Mutant::VoidDuringCapture) && !taken {
        return Ok(());
    }
    if taken {
        return Err(NotNow::RefundInstead.into());
    }
    if let Some(open) = open_capture(attempt) {
        return Err(NotNow::CaptureOpen(open).into());
    }
    if captures(attempt).1 || attempt.book.captures_in(EntryState::Pending) > 0 {
        return Err(NotNow::Capturing.into());
    }
    if attempt.book.authorised == 0 {
        return Err(NotNow::NothingAuthorised.into());
    }
    Ok(())
}

fn refund(attempt: &Attempt, amount: i64, limits: Limits) -> Result<(), Refusal> {
    if amount < attempt.book.captured_net() && !limits.partial_refund {
        return Err(NotNow::WholeRefundOnly.into());
    }
    enough(attempt, Taking::Refund, amount, attempt.refundable())
}

fn enough(attempt: &Attempt, what: Taking, amount: i64, left: i64) -> Result<(), Refusal> {
    let money = |minor| Money::new(minor, attempt.amount.currency);
    if amount <= 0 {
        return Err(NotNow::NotPositive.into());
    }
    if amount > left {
        return Err(Refusal::TooMuch { what, asked: money(amount), left: money(left) });
    }
    Ok(())
}

fn has_open(attempt: &Attempt, which: impl Fn(&ModificationKind) -> bool) -> bool {
    attempt.under_way().any(|open| which(&open.kind))
}

/// Decides about a provider's answer. An answer that comes after the result, or after a better answer, changes nothing.
pub(super) fn answered(attempt: &Attempt, id: &ModificationId, answer: &Answer) -> Result<Vec<Event>, Refusal> {
    let known = attempt.modification(id).ok_or(NotNow::NoSuchModification)?;
    let open = matches!(known.outcome(&attempt.book), Outcome::Requested | Outcome::Unknown);
    if !open || known.stage == answer.stage() {
        return Ok(vec![]);
    }
    let event = Event::Answered { attempt: attempt.id.clone(), modification: id.clone(), answer: answer.clone() };
    let mut events = vec![event];
    if let Answer::Accepted { reference: Some(reference) } = answer {
        let (reference, state) = (reference.clone(), EntryState::Pending);
        let movement = match known.kind {
            ModificationKind::Capture { amount, .. } => Some(Movement::Capture { reference, amount, state }),
            ModificationKind::Refund { amount } => Some(Movement::Refund { reference, amount, state }),
            ModificationKind::Void => None,
        };
        let mut book = attempt.book.clone();
        let news = movement.filter(|movement| book.join(movement));
        events.extend(news.map(|movement| Event::Moved { attempt: attempt.id.clone(), movement }));
    }
    Ok(events)
}

/// The most characters of a provider's reason that are kept.
const REASON_CHARS_MAX: usize = 200;

/// A provider's reason as the payment stores it: bounded, and without characters that a terminal obeys.
pub(super) fn plain_reason(reason: &str) -> String {
    reason.chars().filter(|character| !character.is_control()).take(REASON_CHARS_MAX).collect()
}

impl Attempt {
    /// Folds the reason of a failure into the state.
    pub(super) fn explained(&mut self, id: &ModificationId, reason: &str) {
        if let Some(known) = self.modifications.iter_mut().find(|known| known.id == *id) {
            known.explanation = Some(reason.to_owned());
        }
    }

    /// Folds an answer into the state.
    pub(super) fn answered(&mut self, id: &ModificationId, answer: &Answer) {
        if let Some(known) = self.modifications.iter_mut().find(|known| known.id == *id) {
            if !(matches!(answer, Answer::Refused { .. }) && mutant::on(Mutant::RefusedStaysReserved)) {
                known.stage = answer.stage();
            }
            if let Answer::Accepted { reference: Some(reference) } = answer {
                known.reference.get_or_insert_with(|| reference.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
