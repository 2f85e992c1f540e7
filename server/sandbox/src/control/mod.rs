//! The control API and page: what a tester turns to make things go wrong, and to see what happened.

mod accounts;
mod fault_api;
pub mod faults;
pub mod number;
mod page;
mod reports;
mod switches;

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::Request,
    http::{Method, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::core::Core;

/// Rows in one report.
pub const ROWS: usize = 2_000;

/// Extra copies of one delivery.
pub const DUPLICATES: u32 = 20;

/// The control addresses.
pub fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/_control/webhooks", get(switches::show).post(switches::webhooks))
        .route("/_control/reset", post(switches::reset))
        .route("/_control/advance", post(switches::advance))
        .route("/_control/faults", get(switches::show).post(fault_api::add).delete(fault_api::clear))
        .route("/_control/faults/kinds", get(fault_api::kinds))
        .route("/_control/faults/{id}", delete(fault_api::remove))
        .route("/_control/seed", get(fault_api::show_seed).post(fault_api::seed))
        .route("/_control/disputes", post(switches::dispute))
        .route("/_control/disputes/{id}/close", post(switches::close_dispute))
        .route("/_control/stripe/version", post(accounts::set_version))
        .route("/_control/stripe/pricing", post(accounts::set_pricing))
        .route("/_control/stripe/keys", post(accounts::restrict))
        .route("/_control/stripe/payments/{intent}/run_out", post(accounts::run_out))
        .route("/_control/events/{id}/resend", post(switches::resend))
        .route("/_control/calls", get(reports::calls))
        .route("/_control/stats", get(reports::stats))
        .route("/_control/deliveries", get(reports::deliveries))
        .merge(page::router())
        .merge(crate::adyen::control::router())
        .layer(middleware::from_fn(same_site))
}

/// Another site's page, open in the same browser, must not turn the switches.
async fn same_site(request: Request, next: Next) -> Response {
    let foreign = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    if foreign && request.method() != Method::GET {
        return refuse(StatusCode::FORBIDDEN, "The control API cannot be used from another site.");
    }
    next.run(request).await
}

/// A refusal with a sentence for the caller.
pub fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": { "message": message } }))).into_response()
}

fn reply(value: Value) -> Response {
    Json(value).into_response()
}

/// Reads a JSON body; an empty one is `{}`.
pub fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Box<Response>> {
    let bytes = if body.is_empty() { b"{}" } else { body.as_ref() };
    serde_json::from_slice(bytes).map_err(|error| Box::new(refuse(StatusCode::BAD_REQUEST, &error.to_string())))
}
