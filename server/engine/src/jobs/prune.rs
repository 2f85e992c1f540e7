//! Removes rows that are older than their retention, see [`Retention`]. Each table is pruned in small transactions. A run that ends
//! early, or fails half-way, has removed what it committed, and the next run continues. These rows are never removed: payments with
//! events, ledger entries, and deliveries that are not settled.

use domain::id::InboxId;
use domain::{DAY, Millis, SECOND};
use tracing::warn;

use crate::context::Context;
use crate::env::first_bits;
use crate::error::Error;
use crate::retention::Retention;
use crate::scope::ENGINE;
use crate::store::{events, exchanges, inbox, jobs, payments};
use crate::work::Next;

/// The most rows of one transaction. A row of bytes holds the bytes of many deliveries.
const BATCH: i64 = 500;
const PACKS: i64 = 50;
/// The most transactions of one run and table. The next run continues.
const BATCHES_MAX: usize = 30;
/// The pause before a run that continues.
const PAUSE: Millis = SECOND;

/// A kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    Waits,
    Bodies,
    Deliveries,
    Exchanges,
    Events,
    DeadJobs,
    Unstarted,
}

impl Rows {
    /// The order of removal. A delivery's wait goes before its bytes, without which the delivery could not be applied, and the bytes go
    /// before the delivery.
    const ALL: [Rows; 7] =
        [Rows::Waits, Rows::Bodies, Rows::Deliveries, Rows::Exchanges, Rows::Events, Rows::DeadJobs, Rows::Unstarted];

    fn limit(self) -> i64 {
        if self == Rows::Bodies { PACKS } else { BATCH }
    }

    /// Whether rows of an earlier kind must all be gone first.
    fn waits_for_earlier(self) -> bool {
        matches!(self, Rows::Bodies | Rows::Deliveries)
    }

    /// Removes some rows and returns their number.
    async fn forget(self, context: &Context, kept: &Retention, now: Millis) -> Result<u64, Error> {
        let (limit, dialect) = (self.limit(), context.store().dialect());
        let first = |days: i64| InboxId::from_random(first_bits(now - days * DAY));
        let mut tx = context.store().begin().await?;
        let forgotten = match self {
            Rows::Waits => inbox::stop_waiting_before(&mut tx, &ENGINE, &first(kept.waits), limit).await?,
            Rows::Bodies => inbox::forget_bodies(&mut tx, &ENGINE, &first(kept.bodies), limit).await?,
            Rows::Deliveries => inbox::forget_rows(&mut tx, &ENGINE, &first(kept.deliveries), limit).await?,
            Rows::Exchanges => exchanges::prune(&mut tx, &ENGINE, now - kept.exchanges * DAY, limit).await?,
            Rows::Events => events::prune(&mut tx, &ENGINE, now - kept.events * DAY, limit).await?,
            Rows::DeadJobs => jobs::prune(&mut tx, &ENGINE, now - kept.dead_jobs * DAY, limit).await?,
            Rows::Unstarted => {
                payments::forget_unstarted(&mut tx, &ENGINE, dialect, now - kept.unstarted * DAY, limit).await?
            }
        };
        tx.commit().await?;
        Ok(forgotten)
    }
}

pub(super) async fn run(context: &Context) -> Result<Next, Error> {
    let kept = context.tuning().retention;
    let now = context.env().now();
    let (mut failure, mut left, mut inbox_left) = (None, false, false);
    for rows in Rows::ALL {
        if rows.waits_for_earlier() && inbox_left {
            continue;
        }
        let mut done = false;
        for _ in 0..BATCHES_MAX {
            match rows.forget(context, &kept, now).await {
                Ok(forgotten) => done = forgotten < rows.limit().unsigned_abs(),
                Err(error) => {
                    warn!(?rows, %error, "what is old could not be forgotten");
                    failure = Some(error);
                    break;
                }
            }
            if done {
                break;
            }
        }
        left |= !done;
        inbox_left |= !done && matches!(rows, Rows::Waits | Rows::Bodies);
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(Next::At(context.env().now() + if left { PAUSE } else { DAY })),
    }
}
