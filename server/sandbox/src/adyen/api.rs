//! Adyen's own steps in the handling of an API request.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, header},
    response::Response,
    routing::any,
};
use serde_json::Value;

use super::{
    Core, auth,
    error::ApiError,
    idempotency, ids,
    operation::{self, Ctx, Run},
    state::{Account, Adyen},
};
use crate::{
    api::{
        self, Api, Asked, Incoming, Refusal,
        reply::{self, Outgoing},
    },
    clock,
    control::faults::spoil,
    idempotency::{Limits, Reply, Unusable},
    route::Found,
};

/// The API versions that are alike as far as this sandbox simulates them.
const VERSIONS: [&str; 2] = ["/adyen/v71/", "/adyen/v72/"];

/// The API's addresses.
pub fn router() -> Router<Arc<Core>> {
    let handle = || any(api::handle::<Adyen>);
    Router::new().route("/adyen/v71/{*path}", handle()).route("/adyen/v72/{*path}", handle())
}

impl Api for Adyen {
    const LIMITS: Limits = idempotency::LIMITS;
    type Error = ApiError;
    type Run = Run;
    type Input = ();

    fn request_id() -> String {
        ids::psp()
    }

    fn key(headers: &HeaderMap) -> Result<String, ApiError> {
        auth::key(headers)
    }

    fn find(incoming: &Incoming) -> Result<Found<'_, Run>, ApiError> {
        let path = incoming.uri.path();
        let below = VERSIONS.iter().find_map(|version| path.strip_prefix(version)).unwrap_or_default();
        operation::find(incoming.method.as_str(), below)
    }

    /// Each operation reads the body itself. This step checks only that the content type of a body is JSON.
    fn read(incoming: &Incoming) -> Result<(), ApiError> {
        let kind = incoming.headers.get(header::CONTENT_TYPE);
        let json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if json || incoming.body.is_empty() { Ok(()) } else { Err(ApiError::media_type()) }
    }

    fn unusable(unusable: &Unusable, _key: &str, _path: &str) -> ApiError {
        idempotency::refusal(unusable)
    }

    /// Every reply is kept under its idempotency key, including a refusal.
    async fn run(core: &Core, asked: Asked<'_, Self>) -> Outgoing {
        let Asked { incoming, key, found: (operation, id), given_key, .. } = asked;
        let refuse = |error: ApiError| error.refuse(&incoming.request_id);
        let run = |account: &mut Account| {
            let query = incoming.uri.query().unwrap_or_default();
            let now_ms = clock::now_ms();
            let mut ctx = Ctx { account, now_ms, base: core.base(), id, body: &incoming.body, query };
            let reply = match (operation.run)(&mut ctx) {
                Ok((status, body)) => Reply { status, body },
                Err(error) => refuse(error).reply,
            };
            if let Some(given) = &given_key {
                account.common.keys.finish(given, reply.clone());
            }
            reply
        };
        let reply = api::with_account(core, &incoming.method, key, |account| account.answering(run).0).await;
        reply.map_or_else(|| refuse(ApiError::rate_limited()), Outgoing::from)
    }

    fn unheard_of(body: &mut Value) {
        spoil::unheard_of(body, &["status", "errorCode", "errorType"]);
    }

    fn respond(request_id: &str, asked: &HeaderMap, outgoing: &Outgoing) -> Response {
        let body = &outgoing.reply.body;
        let mut headers = vec![
            ("content-type", "application/json;charset=UTF-8"),
            ("pspreference", body["pspReference"].as_str().unwrap_or(request_id)),
        ];
        if outgoing.transient {
            headers.push(("transient-error", "true"));
        }
        let json = serde_json::to_vec(body).unwrap_or_default();
        reply::json(outgoing.reply.status, json, asked, &headers)
    }
}
