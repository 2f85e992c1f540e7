//! All addresses of the sandbox in one router.

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde_json::json;

use crate::{
    adyen, api, control,
    core::Core,
    stripe::{self, api::Stripe},
};

/// The router.
pub fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v1", any(api::handle::<Stripe>))
        .route("/v1/{*path}", any(api::handle::<Stripe>))
        .merge(stripe::hosted::router())
        .merge(adyen::api::router())
        .merge(adyen::hosted::router())
        .route("/adyen/reports/{merchant_account}/{name}", get(adyen::reports::download))
        .merge(control::router())
        .route("/healthz", get(async || "ok"))
        .route(
            "/assets/sandbox.css",
            get(async || {
                let text = concat!(include_str!("page/sandbox.css"), include_str!("control/page/control.css"));
                asset("text/css; charset=utf-8", text)
            }),
        )
        .route(
            "/assets/sandbox.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("page/sandbox.js"))),
        )
        .fallback(async || {
            (
                StatusCode::NOT_FOUND,
                Json(
                    json!({"error": {"type": "invalid_request_error", "message": "There is nothing at this address."}}),
                ),
            )
        })
        .with_state(core)
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}
