//! Gives up deliveries whose payment never became known, many at a time.

use domain::{MINUTE, Millis};

use crate::alerts;
use crate::context::Context;
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::inbox::{self, GivenUp, InboxState};
use crate::work::Next;

/// The most deliveries of one transaction, and transactions of one run. The next run continues.
const BATCH: i64 = 500;
const BATCHES_MAX: usize = 100;
/// The shortest and the longest pause before the next run.
const PAUSE_MIN: Millis = MINUTE;
const PAUSE_MAX: Millis = 15 * MINUTE;

/// The note on each delivery that is given up.
const WHY: &str = "its payment never became known";

pub(super) async fn run(context: &Context) -> Result<Next, Error> {
    for _ in 0..BATCHES_MAX {
        let given_up = batch(context).await?;
        if given_up < BATCH {
            let now = context.env().now();
            let next = inbox::next_given_up(&mut *context.store().reader().await?, &ENGINE).await?;
            let next = next.map_or(now + PAUSE_MAX, |due| due.min(now + PAUSE_MAX));
            return Ok(Next::At(next.max(now + PAUSE_MIN)));
        }
    }
    Ok(Next::At(context.env().now()))
}

/// Gives some deliveries up and returns their number. A delivery that claims an attempt of ours raises an alert.
async fn batch(context: &Context) -> Result<i64, Error> {
    let now = context.env().now();
    let mut tx = context.store().begin().await?;
    let mut given_up = inbox::give_up(&mut tx, &ENGINE, context.store().dialect(), WHY, now, BATCH).await?;
    given_up.sort_by(|a, b| (&a.claims, &a.id).cmp(&(&b.claims, &b.id)));
    for GivenUp { id, claims, .. } in &given_up {
        let Some(attempt) = claims else { continue };
        let detail = format!("delivery {id}: {WHY}");
        alerts::raise(context, &mut tx, "webhook_orphan", attempt.as_str(), &detail).await?;
    }
    tx.commit().await?;
    InboxState::Orphan.count(given_up.len() as u64);
    Ok(i64::try_from(given_up.len()).unwrap_or(BATCH))
}
