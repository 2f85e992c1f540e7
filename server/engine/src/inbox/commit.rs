//! Group commit: deliveries that arrive while a transaction is under way share the next one.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Millis;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::timeout;
use tracing::error;

use super::{Inbox, NewRow, Taken, stranger};
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::Tx;
use crate::store::inbox::{self, Found, InboxState};
use crate::work::Work;

/// How long a request waits for its commit. The delivery may still be stored later; the provider's next try is then a duplicate.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// The most bytes of one transaction.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Larger events are not kept in memory until they are applied.
const HANDED_BYTES_MAX: usize = 64 * 1024;

/// How many turns the readers of deliveries get before the deliveries are stored.
const TURNS_MAX: usize = 8;

/// The result of storing a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// At least one of its events was new.
    Fresh,
    /// All of its events were stored already.
    Duplicate,
}

/// The queue is full, or the database did not store the delivery. The delivery is not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotStored;

/// A delivery that waits for its commit.
struct Parcel {
    rows: Vec<NewRow>,
    reply: oneshot::Sender<Result<Stored, NotStored>>,
}

impl Parcel {
    fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.body.len()).sum()
    }
}

/// The deliveries that wait for a transaction.
#[derive(Default)]
pub(super) struct Intake(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    parcels: VecDeque<Parcel>,
    bytes: usize,
    /// Tasks that take from the queue. A task ends when the queue is empty.
    committers: usize,
}

impl Intake {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many deliveries wait.
    pub fn depth(&self) -> usize {
        self.queue().parcels.len()
    }

    /// Whether a delivery waits. If not, the calling committer must end, and is counted as ended.
    fn goes_on(&self) -> bool {
        let mut queue = self.queue();
        let goes_on = !queue.parcels.is_empty();
        if !goes_on {
            queue.committers = queue.committers.saturating_sub(1);
        }
        goes_on
    }

    /// Lets deliveries join that have already arrived: as long as the queue grows, the tasks that read deliveries get their turn first.
    /// A single waiter starts at once.
    async fn gather(&self, rows_max: usize) {
        let mut waiting = self.depth();
        for _ in 0..TURNS_MAX {
            if waiting >= rows_max {
                break;
            }
            yield_now().await;
            let now = self.depth();
            if now <= waiting {
                break;
            }
            waiting = now;
        }
    }

    /// The deliveries of the next transaction.
    fn next(&self, rows_max: usize) -> Vec<Parcel> {
        let mut queue = self.queue();
        let (mut batch, mut rows, mut bytes) = (vec![], 0, 0);
        while let Some(parcel) = queue.parcels.front() {
            rows += parcel.rows.len();
            bytes += parcel.bytes();
            if !batch.is_empty() && (rows > rows_max || bytes > BATCH_BYTES_MAX) {
                break;
            }
            queue.bytes = queue.bytes.saturating_sub(parcel.bytes());
            batch.extend(queue.parcels.pop_front());
        }
        batch
    }
}

/// A committer's place, given back if the committer breaks off.
struct Place<'a> {
    intake: &'a Intake,
    held: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.held {
            let mut queue = self.intake.queue();
            queue.committers = queue.committers.saturating_sub(1);
        }
    }
}

impl Inbox {
    /// Stores a delivery's events together. Returns after the commit.
    pub(super) async fn deposit(&self, rows: Vec<NewRow>) -> Result<Stored, NotStored> {
        if rows.is_empty() {
            return Ok(Stored::Duplicate);
        }
        let (reply, stored) = oneshot::channel();
        let parcel = Parcel { rows, reply };
        let tuning = self.context.tuning();
        {
            let mut queue = self.handles.intake.queue();
            let bytes = queue.bytes + parcel.bytes();
            if queue.parcels.len() >= tuning.queue || bytes > tuning.queue_bytes {
                return Err(NotStored);
            }
            queue.bytes = bytes;
            queue.parcels.push_back(parcel);
            if queue.committers < tuning.committers {
                queue.committers += 1;
                // The commit is a task of its own: a request that is given up must not break off a transaction that others share.
                tokio::spawn(commit_all(self.clone()));
            }
        }
        match timeout(WAIT_MAX, stored).await {
            Ok(Ok(stored)) => stored,
            _ => Err(NotStored),
        }
    }

    /// How many deliveries wait for their commit.
    #[must_use]
    pub fn intake_depth(&self) -> usize {
        self.handles.intake.depth()
    }
}

/// Commits until no delivery waits. The transaction begins before its deliveries are taken from the queue, so that deliveries that
/// arrive while it waits for its turn still join.
async fn commit_all(inbox: Inbox) {
    let mut place = Place { intake: &inbox.handles.intake, held: true };
    while inbox.handles.intake.goes_on() {
        inbox.handles.intake.gather(inbox.context.tuning().batch).await;
        let tx = inbox.context.store().begin().await;
        let parcels = inbox.handles.intake.next(inbox.context.tuning().batch);
        // Another committer may have taken the deliveries meanwhile.
        if !parcels.is_empty() {
            commit(&inbox, tx, parcels).await;
        }
    }
    place.held = false;
}

async fn commit(inbox: &Inbox, tx: Result<Tx, Error>, parcels: Vec<Parcel>) {
    let rows: usize = parcels.iter().map(|parcel| parcel.rows.len()).sum();
    metrics::histogram!("till_inbox_batch_rows").record(u32::try_from(rows).unwrap_or(u32::MAX));
    let written = match tx {
        Ok(tx) => write(inbox, tx, &parcels).await,
        Err(error) => Err(error),
    };
    match written {
        Ok(stored) => answer(parcels, stored.into_iter().map(Ok)),
        Err(error) if error.is_of_one() && parcels.len() > 1 => {
            error!(%error, deliveries = parcels.len(), "deliveries could not be stored together; storing them one by one");
            for parcel in parcels {
                let stored = write_alone(inbox, &parcel).await;
                answer(vec![parcel], std::iter::once(stored));
            }
        }
        Err(error) => {
            tell(&error, parcels.len());
            let stored = vec![Err(NotStored); parcels.len()];
            answer(parcels, stored.into_iter());
        }
    }
}

async fn write_alone(inbox: &Inbox, parcel: &Parcel) -> Result<Stored, NotStored> {
    let written = async { write(inbox, inbox.context.store().begin().await?, std::slice::from_ref(parcel)).await };
    match written.await {
        Ok(stored) => stored.first().copied().ok_or(NotStored),
        Err(error) => {
            tell(&error, 1);
            Err(NotStored)
        }
    }
}

fn tell(error: &Error, deliveries: usize) {
    error!(%error, deliveries, "deliveries could not be stored; the providers are asked to try again");
}

fn answer(parcels: Vec<Parcel>, stored: impl Iterator<Item = Result<Stored, NotStored>>) {
    for (parcel, stored) in parcels.into_iter().zip(stored) {
        // A request that has been given up no longer waits for its reply.
        let _ = parcel.reply.send(stored);
    }
}

/// Writes deliveries in one transaction, and hands the new events to this server's appliers if they have room.
async fn write(inbox: &Inbox, mut tx: Tx, parcels: &[Parcel]) -> Result<Vec<Stored>, Error> {
    let context = &inbox.context;
    let numbered = parcels.iter().enumerate().flat_map(|(of, parcel)| parcel.rows.iter().map(move |row| (of, row)));
    let mut rows: Vec<(usize, &NewRow)> = numbered.collect();
    rows.sort_unstable_by_key(|(_, row)| (&row.account, &row.event));
    let (owners, rows): (Vec<usize>, Vec<&NewRow>) = rows.into_iter().unzip();
    let found = stranger::find(context, &mut tx, &rows).await?;
    let is_pending = |row: &NewRow| row.idle.is_none() && !found.contains_key(&row.id);
    let pending = || rows.iter().filter(|row| is_pending(row));
    let sender = inbox.handles.handover.sender().filter(|_| pending().all(|row| row.body.len() <= HANDED_BYTES_MAX));
    let places = sender.as_ref().and_then(|sender| sender.try_reserve_many(pending().count()).ok());
    let now = context.env().now();
    // Events that are handed over count as taken up. If this server dies, they become due for another.
    let (due, tries) = if places.is_some() { (now + context.tuning().lease, 1) } else { (now, 0) };
    let fresh = inbox::insert(&mut tx, &ENGINE, &rows, &found, due, tries).await?;
    tx.commit().await?;
    let mut stored = vec![Stored::Duplicate; parcels.len()];
    for (of, _) in owners.iter().zip(&fresh).filter(|(_, fresh)| **fresh) {
        stored[*of] = Stored::Fresh;
    }
    let is_idle = |row: &NewRow| row.idle.is_some() || found.get(&row.id) == Some(&Found::Idle);
    let idle = rows.iter().zip(&fresh).filter(|(row, fresh)| **fresh && is_idle(row)).count();
    metrics::counter!("till_inbox_applied_total").increment(idle as u64);
    InboxState::Ignored.count(idle as u64);
    let new = rows.iter().zip(fresh).filter(|(row, fresh)| *fresh && is_pending(row)).map(|(row, _)| *row);
    match places {
        Some(places) => places.zip(new).for_each(|(place, row)| place.send(taken(row, due, tries))),
        None if new.count() > 0 => context.wake_for(Work { jobs: false, deliveries: true }),
        None => {}
    }
    Ok(stored)
}

fn taken(row: &NewRow, due: Millis, tries: i64) -> Taken {
    Taken {
        id: row.id.clone(),
        account: row.account.clone(),
        body: Ok(row.body.clone()),
        received: row.received,
        due,
        tries,
        handed: true,
        reading: row.reading.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn push(intake: &Intake) {
        intake.queue().parcels.push_back(Parcel { rows: vec![], reply: oneshot::channel().0 });
    }

    /// A task that reads a delivery at some of its turns, and counts its turns.
    fn reads(intake: &Arc<Intake>, turns: Vec<bool>) -> Arc<AtomicUsize> {
        let (intake, count) = (intake.clone(), Arc::new(AtomicUsize::new(0)));
        let counted = count.clone();
        tokio::spawn(async move {
            for reads in turns {
                if reads {
                    push(&intake);
                }
                count.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
            }
        });
        counted
    }

    /// The number of deliveries that are together in the end, and the number of turns that took.
    async fn gathered(turns: Vec<bool>, rows_max: usize) -> (usize, usize) {
        let intake = Arc::new(Intake::default());
        push(&intake);
        let turns = reads(&intake, turns);
        intake.gather(rows_max).await;
        (intake.depth(), turns.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn what_has_come_in_comes_along_and_nobody_waits_for_more() {
        let idle = || vec![false; 20];
        assert_eq!(gathered(idle(), 256).await, (1, 1));
        assert_eq!(gathered([vec![true; 5], idle()].concat(), 256).await, (6, 6));
        assert_eq!(gathered([vec![true, false, true], idle()].concat(), 256).await, (2, 2));
        assert_eq!(gathered(vec![true; 1_000], 3).await, (3, 2));
        assert_eq!(gathered(vec![true; 1_000], 1).await, (1, 0));
        assert_eq!(gathered(vec![true; 1_000], 256).await, (1 + TURNS_MAX, TURNS_MAX));
    }
}
