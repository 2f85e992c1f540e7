//! The rows that a unit of work writes besides the payments themselves, gathered in memory.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::{PaymentId, ProviderAccountId, SessionId};
use domain::{HOUR, Millis};

use super::batch::Entry;
use crate::alerts;
use crate::context::Context;
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::attempts::{AttemptRow, Change};
use crate::store::events::NewEvent;
use crate::store::jobs::NewJob;
use crate::store::journal::Posting;
use crate::store::payments::EventRow;
use crate::store::requests::KeyRow;
use crate::store::{Connection, attempts, events, inbox, jobs, journal, movements, payments, requests, sessions};
use crate::work::{Kind, Work};

/// The shortest life of a session that is opened again. A shopper who comes later begins a new session.
const REOPENED: Millis = HOUR;

/// Rows to be written, in the order of the facts.
#[derive(Default)]
pub(super) struct Changes {
    pub events: Vec<EventRow>,
    pub postings: Vec<Posting>,
    /// The events for merchants.
    pub told: Vec<NewEvent>,
    /// Jobs by kind and subject. The earliest time counts.
    jobs: BTreeMap<(&'static str, String), NewJob>,
    /// Jobs that would find nothing left to do.
    spared: BTreeSet<(&'static str, String)>,
    /// Sessions that may be able to end now.
    pub ending: Vec<SessionId>,
    /// Sessions with a new attempt, so that the notices about earlier attempts are removed.
    pub begun: Vec<SessionId>,
    /// Payments whose open sessions are complete.
    pub settled: BTreeSet<PaymentId>,
    /// Payments whose sessions are open again, because the money that had settled them is gone.
    pub reopened: BTreeSet<PaymentId>,
    /// The references that events in the inbox may wait for, see [`inbox::wait`].
    pub known: Vec<String>,
    /// Changes of alerts, in the order of the facts: one step may raise an alert that a later one closes.
    pub alerts: Vec<AlertChange>,
    /// Merchants' keys of captures, voids and refunds. A key that is taken already undoes the whole unit of work.
    pub keys: Vec<KeyRow>,
}

impl Changes {
    /// Enqueues a job.
    pub fn enqueue(
        &mut self,
        context: &Context,
        kind: Kind,
        account: Option<&ProviderAccountId>,
        subject: &str,
        run_at: Millis,
    ) {
        let key = (kind.as_str(), subject.to_owned());
        self.spared.remove(&key);
        let job = self.jobs.entry(key).or_insert_with(|| context.new_job(kind, account, subject, run_at));
        job.run_at = job.run_at.min(run_at);
    }

    /// Removes a job that would find nothing to do. Every payment leaves some behind, and running them all costs more than the payment
    /// did.
    pub fn spare(&mut self, kind: Kind, subject: &str) {
        let key = (kind.as_str(), subject.to_owned());
        self.jobs.remove(&key);
        self.spared.insert(key);
    }

    /// Writes everything and returns the kinds of work that are due now because of it.
    pub async fn write(
        &self,
        context: &Context,
        connection: &mut Connection,
        changed: &[&Entry],
    ) -> Result<Work, Error> {
        let now = context.env().now();
        let rows: Vec<_> = changed.iter().map(|entry| (&entry.now, entry.seq, entry.told)).collect();
        payments::update(connection, &ENGINE, &rows, now).await?;
        let (old, new) = attempts(changed);
        // Attempts that end are written before attempts that begin, because a payment has at most one live attempt.
        attempts::update(connection, &ENGINE, &old, now).await?;
        attempts::insert(connection, &ENGINE, &new, now).await?;
        let (rows, gone) = super::movements::changed(changed, now);
        movements::remove(connection, &ENGINE, &gone).await?;
        movements::put(connection, &ENGINE, &rows).await?;
        payments::append(connection, &ENGINE, &self.events, now).await?;
        journal::post(connection, &ENGINE, &self.postings).await?;
        events::insert(connection, &ENGINE, &self.told).await?;
        requests::insert(connection, &ENGINE, &self.keys).await?;
        self.write_jobs(connection, now).await?;
        for session in &self.begun {
            sessions::set_notice(connection, &ENGINE, session, None).await?;
        }
        let settled: Vec<PaymentId> = self.settled.iter().cloned().collect();
        sessions::complete_of_payments(connection, &ENGINE, &settled).await?;
        self.reopen(context, connection, now).await?;
        let brought = inbox::bring_forward(connection, &ENGINE, context.store().dialect(), &self.known, now).await?;
        for change in &self.alerts {
            match change {
                AlertChange::Raise { kind, subject, detail } => {
                    alerts::raise(context, connection, kind, subject, detail).await?;
                }
                AlertChange::Reword { kind, subject, detail } => {
                    alerts::reword(connection, kind, subject, detail).await?
                }
                AlertChange::Close { kind, subject } => alerts::close(connection, kind, subject).await?,
            }
        }
        let ids: Vec<PaymentId> = changed.iter().map(|entry| entry.now.id.clone()).collect();
        payments::notify_many(connection, context.store().dialect(), &ids).await?;
        let jobs = !self.ending.is_empty() || self.jobs.values().any(|job| job.run_at <= now);
        Ok(Work { jobs, deliveries: brought > 0 })
    }

    /// Opens sessions again and enqueues the job that ends each.
    async fn reopen(&self, context: &Context, connection: &mut Connection, now: Millis) -> Result<(), Error> {
        for payment in &self.reopened {
            for (session, expires) in sessions::reopen_of_payment(connection, &ENGINE, payment, now + REOPENED).await? {
                context.enqueue(connection, Kind::Expire, None, session.as_str(), expires).await?;
            }
        }
        Ok(())
    }

    async fn write_jobs(&self, connection: &mut Connection, now: Millis) -> Result<(), Error> {
        let wanted: Vec<NewJob> = self.jobs.values().cloned().collect();
        jobs::enqueue(connection, &ENGINE, &wanted, now).await?;
        let ending: Vec<String> = self.ending.iter().map(ToString::to_string).collect();
        jobs::hasten_many(connection, &ENGINE, Kind::Expire.as_str(), &ending, now, now).await?;
        let mut spared: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
        for (kind, subject) in &self.spared {
            spared.entry(kind).or_default().push(subject);
        }
        for (kind, subjects) in spared {
            jobs::remove(connection, &ENGINE, kind, &subjects).await?;
        }
        Ok(())
    }
}

/// A change of an alert by a step: the step raises the alert, makes its text untrue, or removes its cause.
pub(super) enum AlertChange {
    Raise { kind: &'static str, subject: String, detail: String },
    Reword { kind: &'static str, subject: String, detail: String },
    Close { kind: &'static str, subject: String },
}

/// The attempts that differ from their loaded state, and the attempts that are new.
fn attempts<'e>(changed: &[&'e Entry]) -> (Vec<Change<'e>>, Vec<AttemptRow<'e>>) {
    let (mut old, mut new) = (vec![], vec![]);
    for entry in changed {
        let before = &entry.before.payment.attempts;
        for (ordinal, attempt) in (0i64..).zip(&entry.now.attempts) {
            match before.iter().find(|known| known.id == attempt.id) {
                Some(known) if known == attempt => {}
                Some(known) => old.push((&entry.now.id, known, attempt)),
                None => new.push(AttemptRow { payment: &entry.now.id, ordinal, attempt }),
            }
        }
    }
    (old, new)
}
