//! The consequences of a payment's change, written with the change.

use domain::id::{AttemptId, ProviderAccountId};
use domain::payment::{Answer, Attempt, EntryState, Event, Movement, Payment, Stage};
use domain::{MINUTE, Millis, SECOND};

use super::changes::{AlertChange, Changes};
use crate::context::Context;
use crate::store::inbox;
use crate::store::requests::KeyRow;
use crate::work::{Kind, modification_subject};

/// How long the request that opens an attempt may take before a job takes over.
pub(crate) const OPEN_GRACE: Millis = 30 * SECOND;
/// How soon an unanswered request is repeated.
const UNKNOWN_RETRY: Millis = 2 * SECOND;
/// How long webhooks may be silent before the provider is asked for the first time.
const FIRST_CHECK: Millis = MINUTE;

/// How long a missing delivery may take to arrive. Providers repeat a delivery that was not acknowledged within minutes.
const OVERDRAWN_GRACE: Millis = 10 * MINUTE;

/// One fact's consequences for one payment.
pub(super) struct Step<'a> {
    pub before: &'a Payment,
    pub after: &'a Payment,
    pub events: &'a [Event],
    /// The number of the last of the events. The step's ledger entries are posted under this number.
    pub seq: i64,
    /// The number of the newest event for the merchant before this step.
    pub told: i64,
    /// Whether real money moves.
    pub live: bool,
    /// The source of the fact.
    pub source: &'static str,
    /// The actor, as stored.
    pub actor: &'a str,
    pub now: Millis,
}

impl Step<'_> {
    /// The account an attempt was made with.
    fn account(&self, attempt: &AttemptId) -> Option<&ProviderAccountId> {
        self.after.attempt(attempt).map(|attempt| &attempt.account)
    }
}

/// Gathers the rows that follow from a step. No I/O: the rows are written with the whole batch. Returns the number of events for the
/// merchant.
pub(super) fn follow_up(context: &Context, step: &Step<'_>, changes: &mut Changes) -> i64 {
    let told = domain::payment::told(step.before, step.after);
    let told = super::movements::events(context, step, told);
    let heard = i64::try_from(told.len()).unwrap_or(i64::MAX);
    changes.told.extend(told);
    for event in step.events {
        jobs(context, step, event, changes);
    }
    // A refund that was not answered and then failed leaves the surplus as it was, but no request sends the surplus back any more.
    let anew = step.after.wanted_back().is_some() && step.before.wanted_back().is_none();
    let fallen = super::fallen::alerts(step);
    let stuck = fallen.iter().any(|(kind, ..)| *kind == "surplus_stuck");
    if anew || stuck || step.after.surplus() > step.before.surplus() {
        let account = step.after.wanted_back().map(|(attempt, _)| &attempt.account);
        changes.enqueue(context, Kind::Surplus, account, step.after.id.as_str(), step.now);
    }
    overdrawn(context, step, changes);
    let id = || step.after.id.clone();
    if step.after.status().is_settled() {
        changes.settled.insert(id());
        changes.reopened.remove(&id());
    } else if step.before.status().is_settled() && !step.after.is_called_off() {
        changes.settled.remove(&id());
        changes.reopened.insert(id());
    }
    changes.alerts.extend(fallen.into_iter().map(|(kind, subject, detail)| AlertChange::Raise {
        kind,
        subject,
        detail,
    }));
    let risen = super::risen::alerts(step);
    changes.alerts.extend(risen.into_iter().map(|(kind, subject)| AlertChange::Close { kind, subject }));
    changes.alerts.extend(super::disputes::alerts(step));
    newly_known(step, changes);
    heard
}

fn jobs(context: &Context, step: &Step<'_>, event: &Event, changes: &mut Changes) {
    let now = step.now;
    match event {
        Event::Started { attempt } => {
            changes.enqueue(context, Kind::Open, Some(&attempt.account), attempt.id.as_str(), now + OPEN_GRACE);
            changes.begun.push(attempt.session.clone());
        }
        Event::Staged { attempt, stage } => match stage {
            Stage::Closed(_) => closed(step, attempt, changes),
            Stage::Unknown => {
                changes.enqueue(context, Kind::Open, step.account(attempt), attempt.as_str(), now + UNKNOWN_RETRY)
            }
            Stage::Open => {
                changes.enqueue(context, Kind::Check, step.account(attempt), attempt.as_str(), now + FIRST_CHECK)
            }
            Stage::Closing(_) => changes.enqueue(context, Kind::Close, step.account(attempt), attempt.as_str(), now),
            Stage::Opening => {}
        },
        Event::SecondSuccess { attempt } => {
            let detail = format!("payment {} was paid although nothing was owed any more", step.after.id);
            let (kind, subject) = ("second_success", attempt.to_string());
            changes.alerts.push(AlertChange::Raise { kind, subject, detail });
            changes.enqueue(context, Kind::Surplus, step.account(attempt), step.after.id.as_str(), now);
        }
        Event::Modifying { attempt, modification } => {
            let subject = modification_subject(attempt, &modification.id);
            changes.enqueue(context, Kind::Modify, step.account(attempt), &subject, now + OPEN_GRACE);
            changes.keys.extend(modification.key.clone().map(|key| KeyRow {
                merchant: step.after.merchant.clone(),
                live: step.live,
                key,
                payment: step.after.id.clone(),
                attempt: attempt.clone(),
                modification: modification.id.clone(),
            }));
        }
        Event::Answered { attempt, modification, answer } => {
            let wait = if *answer == Answer::Unanswered { UNKNOWN_RETRY } else { FIRST_CHECK };
            let subject = modification_subject(attempt, modification);
            changes.enqueue(context, Kind::Modify, step.account(attempt), &subject, now + wait);
        }
        Event::Moved { attempt, movement: Movement::Refund { reference, .. } } => {
            done_after_all(step, attempt, reference, changes);
        }
        _ => {}
    }
}

/// Enqueues a look at an attempt of which more has gone back than it took, and removes the look once the amounts are right.
fn overdrawn(context: &Context, step: &Step<'_>, changes: &mut Changes) {
    for attempt in &step.after.attempts {
        let (now, before) = (attempt.overdrawn(), step.before.attempt(&attempt.id).map_or(0, Attempt::overdrawn));
        let (kind, subject) = (Kind::Overdrawn, attempt.id.as_str());
        if now > before {
            changes.enqueue(context, kind, None, subject, step.now + OVERDRAWN_GRACE);
        } else if now == 0 && before > 0 {
            changes.spare(kind, subject);
        }
    }
}

/// Raises an alert about a refund that was done although the provider had turned it down: the refund may have been asked for again
/// meanwhile.
fn done_after_all(step: &Step<'_>, attempt: &AttemptId, reference: &str, changes: &mut Changes) {
    let state_in = |payment: &Payment| Some(payment.attempt(attempt)?.book.refunds.get(reference)?.state);
    if (state_in(step.before), state_in(step.after)) == (Some(EntryState::Refused), Some(EntryState::Succeeded)) {
        let detail =
            format!("payment {}: refund {reference} was turned down, and has been done after all", step.after.id);
        let (kind, subject) = ("refund_done_after_all", attempt.to_string());
        changes.alerts.push(AlertChange::Raise { kind, subject, detail });
    }
}

/// Removes the jobs of a closed attempt. The attempt's session may be able to end.
fn closed(step: &Step<'_>, attempt: &AttemptId, changes: &mut Changes) {
    for kind in [Kind::Open, Kind::Check, Kind::Close] {
        changes.spare(kind, attempt.as_str());
    }
    let Some(found) = step.after.attempt(attempt) else { return };
    if step.after.status().is_settled() {
        // The session is completed with this change.
        changes.spare(Kind::Expire, found.session.as_str());
    } else {
        changes.ending.push(found.session.clone());
    }
}

/// Wakes deliveries that arrived before their attempt, or the reference they use, was known.
fn newly_known(step: &Step<'_>, changes: &mut Changes) {
    for attempt in &step.after.attempts {
        let before = step.before.attempt(&attempt.id);
        if before.is_none_or(|before| before.refs != attempt.refs) {
            changes.known.extend(inbox::wanted(&attempt.account, Some(&attempt.id), &attempt.refs));
        }
        let captures = attempt.book.captures.keys();
        let new = captures.filter(|name| !before.is_some_and(|before| before.book.captures.contains_key(*name)));
        changes.known.extend(new.map(|name| format!("{}/{name}", attempt.account)));
    }
}
