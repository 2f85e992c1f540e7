//! For operators: `/healthz`, `/readyz` and `/metrics`, on a listener of their own.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine::Engine;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::files::Held;

/// The process's metrics.
#[derive(Clone)]
pub struct Metrics(Option<PrometheusHandle>);

impl Metrics {
    /// Begins to collect metrics. Several servers in one process, as in tests, share one collection.
    pub fn install() -> Metrics {
        static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
        Metrics(HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).clone())
    }
}

/// The state that the handlers share.
#[derive(Clone)]
struct Site {
    engine: Engine,
    metrics: Metrics,
    held: Option<Arc<Held>>,
}

/// The routes for operators. `held` is the server's lock on an SQLite file.
pub fn operations(engine: Engine, metrics: Metrics, held: Option<Arc<Held>>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(collect))
        .with_state(Site { engine, metrics, held })
}

/// The server is ready if the database is where it was opened, answers, has this version's structure and can be
/// written, and the master key opens the credentials.
async fn ready(State(site): State<Site>) -> Response {
    let not = |why: &dyn std::fmt::Display| (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response();
    // The file's place is checked first, because a query opens connections.
    if let Some(held) = &site.held
        && let Err(why) = held.check_place().await
    {
        return not(&why);
    }
    match site.engine.readiness().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => not(&why),
    }
}

async fn collect(State(Site { engine, metrics, .. }): State<Site>) -> Response {
    if let Ok(waiting) = engine.backlog().await {
        metrics::gauge!("till_inbox_backlog").set(waiting as f64);
    }
    metrics::gauge!("till_inbox_queue").set(engine.inbox().intake_depth() as f64);
    match metrics.0 {
        Some(handle) => ([(CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
