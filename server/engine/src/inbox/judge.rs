//! Judges stored deliveries: finds the payments that they concern.

use std::collections::{BTreeSet, HashMap};

use connectors::{Foreign, Incoming};
use domain::id::{AttemptId, ProviderAccountId};
use domain::payment::Refs;

use super::Taken;
use super::stranger::tells;
use crate::context::Context;
use crate::error::{Error, Thing};
use crate::scope::ENGINE;
use crate::store::Connection;
use crate::store::attempts::{self, Located};
use crate::store::inbox::InboxState;

/// The judgment of a delivery.
pub(super) enum Verdict {
    /// News of a payment.
    Concerns(Located, Box<Incoming>),
    /// News of a payment that is not known yet.
    Strange(Box<Incoming>),
    /// A delivery that is not applied.
    Closed(Closed),
    /// A delivery that could not be examined.
    Failed(Error),
}

/// Why a delivery changes nothing.
pub(super) struct Closed {
    pub state: InboxState,
    pub kind: Option<String>,
    pub note: Option<String>,
    pub alert: Option<&'static str>,
    /// The alert's subject: a payment or a reference, where one is known; else the account.
    pub subject: Option<String>,
}

/// The content of a delivery, or the verdict on a delivery without any.
pub(super) type Reading = Result<Incoming, Verdict>;

/// Reads deliveries. Looks up only their accounts.
pub(super) async fn read_all(context: &Context, rows: &[Taken]) -> Vec<Reading> {
    let mut readings = Vec::with_capacity(rows.len());
    for row in rows {
        readings.push(read_row(context, row).await);
    }
    readings
}

/// Finds the payments that deliveries concern, in the transaction that is to apply them.
pub(super) async fn judge(
    connection: &mut Connection,
    rows: &[Taken],
    readings: Vec<Reading>,
) -> Result<Vec<Verdict>, Error> {
    let read = rows.iter().zip(&readings).filter_map(|(row, reading)| Some((&row.account, reading.as_ref().ok()?)));
    let known = Known::of(connection, read).await?;
    let verdict = |(row, reading): (&Taken, Reading)| match reading {
        Ok(incoming) => place(row, incoming, &known),
        Err(verdict) => verdict,
    };
    Ok(rows.iter().zip(readings).map(verdict).collect())
}

async fn read_row(context: &Context, row: &Taken) -> Result<Incoming, Verdict> {
    let incoming = match &row.reading {
        Some(reading) => reading.as_ref().clone(),
        None => read_anew(context, row).await?,
    };
    match &incoming.foreign {
        Some(theirs) => Err(foreign(&incoming, theirs.clone())),
        None => Ok(incoming),
    }
}

async fn read_anew(context: &Context, row: &Taken) -> Result<Incoming, Verdict> {
    let body = row.body.as_ref().map_err(|why| Verdict::Failed(Error::corrupt(why)))?;
    let ready = match context.ready(&row.account).await {
        Ok(Some(ready)) => ready,
        Ok(None) => return Err(Verdict::Failed(Error::NotFound(Thing::Account(row.account.clone())))),
        Err(error) => return Err(Verdict::Failed(error)),
    };
    ready.connector.read(&ready.account, body, row.received).map_err(|error| {
        let (note, alert) = (Some(error.to_string()), Some("webhook_unreadable"));
        Verdict::Closed(Closed { state: InboxState::Unreadable, kind: None, note, alert, subject: None })
    })
}

/// The verdict on another shop's delivery. Shops often share a provider account, so only a sign of a wrong setup raises an alert.
fn foreign(incoming: &Incoming, theirs: Foreign) -> Verdict {
    let alert = theirs.misdirected.then_some("webhook_foreign");
    let (kind, note) = (Some(incoming.kind.clone()), Some(theirs.reason));
    Verdict::Closed(Closed { state: InboxState::Foreign, kind, note, alert, subject: None })
}

/// The verdict on a delivery that concerns a payment of ours and must not be applied.
fn doubtful(incoming: Incoming, doubt: &str, located: &Located) -> Verdict {
    let note = Some(format!("payment {}: {doubt}", located.payment));
    let (state, alert) = (InboxState::Unreadable, Some("webhook_unreadable"));
    let subject = Some(located.payment.to_string());
    Verdict::Closed(Closed { state, kind: Some(incoming.kind), note, alert, subject })
}

/// The attempts that deliveries may concern.
pub(super) struct Known {
    attempts: HashMap<AttemptId, Located>,
    /// Attempts by account and the provider's reference.
    references: HashMap<(ProviderAccountId, String), Located>,
}

impl Known {
    /// Looks up the attempts that deliveries of accounts name.
    pub async fn of<'r>(
        connection: &mut Connection,
        read: impl Iterator<Item = (&'r ProviderAccountId, &'r Incoming)> + Clone,
    ) -> Result<Known, Error> {
        let ours: BTreeSet<AttemptId> = read.clone().filter_map(|(_, incoming)| incoming.attempt.clone()).collect();
        let located = attempts::locate_many(connection, &ENGINE, &ours.into_iter().collect::<Vec<_>>()).await?;
        let attempts: HashMap<_, _> = located.into_iter().map(|located| (located.attempt.clone(), located)).collect();
        let strange =
            read.filter(|(_, incoming)| !incoming.attempt.as_ref().is_some_and(|id| attempts.contains_key(id)));
        let theirs = strange.flat_map(|(account, incoming)| {
            let Refs { session, payment } = &incoming.observation.refs;
            session.iter().chain(payment).map(|reference| (account.clone(), reference.clone()))
        });
        let theirs: BTreeSet<(ProviderAccountId, String)> = theirs.collect();
        let references =
            attempts::locate_many_by_refs(connection, &ENGINE, &theirs.into_iter().collect::<Vec<_>>()).await?;
        Ok(Known { attempts, references })
    }

    /// Finds an attempt by our own reference, else by the provider's reference within the account.
    pub fn locate(&self, account: &ProviderAccountId, incoming: &Incoming) -> Option<&Located> {
        let ours = incoming.attempt.as_ref().and_then(|attempt| self.attempts.get(attempt));
        let Refs { session, payment } = &incoming.observation.refs;
        let by = |reference: &String| self.references.get(&(account.clone(), reference.clone()));
        ours.or_else(|| session.iter().chain(payment).find_map(by))
    }
}

fn place(row: &Taken, incoming: Incoming, known: &Known) -> Verdict {
    match known.locate(&row.account, &incoming).cloned() {
        Some(located) if located.account != row.account => {
            let reason = format!("attempt {} belongs to account {}", located.attempt, located.account);
            foreign(&incoming, Foreign::neighbour(reason))
        }
        Some(located) if let Some(doubt) = incoming.doubt.clone() => doubtful(incoming, &doubt, &located),
        Some(located) => Verdict::Concerns(located, Box::new(incoming)),
        None if tells(&incoming) => Verdict::Strange(Box::new(incoming)),
        None => {
            let kind = Some(incoming.kind);
            Verdict::Closed(Closed { state: InboxState::Ignored, kind, note: None, alert: None, subject: None })
        }
    }
}
