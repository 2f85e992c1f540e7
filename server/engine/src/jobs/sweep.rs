//! Gives up deliveries whose payment never became known, many at a time.

use domain::{MINUTE, Millis};

use super::Next;
use crate::alerts;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::inbox::{self, GivenUp, InboxState};

/// The most deliveries of one transaction, and transactions of one run. The next run continues.
const BATCH: i64 = 500;
const BATCHES_MAX: usize = 100;
/// The shortest and the longest pause before the next run.
const PAUSE_MIN: Millis = MINUTE;
const PAUSE_MAX: Millis = 15 * MINUTE;

/// The note on each delivery that is given up.
const WHY: &str = "its payment never became known";

pub(super) async fn run(engine: &Engine) -> Result<Next, Error> {
    for _ in 0..BATCHES_MAX {
        let given_up = batch(engine).await?;
        if given_up < BATCH {
            let now = engine.env().now();
            let next = inbox::next_given_up(&mut *engine.store().reader().await?).await?;
            let next = next.map_or(now + PAUSE_MAX, |due| due.min(now + PAUSE_MAX));
            return Ok(Next::At(next.max(now + PAUSE_MIN)));
        }
    }
    Ok(Next::At(engine.env().now()))
}

/// Gives some deliveries up and returns their number. A delivery that claims an attempt of ours raises an alert.
async fn batch(engine: &Engine) -> Result<i64, Error> {
    let now = engine.env().now();
    let mut tx = engine.store().begin().await?;
    let mut given_up = inbox::give_up(&mut tx, engine.store().dialect(), WHY, now, BATCH).await?;
    given_up.sort_by(|a, b| (&a.claims, &a.id).cmp(&(&b.claims, &b.id)));
    for GivenUp { id, claims, .. } in &given_up {
        let Some(attempt) = claims else { continue };
        let detail = format!("delivery {id}: {WHY}");
        alerts::raise(engine, &mut tx, "webhook_orphan", attempt.as_str(), &detail).await?;
    }
    tx.commit().await?;
    InboxState::Orphan.count(given_up.len() as u64);
    Ok(i64::try_from(given_up.len()).unwrap_or(BATCH))
}
