//! Providers' deliveries.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::Received;

use super::State;

/// Takes a delivery. The reply is the provider's dialect and follows the commit.
pub(super) async fn receive(
    Shared(state): Shared<State>,
    Path((provider, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (reply, busy) = match state.engine.receive(&provider, &account, &headers, body).await {
        Received::Reply(reply) => (reply, false),
        Received::Busy(reply) => (reply, true),
        Received::NoSuchAccount => {
            return (StatusCode::NOT_FOUND, "there is no such provider account\n").into_response();
        }
    };
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], reply.body).into_response();
    if busy {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}
