//! Handles deliveries that name unknown payments. Where several shops share an account at a provider, most deliveries are of this kind.
//!
//! Such deliveries are recognised as they are stored. They wait without being looked at again: the transaction that makes one of their
//! references known wakes them, see [`crate::store::inbox`], and the job `sweep` gives up many at a time.

use std::collections::HashMap;

use connectors::Incoming;
use domain::id::{InboxId, ProviderAccountId};
use domain::{DAY, MINUTE, Millis, SECOND};

use super::judge::Known;
use super::{NewRow, Taken};
use crate::context::Context;
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::Tx;
use crate::store::inbox::{self, Found, Wait};
use crate::work::Work;

/// How long an event that names an attempt of ours waits for its payment to become known.
pub(super) const ORPHAN_MAX: Millis = DAY;
/// How long an event waits that names no attempt of ours. Most such events are other payments on the same account.
const STRANGER_MAX: Millis = 10 * MINUTE;
/// The shortest wait of an event, however late it is examined.
const WAIT_MIN: Millis = SECOND;

/// Whether an event has news for a payment, or a doubt that a person must look at.
pub(super) fn tells(incoming: &Incoming) -> bool {
    !incoming.observation.news.is_empty() || incoming.doubt.is_some()
}

/// Finds the events about to be stored that concern no known payment, and decides whether they wait or are idle.
pub(super) async fn find(context: &Context, tx: &mut Tx, rows: &[&NewRow]) -> Result<HashMap<InboxId, Found>, Error> {
    let read: Vec<(&NewRow, &Incoming)> =
        rows.iter().filter(|row| row.idle.is_none()).filter_map(|row| Some((*row, row.reading.as_deref()?))).collect();
    let mut strange = unknown(tx, read).await?;
    let waits = strange.iter().any(|(_, incoming)| tells(incoming));
    if waits && inbox::enter(tx, context.store().dialect()).await? {
        strange = unknown(tx, strange).await?;
    }
    let found = |(row, incoming): (&NewRow, &Incoming)| {
        let found = if tells(incoming) {
            Found::Stranger(wait(&row.account, incoming, row.received, context.env().now()))
        } else {
            Found::Idle
        };
        (row.id.clone(), found)
    };
    Ok(strange.into_iter().map(found).collect())
}

async fn unknown<'r>(
    tx: &mut Tx,
    rows: Vec<(&'r NewRow, &'r Incoming)>,
) -> Result<Vec<(&'r NewRow, &'r Incoming)>, Error> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let known = Known::of(tx, rows.iter().map(|(row, incoming)| (&row.account, *incoming))).await?;
    Ok(rows.into_iter().filter(|(row, incoming)| known.locate(&row.account, incoming).is_none()).collect())
}

/// The references that an event waits for, and the end of its wait.
fn wait(account: &ProviderAccountId, incoming: &Incoming, received: Millis, now: Millis) -> Wait {
    let longest = if incoming.attempt.is_some() { ORPHAN_MAX } else { STRANGER_MAX };
    Wait {
        until: (received + longest).max(now + WAIT_MIN),
        wanted: inbox::wanted(account, incoming.attempt.as_ref(), &incoming.observation.refs),
        claims: incoming.attempt.clone(),
    }
}

/// Lets events wait that were taken up and turned out to be strangers', because they could not be recognised as they were stored. An
/// event whose payment has become known meanwhile is due at once.
pub(super) async fn shelve(context: &Context, rows: &[(Taken, Box<Incoming>)]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let now = context.env().now();
    let mut tx = context.store().begin().await?;
    inbox::enter(&mut tx, context.store().dialect()).await?;
    let known = Known::of(&mut tx, rows.iter().map(|(row, incoming)| (&row.account, &**incoming))).await?;
    for (row, incoming) in rows {
        if known.locate(&row.account, incoming).is_some() {
            inbox::put_off(&mut tx, &ENGINE, row, now, "its payment has just become known").await?;
        } else {
            let wait = wait(&row.account, incoming, row.received, now);
            inbox::wait(&mut tx, &ENGINE, row, Some(incoming.kind.as_str()), &wait).await?;
        }
    }
    tx.commit().await?;
    context.wake_for(Work { jobs: false, deliveries: true });
    Ok(())
}
