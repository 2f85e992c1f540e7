//! Replies: status, headers, body.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::Response,
};

use super::error::ApiError;
use crate::{control::faults::Kind, idempotency::Reply};

/// What goes back.
#[derive(Debug)]
pub struct Outgoing {
    /// Status and body.
    pub reply: Reply,
    /// Whether it was stored before.
    pub replayed: bool,
    /// Whether the same request may succeed later under the same idempotency key.
    pub transient: bool,
    /// What went wrong on purpose.
    pub fault: Option<Kind>,
}

impl From<Reply> for Outgoing {
    fn from(reply: Reply) -> Self {
        Outgoing { reply, replayed: false, transient: false, fault: None }
    }
}

/// The reply to a request that is refused.
pub fn refuse(error: &ApiError, request_id: &str) -> Outgoing {
    let reply = Reply { status: error.status, body: error.body(request_id) };
    Outgoing { transient: error.transient, ..reply.into() }
}

/// The reply with the headers the provider sends.
pub fn respond(request_id: &str, asked: &HeaderMap, outgoing: &Outgoing) -> Response {
    let body = serde_json::to_vec(&outgoing.reply.body).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(outgoing.reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    };
    put("content-type", "application/json;charset=UTF-8");
    put("cache-control", "no-cache, no-store");
    put("pspreference", outgoing.reply.body["pspReference"].as_str().unwrap_or(request_id));
    if let Some(key) = asked.get("idempotency-key").and_then(|key| key.to_str().ok()) {
        put("idempotency-key", key);
    }
    if outgoing.transient {
        put("transient-error", "true");
    }
    if outgoing.reply.status == 429 {
        put("retry-after", "1");
    }
    response
}
