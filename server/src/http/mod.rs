//! HTTP: shopper pages, server functions, events, webhooks, assets; and the operations' own listener.

mod assets;
mod events;
mod functions;
mod guard;
mod hooks;
mod ops;
mod pages;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use app::pages::Assets;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{any, get, post};
use engine::Engine;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::{RequestBodyDeadlineLayer, TimeoutLayer};

pub use ops::{Metrics, operations};

/// A form of ours has a few short fields.
const FORM_BYTES_MAX: usize = 16 * 1024;
/// No page takes longer, except an event stream.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);
/// A body that takes longer to arrive is not worth waiting for.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests of shoppers worked on at a time, event streams apart.
const REQUESTS_MAX: usize = 512;
/// Deliveries worked on at a time. Apart from the shoppers', so that neither can starve the other.
const DELIVERIES_MAX: usize = 256;
/// Open event streams.
const STREAMS_MAX: usize = 10_000;

/// What the handlers share. Every layer of every request clones it.
pub(crate) type State = Arc<Site>;

/// See [`State`].
pub(crate) struct Site {
    pub engine: Engine,
    pub assets: Arc<Assets>,
    pub requests: Semaphore,
    pub deliveries: Semaphore,
    pub streams: Arc<Semaphore>,
    pub shutdown: CancellationToken,
    /// Whether browsers reach us by https, so that they may be told to keep to it.
    pub encrypted: bool,
}

/// Everything that is served to the public.
pub fn router(engine: Engine, shutdown: CancellationToken) -> std::io::Result<Router> {
    let state = Arc::new(Site {
        encrypted: engine.public_url().starts_with("https:"),
        engine,
        assets: Arc::new(assets::load()?),
        requests: Semaphore::new(REQUESTS_MAX),
        deliveries: Semaphore::new(DELIVERIES_MAX),
        streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        shutdown,
    });
    let functions = Router::new()
        .route("/fn/{name}", any(functions::call))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(guard::same_origin(&state).map_err(std::io::Error::other)?);
    let short = Router::new()
        .route("/", get(pages::home))
        .route("/l/{token}", get(pages::link))
        .route("/c/{token}", get(pages::session))
        .route("/c/{token}/return", get(pages::returned))
        .route("/c/{token}/go", get(pages::go))
        .route("/assets/{file}", get(assets::serve))
        .merge(functions)
        .fallback(pages::not_found)
        .layer(middleware::from_fn_with_state(state.clone(), guard::bounded))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(RequestBodyDeadlineLayer::new(BODY_TIMEOUT))
        .layer(CatchPanicLayer::custom(trouble::panicked))
        .layer(middleware::from_fn_with_state(state.assets.clone(), trouble::dress));
    let routes = Router::new()
        .route("/c/{token}/events", get(events::stream))
        .merge(short)
        .layer(CompressionLayer::new().gzip(true).br(true))
        .layer(middleware::from_fn_with_state(state.clone(), guard::headers))
        .layer(middleware::from_fn(guard::count))
        // Nobody looks at this in a browser: no compression, no headers for pages.
        .route(hooks::ROUTE, post(hooks::receive).fallback(hooks::refuse))
        .with_state(state);
    Ok(routes)
}
