//! Finds out what stored deliveries are about.

use std::collections::{BTreeSet, HashMap};

use connectors::{Foreign, Incoming};
use domain::id::{AttemptId, ProviderAccountId};
use domain::payment::Refs;
use domain::{DAY, MINUTE, Millis, SECOND};

use super::wanted;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Connection;
use crate::store::attempts::{self, Located};
use crate::store::inbox::{self, InboxState, Taken};

/// How long an event that carries our reference waits for its payment to become known.
pub(super) const ORPHAN_MAX: Millis = DAY;
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
    /// What the alert is about: a payment or a reference, where one is known; else the account.
    pub subject: Option<String>,
}

/// What a delivery says, or why it says nothing.
pub(super) type Reading = Result<Incoming, Verdict>;

/// Reads deliveries. Asks nobody but their accounts.
pub(super) async fn read_all(engine: &Engine, rows: &[Taken]) -> Vec<Reading> {
    let mut readings = Vec::with_capacity(rows.len());
    for row in rows {
        readings.push(read_row(engine, row).await);
    }
    readings
}

/// Finds out what deliveries are about, in the transaction that is to apply them.
pub(super) async fn judge(
    engine: &Engine,
    connection: &mut Connection,
    rows: &[Taken],
    readings: Vec<Reading>,
) -> Result<Vec<Verdict>, Error> {
    let known = Known::of(connection, rows, &readings).await?;
    let mut verdicts = Vec::with_capacity(rows.len());
    for (row, reading) in rows.iter().zip(readings) {
        verdicts.push(match reading {
            Ok(incoming) => place(engine, connection, row, incoming, &known).await?,
            Err(verdict) => verdict,
        });
    }
    Ok(verdicts)
}

async fn read_row(engine: &Engine, row: &Taken) -> Result<Incoming, Verdict> {
    let incoming = match &row.reading {
        Some(reading) => reading.as_ref().clone(),
        None => read_anew(engine, row).await?,
    };
    match &incoming.foreign {
        Some(theirs) => Err(foreign(&incoming, theirs.clone())),
        None => Ok(incoming),
    }
}

async fn read_anew(engine: &Engine, row: &Taken) -> Result<Incoming, Verdict> {
    let body = row.body.as_ref().map_err(|why| Verdict::Failed(Error::corrupt(why)))?;
    let ready = match engine.ready(&row.account).await {
        Ok(Some(ready)) => ready,
        Ok(None) => return Err(Verdict::Failed(Error::NotFound(format!("provider account {}", row.account)))),
        Err(error) => return Err(Verdict::Failed(error)),
    };
    ready.connector.read(&ready.account, body, row.received).map_err(|error| {
        let (note, alert) = (Some(error.to_string()), Some("webhook_unreadable"));
        Verdict::Closed(Closed { state: InboxState::Unreadable, kind: None, note, alert, subject: None })
    })
}

/// That several share a provider account is nothing unusual: only what shows a wrong setup alarms.
fn foreign(incoming: &Incoming, theirs: Foreign) -> Verdict {
    let alert = theirs.misdirected.then_some("webhook_foreign");
    let (kind, note) = (Some(incoming.kind.clone()), Some(theirs.reason));
    Verdict::Closed(Closed { state: InboxState::Foreign, kind, note, alert, subject: None })
}

/// It is about a payment of ours and must not be applied.
fn doubtful(incoming: Incoming, doubt: &str, located: &Located) -> Verdict {
    let note = Some(format!("payment {}: {doubt}", located.payment));
    let (state, alert) = (InboxState::Unreadable, Some("webhook_unreadable"));
    let subject = Some(located.payment.to_string());
    Verdict::Closed(Closed { state, kind: Some(incoming.kind), note, alert, subject })
}

/// The attempts that deliveries may be about.
struct Known {
    attempts: HashMap<AttemptId, Located>,
    /// By account and the provider's reference.
    references: HashMap<(ProviderAccountId, String), Located>,
}

impl Known {
    async fn of(connection: &mut Connection, rows: &[Taken], readings: &[Reading]) -> Result<Known, Error> {
        let read = || rows.iter().zip(readings).filter_map(|(row, reading)| Some((row, reading.as_ref().ok()?)));
        let ours: BTreeSet<AttemptId> = read().filter_map(|(_, incoming)| incoming.attempt.clone()).collect();
        let located = attempts::locate_many(connection, &ours.into_iter().collect::<Vec<_>>()).await?;
        let attempts: HashMap<_, _> = located.into_iter().map(|located| (located.attempt.clone(), located)).collect();
        let strange =
            read().filter(|(_, incoming)| !incoming.attempt.as_ref().is_some_and(|id| attempts.contains_key(id)));
        let theirs = strange.flat_map(|(row, incoming)| {
            let Refs { session, payment } = &incoming.observation.refs;
            session.iter().chain(payment).map(|reference| (row.account.clone(), reference.clone()))
        });
        let theirs: BTreeSet<(ProviderAccountId, String)> = theirs.collect();
        let references = attempts::locate_many_by_refs(connection, &theirs.into_iter().collect::<Vec<_>>()).await?;
        Ok(Known { attempts, references })
    }

    /// By our own reference, else by the provider's within the account.
    fn locate(&self, account: &ProviderAccountId, incoming: &Incoming) -> Option<&Located> {
        let ours = incoming.attempt.as_ref().and_then(|attempt| self.attempts.get(attempt));
        let Refs { session, payment } = &incoming.observation.refs;
        let by = |reference: &String| self.references.get(&(account.clone(), reference.clone()));
        ours.or_else(|| session.iter().chain(payment).find_map(by))
    }
}

async fn place(
    engine: &Engine,
    connection: &mut Connection,
    row: &Taken,
    incoming: Incoming,
    known: &Known,
) -> Result<Verdict, Error> {
    Ok(match known.locate(&row.account, &incoming).cloned() {
        Some(located) if located.account != row.account => {
            let reason = format!("attempt {} belongs to account {}", located.attempt, located.account);
            foreign(&incoming, Foreign::neighbour(reason))
        }
        Some(located) if let Some(doubt) = incoming.doubt.clone() => doubtful(incoming, &doubt, &located),
        Some(located) => Verdict::Concerns(located, Box::new(incoming)),
        None if incoming.observation.news.is_empty() && incoming.doubt.is_none() => {
            let kind = Some(incoming.kind);
            Verdict::Closed(Closed { state: InboxState::Ignored, kind, note: None, alert: None, subject: None })
        }
        None => {
            let has_waited = inbox::has_waited(connection, &row.id).await?;
            orphan(row, incoming, engine.env().now(), has_waited)
        }
    })
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
    let subject = incoming.attempt.as_ref().map(AttemptId::to_string);
    Verdict::Closed(Closed { state: InboxState::Orphan, kind: Some(incoming.kind), note, alert, subject })
}
