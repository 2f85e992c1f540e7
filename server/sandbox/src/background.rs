//! The tasks that run beside the HTTP server: timers, webhook deliveries, snapshots.

use std::{sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{Error, clock, core::House, delivery::send, snapshot};

/// The longest sleep between two checks of due times, because the clock may be set.
const LOOK: Duration = Duration::from_secs(1);

/// The time that open connections and deliveries have after the signal to stop.
const DRAIN: Duration = Duration::from_secs(3);

/// The shortest time between two saves. A large state is saved less often.
const SAVE: Duration = Duration::from_secs(1);
const SAVE_SHARE: u32 = 20;

/// Serves until cancelled, then saves.
pub async fn run(
    house: Arc<House>,
    router: axum::Router,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let mut tasks = JoinSet::new();
    tasks.spawn(deliver(house.clone(), shutdown.clone()));
    if house.snapshot.is_some() {
        tasks.spawn(keep_saving(house.clone(), shutdown.clone()));
    }
    let stopped = shutdown.clone();
    let serve = axum::serve(listener, router).with_graceful_shutdown(async move { stopped.cancelled().await });
    let served = tokio::select! {
        served = serve => served,
        // Pages and faults may hold a connection open on purpose, but they must not delay the stop.
        () = async { shutdown.cancelled().await; tokio::time::sleep(DRAIN).await } => Ok(()),
    };
    shutdown.cancel();
    let drained = tokio::time::timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!("sandbox tasks did not end in time");
    }
    snapshot::save(&house).await?;
    served.map_err(Error::from)
}

/// Runs timers and sends due deliveries, for ever.
async fn deliver(house: Arc<House>, shutdown: CancellationToken) {
    let mut sending = JoinSet::new();
    loop {
        let mut next_ms: Option<i64> = None;
        for provider in &house.providers {
            let work = provider.work();
            for (key, parcel) in work.parcels {
                sending.spawn(send(provider.clone(), house.client.clone(), key, parcel));
            }
            next_ms = [next_ms, work.next_ms].into_iter().flatten().min();
        }
        while sending.try_join_next().is_some() {}
        let wait = next_ms
            .map_or(LOOK, |at_ms| Duration::from_millis(u64::try_from(at_ms - clock::now_ms()).unwrap_or(0)).min(LOOK));
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = house.shared.wake.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    let _ = tokio::time::timeout(DRAIN / 2, async { while sending.join_next().await.is_some() {} }).await;
}

async fn keep_saving(house: Arc<House>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = house.shared.dirty.notified() => {}
        }
        let started = Instant::now();
        if let Err(error) = snapshot::save(&house).await {
            tracing::warn!(%error, "sandbox snapshot not saved");
        }
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = tokio::time::sleep(SAVE.max(started.elapsed() * SAVE_SHARE)) => {}
        }
    }
}
