//! Treats money nobody asked for by the merchant's policy: sends it back, or holds it and tells a person. Subject: payment.

use domain::id::PaymentId;
use domain::payment::{Attempt, ModificationKind, Outcome};

use super::Next;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::merchants::{self, SurplusPolicy};

/// Refunds or voids of one attempt that may fail before a person must decide.
const FAILURES_MAX: usize = 3;

pub(super) async fn run(engine: &Engine, subject: &str) -> Result<Next, Error> {
    let id: PaymentId = subject.parse().map_err(Error::corrupt)?;
    let payment = engine.stored(&id).await?;
    let policy = merchants::surplus_policy(&mut *engine.store().reader().await?, &payment.merchant).await?;
    let Some((attempt, kind)) = payment.wanted_back() else { return Ok(Next::Done) };
    if policy == SurplusPolicy::Hold {
        let detail = format!("more was paid than is owed; refund it or run `till payment keep {id}`");
        engine.alert("surplus_held", subject, &detail).await;
        return Ok(Next::Done);
    }
    if failures(attempt) >= FAILURES_MAX {
        let detail = format!("the provider refuses to take back what attempt {} was paid too much", attempt.id);
        engine.alert("surplus_stuck", subject, &detail).await;
        return Ok(Next::Done);
    }
    engine.send_back(&id, &attempt.id, kind).await?;
    // There may be more, from another attempt.
    Ok(Next::At(engine.env().now()))
}

fn failures(attempt: &Attempt) -> usize {
    let back = |kind| matches!(kind, ModificationKind::Refund { .. } | ModificationKind::Void);
    let tried = attempt.modifications.iter().filter(|known| back(known.kind));
    tried.filter(|known| known.outcome(&attempt.book) == Outcome::Failed).count()
}
