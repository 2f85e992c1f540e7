//! Forgets exchanges, events, and what deliveries waited for, after their time.

use domain::DAY;
use domain::id::InboxId;

use super::Next;
use crate::engine::Engine;
use crate::env::first_bits;
use crate::error::Error;
use crate::store::{events, exchanges, inbox};

/// How long exchanges are kept: a dispute can come months later, but then the provider's own log is the evidence.
const KEPT: i64 = 90 * DAY;

/// Events that one transaction forgets at most: a long one would hold up those that record.
const BATCH: i64 = 1_000;

pub(super) async fn run(engine: &Engine) -> Result<Next, Error> {
    let now = engine.env().now();
    let mut tx = engine.store().begin().await?;
    exchanges::prune(&mut tx, now - KEPT).await?;
    inbox::stop_waiting_before(&mut tx, &InboxId::from_random(first_bits(now - KEPT))).await?;
    engine.commit(tx).await?;
    loop {
        let mut tx = engine.store().begin().await?;
        let gone = events::prune(&mut tx, now - KEPT, BATCH).await?;
        engine.commit(tx).await?;
        if gone == 0 {
            break;
        }
    }
    Ok(Next::At(now + DAY))
}
