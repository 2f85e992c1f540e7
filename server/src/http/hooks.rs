//! Providers' deliveries.

use std::mem;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State as Shared};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::Received;
use tokio::time::timeout;

use super::{BODY_TIMEOUT, REQUEST_TIMEOUT, Site, State, guard};

/// Providers' deliveries are a few kilobytes; a batch may be larger.
const BYTES_MAX: usize = 512 * 1024;

/// Where deliveries are sent.
pub(super) const ROUTE: &str = "/hooks/{provider}/{account}";

/// Takes a delivery. Its bounds are kept here and not by layers: deliveries come in large numbers, and a layer costs each of them.
pub(super) async fn receive(Shared(state): Shared<State>, of: Result<Of, PathRejection>, request: Request) -> Response {
    guard::counted(ROUTE, take(&state, of, request).await)
}

/// What is sent there otherwise.
pub(super) async fn refuse() -> Response {
    guard::counted(ROUTE, StatusCode::METHOD_NOT_ALLOWED.into_response())
}

/// Provider and account.
type Of = Path<(String, String)>;

/// The reply is the provider's dialect and follows the commit.
async fn take(state: &Site, of: Result<Of, PathRejection>, mut request: Request) -> Response {
    let Ok(Path((provider, account))) = of else { return no_such_account() };
    let Some(_turn) = guard::turn(&state.deliveries).await else { return guard::busy() };
    DefaultBodyLimit::max(BYTES_MAX).apply(&mut request);
    let headers = mem::take(request.headers_mut());
    let body = match timeout(BODY_TIMEOUT, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) => return rejection.into_response(),
        Err(_) => return (StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive\n").into_response(),
    };
    let received = state.engine.receive(&provider, &account, &headers, body);
    let (reply, busy) = match timeout(REQUEST_TIMEOUT, received).await {
        Ok(Received::Reply(reply)) => (reply, false),
        Ok(Received::Busy(reply)) => (reply, true),
        Ok(Received::NoSuchAccount) => return no_such_account(),
        Err(_) => return guard::busy(),
    };
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], reply.body).into_response();
    if busy {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

fn no_such_account() -> Response {
    (StatusCode::NOT_FOUND, "there is no such provider account\n").into_response()
}
