//! Runs a server: listeners, background work, and an orderly end.

use std::sync::Arc;
use std::time::Duration;

use engine::Engine;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::bounds::Bounds;
use crate::files::Held;
use crate::http::address::Networks;
use crate::http::{self, Door};

/// The most time for requests and jobs to finish after the signal to stop.
const DRAIN_MAX: Duration = Duration::from_secs(25);

/// Serves until `shutdown`, then drains. The lock on the database's file is released last.
pub(crate) async fn serve(
    engine: Engine,
    listener: TcpListener,
    ops: TcpListener,
    (bounds, proxies, held): (Bounds, Networks, Option<Held>),
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let metrics = http::Metrics::install();
    let pages = http::router(engine.clone(), bounds, proxies.clone())?;
    let front = Door { connections: bounds.connections, connections_of_peer: bounds.connections_of_peer, proxies };
    let back = Door { connections: bounds.operations, connections_of_peer: bounds.operations, ..front.clone() };
    let held = held.map(Arc::new);
    let operations = http::operations(engine.clone(), metrics, held.clone());
    let background = tokio::spawn({
        let (engine, shutdown) = (engine.clone(), shutdown.clone());
        async move { engine.run(shutdown).await }
    });
    let ops_task = tokio::spawn(http::serve(ops, operations, back, shutdown.clone()));
    let serving = http::serve(listener, pages, front, shutdown.clone());
    let drained = async {
        let result = serving.await;
        // If one listener fails, the whole server must stop.
        shutdown.cancel();
        let as_told = background.await.unwrap_or(false);
        let _ = ops_task.await;
        if as_told { result } else { Err(std::io::Error::other("background work broke off; see the log")) }
    };
    let bounded = async {
        shutdown.cancelled().await;
        tokio::time::sleep(DRAIN_MAX).await;
    };
    let result = tokio::select! {
        result = drained => result,
        () = bounded => {
            warn!("some requests did not finish in {DRAIN_MAX:?}; what they were doing is finished by jobs at the next start");
            Ok(())
        }
    };
    let _ = timeout(Duration::from_secs(2), engine.store().close()).await;
    drop(held);
    info!("stopped");
    result
}

/// A token that is cancelled by Ctrl-C or SIGTERM.
pub(crate) fn stop_signal() -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stop.cancel();
        info!("stopping");
    });
    Ok(token)
}
