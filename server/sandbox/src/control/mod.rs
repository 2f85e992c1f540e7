//! The control API and page, with which a tester injects faults and sees what happened.

pub mod every;
mod fault_api;
pub mod faults;
pub mod number;
mod page;
pub mod switches;

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

pub use every::of;

use crate::core::House;

/// The most rows in one report.
pub const ROWS: usize = 2_000;

/// The most extra copies of one delivery.
pub const DUPLICATES: u32 = 20;

/// The control addresses: the shared ones and each provider's.
pub fn router(house: &Arc<House>) -> Router {
    let all = Router::new()
        .route("/_control/reset", post(switches::reset))
        .route("/_control/advance", post(switches::advance))
        .route("/_control/faults", get(switches::show).post(fault_api::add).delete(fault_api::clear))
        .route("/_control/faults/kinds", get(fault_api::kinds))
        .route("/_control/faults/{id}", delete(fault_api::remove))
        .route("/_control/seed", get(fault_api::show_seed).post(fault_api::seed))
        .route("/_control/events/{id}/resend", post(switches::resend))
        .merge(page::router())
        .with_state(house.clone());
    let each = house.providers.iter();
    each.fold(all, |all, provider| all.merge(provider.clone().control())).layer(middleware::from_fn(same_site))
}

/// Refuses changes by another site's page that is open in the same browser.
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

/// A reply in JSON.
pub fn reply(value: Value) -> Response {
    Json(value).into_response()
}

/// Reads a JSON body. An empty body counts as `{}`.
///
/// # Errors
/// Fails with the reply that refuses the request.
pub fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Box<Response>> {
    let bytes = if body.is_empty() { b"{}" } else { body.as_ref() };
    serde_json::from_slice(bytes).map_err(|error| Box::new(refuse(StatusCode::BAD_REQUEST, &error.to_string())))
}
