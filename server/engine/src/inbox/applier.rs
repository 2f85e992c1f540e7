//! Takes up stored deliveries. Deliveries that this server has just committed come from memory; due deliveries that no other worker has
//! leased come from the database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Millis;
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::apply::apply_all;
use super::{Inbox, Taken};
use crate::context::Context;
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::inbox;

/// Events applied in one transaction.
const BATCH: usize = 256;
/// How long a batch may take to fill, and the pause between events that ends the filling.
const GATHER_MAX: Duration = Duration::from_millis(25);
const PAUSE_MAX: Duration = Duration::from_millis(4);
/// The longest time without a look for deliveries that another server stored.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// The shortest time until the next look, after a look that found no deliveries.
const EMPTY_PAUSE: Duration = Duration::from_millis(50);

/// Hands events from the commit to this server's appliers.
#[derive(Default)]
pub(super) struct Handover {
    sender: Mutex<Option<mpsc::Sender<Taken>>>,
}

impl Handover {
    /// The channel for events, while appliers run on this server.
    pub fn sender(&self) -> Option<mpsc::Sender<Taken>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, sender: Option<mpsc::Sender<Taken>>) {
        *self.sender.lock().unwrap_or_else(PoisonError::into_inner) = sender;
    }
}

/// Applies deliveries until shutdown, then finishes the deliveries that were handed over.
pub(crate) async fn run(inbox: Inbox, shutdown: CancellationToken) {
    let context = inbox.context().clone();
    let (sender, receiver) = mpsc::channel(context.tuning().handover);
    let receiver = Arc::new(AsyncMutex::new(receiver));
    let mut workers = JoinSet::new();
    for _ in 0..context.tuning().appliers {
        workers.spawn(work(context.clone(), Arc::clone(&receiver)));
    }
    workers.spawn(look(context.clone(), shutdown.clone()));
    inbox.handles.handover.set(Some(sender));
    tokio::select! {
        () = shutdown.cancelled() => {}
        ended = workers.join_next() => error!(?ended, "an applier broke off"),
    }
    inbox.handles.handover.set(None);
    if shutdown.is_cancelled() {
        while workers.join_next().await.is_some() {}
    }
}

/// Applies the events that are handed over, until the channel is closed.
async fn work(context: Context, receiver: Arc<AsyncMutex<mpsc::Receiver<Taken>>>) {
    loop {
        let rows = gather(&mut *receiver.lock().await).await;
        if rows.is_empty() {
            return;
        }
        apply_all(&context, rows).await;
    }
}

/// Takes the waiting events, and the events that follow without a pause: a transaction costs the same for one event and for many.
async fn gather(receiver: &mut mpsc::Receiver<Taken>) -> Vec<Taken> {
    let mut rows = Vec::with_capacity(BATCH);
    let last = Instant::now() + GATHER_MAX;
    receiver.recv_many(&mut rows, BATCH).await;
    while !rows.is_empty() && rows.len() < BATCH {
        let until = last.min(Instant::now() + PAUSE_MAX);
        let left = BATCH - rows.len();
        match timeout_at(until, receiver.recv_many(&mut rows, left)).await {
            Ok(more) if more > 0 => {}
            _ => break,
        }
    }
    rows
}

/// Applies the deliveries that are due in the database: left over by a server that died, waiting, failed, or too many to be handed over.
async fn look(context: Context, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let rows = match claim(&context).await {
            Ok(rows) => rows,
            Err(error) => {
                warn!(%error, "no deliveries can be taken up");
                sleep(IDLE_MAX).await;
                continue;
            }
        };
        if !rows.is_empty() {
            apply_all(&context, rows).await;
            continue;
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = context.delivery_work() => {}
            // A due delivery that cannot be claimed is leased by another worker at the moment.
            () = sleep(until_next(&context).await.max(EMPTY_PAUSE)) => {}
        }
    }
}

impl Inbox {
    /// Applies the deliveries that are due in the database and returns their number. For callers that drive the engine by hand instead
    /// of by `Engine::run`.
    pub async fn apply_due(&self) -> Result<usize, Error> {
        let rows = claim(&self.context).await?;
        let count = rows.len();
        apply_all(&self.context, rows).await;
        Ok(count)
    }

    /// When the next delivery is due to be applied, if there is one.
    pub async fn next_delivery_due(&self) -> Result<Option<Millis>, Error> {
        inbox::next_due(&mut *self.context.store().reader().await?, &ENGINE).await
    }
}

async fn claim(context: &Context) -> Result<Vec<Taken>, Error> {
    let now = context.env().now();
    // A read comes first, so that an idle server does not take the write lock every second.
    let due = inbox::next_due(&mut *context.store().reader().await?, &ENGINE).await?;
    if due.is_none_or(|due| due > now) {
        return Ok(vec![]);
    }
    let limit = i64::try_from(BATCH).unwrap_or(1);
    let mut tx = context.store().begin().await?;
    let rows =
        inbox::claim(&mut tx, &ENGINE, context.store().dialect(), now, now + context.tuning().lease, limit).await?;
    tx.commit().await?;
    Ok(rows)
}

async fn until_next(context: &Context) -> Duration {
    let next = async { inbox::next_due(&mut *context.store().reader().await?, &ENGINE).await };
    let wait = match next.await {
        Ok(Some(due)) => due - context.env().now(),
        _ => Millis::MAX,
    };
    Duration::from_millis(u64::try_from(wait).unwrap_or(0)).min(IDLE_MAX)
}
