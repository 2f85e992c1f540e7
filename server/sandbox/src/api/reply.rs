//! Replies: status, headers, body, and the two faults that replace a reply.

use std::io;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};

use crate::{control::faults::Kind, idempotency::Reply};

/// A reply and its circumstances.
#[derive(Debug)]
pub struct Outgoing {
    /// The status and the body.
    pub reply: Reply,
    /// Whether the reply was stored before.
    pub replayed: bool,
    /// Whether the same request may succeed later under the same idempotency key. Some providers do not say so.
    pub transient: bool,
    /// The injected fault.
    pub fault: Option<Kind>,
}

impl From<Reply> for Outgoing {
    fn from(reply: Reply) -> Self {
        Outgoing { reply, replayed: false, transient: false, fault: None }
    }
}

/// A reply with a JSON body and these headers. It repeats the caller's idempotency key.
pub fn json(status: u16, body: Vec<u8>, asked: &HeaderMap, headers: &[(&'static str, &str)]) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    };
    put("cache-control", "no-cache, no-store");
    for (name, value) in headers {
        put(name, value);
    }
    if let Some(key) = asked.get("idempotency-key").and_then(|key| key.to_str().ok()) {
        put("idempotency-key", key);
    }
    if status == 429 {
        put("retry-after", "1");
    }
    response
}

/// A lost reply: the connection ends before its first byte.
pub fn cut() -> Response {
    Response::new(Body::from_stream(futures::stream::once(async {
        Err::<Bytes, _>(io::Error::other("cut on purpose"))
    })))
}

/// An HTML page of a gateway or proxy in the place of a reply.
pub fn html(status: u16, request_id: &str) -> Response {
    let title = if status == 200 { "One moment, please" } else { "502 Bad Gateway" };
    let mut response = Response::new(Body::from(format!(
        "<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    )));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("request-id", value);
    }
    response
}
