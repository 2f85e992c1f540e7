//! What runs beside the HTTP server: timers, webhook deliveries, snapshots.

use std::{sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, adyen, clock,
    core::Core,
    snapshot,
    stripe::webhooks::{self, Parcel},
};

/// The longest sleep between two looks at what is due: a clock may be set.
const LOOK: Duration = Duration::from_secs(1);

/// How long open connections and deliveries may take after the signal to stop.
const DRAIN: Duration = Duration::from_secs(3);

/// A save happens at most once per second, and a large state is saved less often.
const SAVE: Duration = Duration::from_secs(1);
const SAVE_SHARE: u32 = 20;

/// Serves until cancelled, then saves.
pub async fn run(
    core: Arc<Core>,
    router: axum::Router,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let mut tasks = JoinSet::new();
    tasks.spawn(deliver(core.clone(), shutdown.clone()));
    if core.snapshot.is_some() {
        tasks.spawn(keep_saving(core.clone(), shutdown.clone()));
    }
    let stopped = shutdown.clone();
    let serve = axum::serve(listener, router).with_graceful_shutdown(async move { stopped.cancelled().await });
    let served = tokio::select! {
        served = serve => served,
        // Pages and faults may hold a connection open on purpose; they do not hold up the end.
        () = async { shutdown.cancelled().await; tokio::time::sleep(DRAIN).await } => Ok(()),
    };
    shutdown.cancel();
    let drained = tokio::time::timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!("sandbox tasks did not end in time");
    }
    snapshot::save(&core).await?;
    served.map_err(Error::from)
}

/// Runs timers and sends what is due, forever.
async fn deliver(core: Arc<Core>, shutdown: CancellationToken) {
    let mut sending = JoinSet::new();
    loop {
        let moment = core.moment();
        let (parcels, adyen, next_ms) = {
            let mut state = core.lock();
            if state.run_timers(moment.now_ms, &moment) > 0 {
                core.dirty.notify_one();
            }
            let adyen: Vec<(String, adyen::notify::Parcel)> = (state.adyen.accounts.iter_mut())
                .filter_map(|(key, account)| Some((key.clone(), account.due_parcel(moment.now_ms)?)))
                .collect();
            let parcels: Vec<(String, Parcel)> = state
                .accounts
                .iter_mut()
                .flat_map(|(key, account)| {
                    account.due_parcels(moment.now_ms).into_iter().map(|parcel| (key.clone(), parcel))
                })
                .collect();
            (parcels, adyen, state.next_due_ms(moment.now_ms))
        };
        for (key, parcel) in parcels {
            sending.spawn(webhooks::send(core.clone(), key, parcel));
        }
        for (key, parcel) in adyen {
            sending.spawn(adyen::notify::send(core.clone(), key, parcel));
        }
        while sending.try_join_next().is_some() {}
        let wait = next_ms
            .map_or(LOOK, |at_ms| Duration::from_millis(u64::try_from(at_ms - clock::now_ms()).unwrap_or(0)).min(LOOK));
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = core.wake.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    let _ = tokio::time::timeout(DRAIN / 2, async { while sending.join_next().await.is_some() {} }).await;
}

async fn keep_saving(core: Arc<Core>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = core.dirty.notified() => {}
        }
        let started = Instant::now();
        if let Err(error) = snapshot::save(&core).await {
            tracing::warn!(%error, "sandbox snapshot not saved");
        }
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = tokio::time::sleep(SAVE.max(started.elapsed() * SAVE_SHARE)) => {}
        }
    }
}
