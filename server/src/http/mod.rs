//! HTTP: shopper pages, server functions, events, webhooks, assets; and the operations' own listener.

pub mod address;
mod assets;
mod door;
mod events;
mod functions;
mod guard;
mod hooks;
mod ops;
mod pages;
mod receiving;
mod seldom;
mod streams;
mod trouble;

use std::sync::{Arc, Once};
use std::time::Duration;

use app::pages::Assets;
use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::Response;
use axum::routing::{any, get};
use engine::Engine;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

use crate::bounds::Bounds;
use address::Networks;
pub use door::{Door, serve};
pub use ops::{Metrics, operations};
use receiving::Receiving;
use seldom::Seldom;
use streams::Streams;

/// The most time for a request, except an event stream.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);
/// The most bytes of deliveries that are held while they arrive and wait for their turn.
const DELIVERY_BYTES: usize = 64 * 1024 * 1024;
/// The most bytes of forms that are held in the same way.
const FORM_BYTES: usize = 8 * 1024 * 1024;

/// The state that the handlers share. Every layer clones it for every request.
type State = Arc<Site>;

/// See [`State`].
struct Site {
    pub engine: Engine,
    pub assets: Arc<Assets>,
    /// Turns of shoppers' requests.
    pub requests: Semaphore,
    pub forms_arriving: Receiving,
    /// Turns of deliveries.
    pub deliveries: Semaphore,
    pub deliveries_arriving: Receiving,
    pub streams: Arc<Streams>,
    pub proxies: Networks,
    /// When an unnamed proxy was last logged.
    pub unnamed_proxy: Seldom,
    /// Whether a remote, unnamed sender of forwarding headers has been logged.
    pub forwarding_stranger: Once,
    /// Whether browsers reach us by https. Only then they are told to keep to it.
    pub encrypted: bool,
}

/// Answers unknown addresses. A request near the deliveries' addresses leaves a trace; any other gets a page.
async fn nowhere(Shared(state): Shared<State>, request: Request) -> Response {
    // The path is copied because a request cannot be shared between threads during the wait.
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match hooks::lost(&state, &method, &path).await {
        Some(response) => response,
        None => pages::not_found.call(request, state).await,
    }
}

/// All routes that are served to the public.
pub fn router(engine: Engine, bounds: Bounds, proxies: Networks) -> std::io::Result<Router> {
    let state = Arc::new(Site {
        encrypted: engine.public_url().starts_with("https:"),
        engine,
        assets: Arc::new(assets::load()?),
        requests: Semaphore::new(bounds.requests),
        forms_arriving: Receiving::new(bounds.bodies, FORM_BYTES),
        deliveries: Semaphore::new(bounds.deliveries),
        deliveries_arriving: Receiving::new(bounds.bodies, DELIVERY_BYTES),
        streams: Streams::new(bounds),
        proxies,
        unnamed_proxy: Seldom::default(),
        forwarding_stranger: Once::new(),
    });
    let functions = Router::new()
        .route("/fn/{name}", any(functions::call))
        .layer(middleware::from_fn_with_state(state.clone(), guard::bounded))
        .layer(middleware::from_fn_with_state(state.clone(), guard::received))
        .layer(guard::same_origin(&state).map_err(std::io::Error::other)?);
    let short = Router::new()
        .route("/", get(pages::home))
        .route("/l/{token}", get(pages::link))
        .route("/c/{token}", get(pages::session))
        .route("/c/{token}/return", get(pages::returned))
        .route("/c/{token}/go", get(pages::go))
        .route("/assets/{file}", get(assets::serve))
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(state.clone(), guard::bounded))
        .merge(functions)
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(CatchPanicLayer::custom(trouble::panicked))
        .layer(middleware::from_fn_with_state(state.assets.clone(), trouble::dress))
        .layer(CompressionLayer::new().gzip(true).br(true));
    let routes = Router::new()
        .route("/c/{token}/events", get(events::stream))
        .merge(short)
        .layer(middleware::from_fn_with_state(state.clone(), guard::headers))
        .layer(middleware::from_fn(guard::count))
        // Only machines read these replies: no compression, no headers for pages.
        .route(hooks::ROUTE, any(hooks::receive))
        .route(hooks::ROUTE_WITH_SLASH, any(hooks::receive))
        .with_state(state);
    Ok(routes)
}
