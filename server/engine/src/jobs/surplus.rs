//! Applies the merchant's policy to surplus money, paid beyond the debt: sends it back, or holds it and raises an alert. Subject:
//! payment.
//!
//! A provider may refuse to send money back for now, most often because the merchant's balance there does not cover it. The refund is
//! retried with growing pauses, for as long as it takes, and at once when the merchant sets the policy anew. Each try is a new
//! modification with an idempotency key of its own, begun only when the one before is known to have failed.

use domain::id::{AttemptId, PaymentId};
use domain::payment::{Attempt, Fact, ModificationKind, Outcome, Payment};
use domain::{DAY, HOUR, MINUTE, Millis};

use crate::alerts;
use crate::attempt::Attempts;
use crate::context::Context;
use crate::error::{Error, Thing};
use crate::money::{held_advice, wanted_back};
use crate::record::{self, Batch, Source};
use crate::scope::ENGINE;
use crate::store::merchants::{self, SurplusPolicy};
use crate::store::payments;
use crate::work::Next;

/// The pauses after the first failure, the second and so on. The last pause follows every further failure.
const PAUSES: [Millis; 8] = [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 3 * DAY];
/// The longest this job is put off. A longer pause has further looks in between.
const LOOK: Millis = HOUR;

pub(super) async fn run(context: &Context, subject: &str) -> Result<Next, Error> {
    let id: PaymentId = subject.parse().map_err(Error::corrupt)?;
    let stored = payments::find(&mut *context.store().reader().await?, &ENGINE, &id).await?;
    let payment = stored.ok_or_else(|| Error::NotFound(Thing::Payment(id.clone())))?.payment;
    let policy = merchants::surplus_policy(&mut *context.store().reader().await?, &ENGINE, &payment.merchant).await?;
    if payment.wanted_back().is_none() {
        return Ok(Next::Done);
    }
    if policy.policy == SurplusPolicy::Hold {
        return hold(context, &id).await;
    }
    let now = context.env().now();
    let mut next = Millis::MAX;
    for (attempt, kind) in wanted_back(&payment) {
        let due = payment.attempt(&attempt).map_or(now, |attempt| due(attempt, policy.since, now));
        if due <= now {
            send_back(context, &id, &attempt, kind).await?;
            // The next look shows the outcome, and whether money of another attempt is to go back.
            return Ok(Next::At(now));
        }
        next = next.min(due);
    }
    Ok(Next::At(next.min(now + LOOK)))
}

/// Raises an alert, unless the merchant has decided in this moment: a decision closes the alert.
async fn hold(context: &Context, id: &PaymentId) -> Result<Next, Error> {
    let mut tx = context.store().begin().await?;
    let batch = Batch::lock(context, &mut tx, std::slice::from_ref(id)).await?;
    let payment = batch.payment(id)?;
    if payment.wanted_back().is_some() {
        alerts::raise(context, &mut tx, "surplus_held", id.as_str(), &held_advice(payment)).await?;
        // The alert about a stuck refund announces another try. Held money is not tried again.
        for attempt in &payment.attempts {
            alerts::close(&mut tx, "surplus_stuck", attempt.id.as_str()).await?;
        }
    }
    context.commit(tx).await?;
    Ok(Next::Done)
}

/// When to try again to send back an attempt's surplus: a while after the last failure, but at once if the merchant has set the policy
/// since.
fn due(attempt: &Attempt, policy_since: Millis, now: Millis) -> Millis {
    let back = |kind| matches!(kind, ModificationKind::Refund { .. } | ModificationKind::Void);
    let failed = attempt.modifications.iter().filter(|known| known.is_own() && back(known.kind));
    let failed: Vec<_> = failed.filter(|known| known.outcome(&attempt.book) == Outcome::Failed).collect();
    match failed.last() {
        Some(last) if policy_since <= last.created => {
            last.created.min(now) + PAUSES[(failed.len() - 1).min(PAUSES.len() - 1)]
        }
        _ => now,
    }
}

/// Sends surplus back, if it is still there and is not being sent back already. Two servers may try this at once.
async fn send_back(
    context: &Context,
    payment: &PaymentId,
    attempt: &AttemptId,
    kind: ModificationKind,
) -> Result<(), Error> {
    let attempts = Attempts::of(context);
    let (modification, limits) = attempts.modification(attempt, kind).await?;
    let id = modification.id.clone();
    let fact = Fact::Modify { attempt: attempt.clone(), modification: Box::new(modification), limits };
    let still = |payment: &Payment| Ok(wanted_back(payment).contains(&(attempt.clone(), kind)).then_some(fact));
    if record::record_if(context, payment, Source::Engine, still).await?.is_some() {
        attempts.send_first(attempt, &id).await?;
    }
    Ok(())
}
