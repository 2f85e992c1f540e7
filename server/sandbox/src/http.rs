//! All addresses of the sandbox in one router.

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use crate::{control, core::House};

/// The router.
pub fn router(house: &Arc<House>) -> Router {
    let providers = house.providers.iter().fold(Router::new(), |all, provider| all.merge(provider.clone().router()));
    providers
        .merge(control::router(house))
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
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}
