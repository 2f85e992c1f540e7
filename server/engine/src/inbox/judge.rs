//! Finds out what stored deliveries are about.

use std::collections::HashMap;

use connectors::Incoming;
use domain::id::{AttemptId, ProviderAccountId};
use domain::{DAY, MINUTE, Millis, SECOND};

use super::wanted;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Connection;
use crate::store::inbox::{self, InboxState, Taken};
use crate::store::payments::{self, Located};

/// How long an event that carries our reference waits for its payment to become known.
const ORPHAN_MAX: Millis = DAY;
/// How long one that does not: most are other payments on the same account.
const STRANGER_MAX: Millis = 10 * MINUTE;

/// What a delivery turned out to be.
pub(super) enum Verdict {
    /// News of a payment.
    Concerns(Located, Box<Incoming>),
    /// Its payment is not known yet.
    Waits { due: Millis, wanted: Vec<String> },
    /// Nothing to be applied.
    Closed(Closed),
    /// It could not be looked at.
    Failed(Error),
}

/// Why a delivery changes nothing.
pub(super) struct Closed {
    pub state: InboxState,
    pub kind: Option<String>,
    pub note: Option<String>,
    pub alert: Option<&'static str>,
}

/// Judges deliveries. The outer error is the database's, the others are their own.
pub(super) async fn judge(engine: &Engine, rows: &[Taken]) -> Result<Vec<Verdict>, Error> {
    let mut read = Vec::with_capacity(rows.len());
    for row in rows {
        read.push(read_row(engine, row).await);
    }
    let mut connection = engine.store().reader().await?;
    let attempts = read.iter().filter_map(|read| read.as_ref().ok()?.attempt.clone()).collect();
    let known = locate_all(&mut connection, attempts).await?;
    let mut verdicts = Vec::with_capacity(rows.len());
    for (row, read) in rows.iter().zip(read) {
        verdicts.push(match read {
            Ok(incoming) => place(engine, &mut connection, row, incoming, &known).await?,
            Err(verdict) => verdict,
        });
    }
    Ok(verdicts)
}

async fn read_row(engine: &Engine, row: &Taken) -> Result<Incoming, Verdict> {
    let ready = match engine.ready(&row.account).await {
        Ok(Some(ready)) => ready,
        Ok(None) => return Err(Verdict::Failed(Error::NotFound(format!("provider account {}", row.account)))),
        Err(error) => return Err(Verdict::Failed(error)),
    };
    let incoming = ready.connector.read(&ready.account, &row.body, row.received).map_err(|error| {
        let (note, alert) = (Some(error.to_string()), Some("webhook_unreadable"));
        Verdict::Closed(Closed { state: InboxState::Unreadable, kind: None, note, alert })
    })?;
    match &incoming.foreign {
        Some(reason) => Err(foreign(&incoming, reason.clone())),
        None => Ok(incoming),
    }
}

fn foreign(incoming: &Incoming, reason: String) -> Verdict {
    let (kind, note, alert) = (Some(incoming.kind.clone()), Some(reason), Some("webhook_foreign"));
    Verdict::Closed(Closed { state: InboxState::Foreign, kind, note, alert })
}

async fn locate_all(
    connection: &mut Connection,
    mut attempts: Vec<AttemptId>,
) -> Result<HashMap<AttemptId, Located>, Error> {
    attempts.sort_unstable();
    attempts.dedup();
    let located = payments::locate_many(connection, &attempts).await?;
    Ok(located.into_iter().map(|located| (located.attempt.clone(), located)).collect())
}

/// Finds the attempt a delivery is about: by our own reference, else by the provider's within the account.
async fn place(
    engine: &Engine,
    connection: &mut Connection,
    row: &Taken,
    incoming: Incoming,
    known: &HashMap<AttemptId, Located>,
) -> Result<Verdict, Error> {
    let located = match incoming.attempt.as_ref().and_then(|attempt| known.get(attempt)) {
        Some(located) => Some(located.clone()),
        None => locate_by_refs(connection, &row.account, &incoming).await?,
    };
    Ok(match located {
        Some(located) if located.account != row.account => {
            let reason = format!("attempt {} belongs to account {}", located.attempt, located.account);
            foreign(&incoming, reason)
        }
        Some(located) => Verdict::Concerns(located, Box::new(incoming)),
        None if incoming.observation.news.is_empty() => {
            let kind = Some(incoming.kind);
            Verdict::Closed(Closed { state: InboxState::Ignored, kind, note: None, alert: None })
        }
        None => {
            let has_waited = inbox::has_waited(connection, &row.id).await?;
            orphan(row, incoming, engine.env().now(), has_waited)
        }
    })
}

async fn locate_by_refs(
    connection: &mut Connection,
    account: &ProviderAccountId,
    incoming: &Incoming,
) -> Result<Option<Located>, Error> {
    let refs = &incoming.observation.refs;
    if refs.session.is_none() && refs.payment.is_none() {
        return Ok(None);
    }
    payments::locate_by_refs(connection, account, refs).await
}

/// An event may arrive before the answer to the request that made its payment, or belong to something else on the same
/// account. However old it is when it is first looked at, it waits once: what makes it known may be in the next event.
fn orphan(row: &Taken, incoming: Incoming, now: Millis, has_waited: bool) -> Verdict {
    let age = now - row.received;
    let (longest, alert) = match incoming.attempt {
        // It claims to be ours, and yet we do not know it.
        Some(_) => (ORPHAN_MAX, Some("webhook_orphan")),
        None => (STRANGER_MAX, None),
    };
    if age < longest || !has_waited {
        let due = now + age.clamp(SECOND, 10 * MINUTE);
        let wanted = wanted(&row.account, incoming.attempt.as_ref(), &incoming.observation.refs);
        return Verdict::Waits { due, wanted };
    }
    let note = Some("its payment never became known".to_owned());
    Verdict::Closed(Closed { state: InboxState::Orphan, kind: Some(incoming.kind), note, alert })
}
