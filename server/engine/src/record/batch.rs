//! Records facts about many payments together: the payments are loaded and locked, the facts decided one after the other in memory, and
//! all changes written at once.

use std::collections::BTreeMap;

use domain::id::PaymentId;
use domain::payment::{Fact, Payment};

use super::Source;
use super::changes::Changes;
use super::follow_up::{Step, follow_up};
use super::posting::posting;
use crate::context::Context;
use crate::error::{Error, Thing};
use crate::scope::ENGINE;
use crate::store::payments::{EventRow, Locked, lock_many};
use crate::store::{Connection, Tx};
use crate::work::Work;

/// A unit of work on several payments. If it is dropped without [`Batch::write`], it changes nothing.
pub(crate) struct Batch<'a> {
    context: &'a Context,
    payments: BTreeMap<PaymentId, Result<Entry, Error>>,
    changes: Changes,
}

/// A payment as it was loaded and as it is now.
pub(super) struct Entry {
    pub before: Locked,
    pub now: Payment,
    /// The number of the newest event.
    pub seq: i64,
    /// The number of the newest event for the merchant.
    pub told: i64,
}

impl<'a> Batch<'a> {
    /// Locks payments until the transaction ends.
    pub async fn lock(context: &'a Context, tx: &mut Tx, ids: &[PaymentId]) -> Result<Batch<'a>, Error> {
        let mut sorted = ids.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let entry = |before: Locked| Entry { now: before.payment.clone(), seq: before.seq, told: before.told, before };
        let locked = lock_many(tx, &ENGINE, context.store().dialect(), &sorted).await?;
        let payments = locked.into_iter().map(|(id, found)| (id, found.map(entry))).collect();
        Ok(Batch { context, payments, changes: Changes::default() })
    }

    /// Takes a fact in, on top of the facts before. Returns whether the fact was new. A refusal or an unreadable payment changes nothing
    /// and leaves the rest of the batch as it is.
    pub fn take(&mut self, id: &PaymentId, fact: &Fact, source: Source<'_>) -> Result<bool, Error> {
        let context = self.context;
        let entry = found(self.payments.get_mut(id), id)?;
        let (after, events) = entry.now.next(fact)?;
        if events.is_empty() {
            return Ok(false);
        }
        let (now, live) = (context.env().now(), entry.before.live);
        let last = entry.seq.saturating_add(i64::try_from(events.len()).unwrap_or(i64::MAX));
        self.changes.postings.extend(posting(&entry.now, &after, last, live, now)?);
        let before = std::mem::replace(&mut entry.now, after);
        let actor = source.actor();
        for event in &events {
            entry.seq += 1;
            self.changes.events.push(EventRow {
                payment: id.clone(),
                seq: entry.seq,
                event: event.clone(),
                source: source.name(),
                actor: actor.clone(),
                cause: source.cause().map(str::to_owned),
            });
        }
        let (seq, told) = (entry.seq, entry.told);
        let source = source.name();
        let step =
            Step { before: &before, after: &entry.now, events: &events, seq, told, live, source, actor: &actor, now };
        entry.told += follow_up(context, &step, &mut self.changes);
        Ok(true)
    }

    /// A payment as it is now.
    pub fn payment(&self, id: &PaymentId) -> Result<&Payment, Error> {
        match self.payments.get(id) {
            Some(Ok(entry)) => Ok(&entry.now),
            Some(Err(error)) => Err(Error::corrupt(error)),
            None => Err(Error::NotFound(Thing::Payment(id.clone()))),
        }
    }

    /// Writes all changes and their consequences. Returns the payments with news, for [`crate::live`].
    pub async fn write(self, connection: &mut Connection) -> Result<Written, Error> {
        let entries = self.payments.values().filter_map(|entry| entry.as_ref().ok());
        let changed: Vec<&Entry> = entries.filter(|entry| entry.seq > entry.before.seq).collect();
        let work = self.changes.write(self.context, connection, &changed).await?;
        count(&self.changes.events);
        Ok(Written { payments: changed.iter().map(|entry| entry.now.id.clone()).collect(), work })
    }
}

/// The result of a batch that is written.
pub(crate) struct Written {
    /// The payments that have news.
    pub payments: Vec<PaymentId>,
    /// The work that is due now because of the batch.
    pub work: Work,
}

fn found<'e>(entry: Option<&'e mut Result<Entry, Error>>, id: &PaymentId) -> Result<&'e mut Entry, Error> {
    match entry {
        Some(Ok(entry)) => Ok(entry),
        Some(Err(error)) => Err(Error::corrupt(error)),
        None => Err(Error::NotFound(Thing::Payment(id.clone()))),
    }
}

fn count(events: &[EventRow]) {
    for EventRow { event, source, .. } in events {
        metrics::counter!("till_payment_events_total", "event" => event.name(), "source" => *source).increment(1);
    }
}
