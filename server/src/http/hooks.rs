//! Providers' deliveries.

use std::mem;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State as Shared};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::{Engine, Received};
use tokio::time::timeout;

use super::{BODY_TIMEOUT, REQUEST_TIMEOUT, Site, State, guard};

/// Where deliveries are sent.
pub(super) const ROUTE: &str = "/hooks/{provider}/{account}";
/// The same as people type it.
pub(super) const ROUTE_WITH_SLASH: &str = "/hooks/{provider}/{account}/";
/// Below this nothing but deliveries is expected.
const PREFIX: &str = "/hooks";

/// Takes a delivery. Its bounds are kept here and not by layers: deliveries come in large numbers, and a layer costs each of them.
pub(super) async fn receive(Shared(state): Shared<State>, of: Result<Of, PathRejection>, request: Request) -> Response {
    guard::counted(ROUTE, take(&state, of, request).await)
}

/// What is sent there otherwise.
pub(super) async fn refuse() -> Response {
    guard::counted(ROUTE, StatusCode::METHOD_NOT_ALLOWED.into_response())
}

/// What is sent to an address that is near the right one and leads nowhere. It leaves a trace: a provider gives up after some days,
/// and nobody would know why.
pub(super) async fn lost(state: &Site, path: &str) -> Option<Response> {
    let rest = path.strip_prefix(PREFIX).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
    state.engine.lost(rest.trim_start_matches('/')).await;
    Some(no_such_account())
}

/// Provider and account.
type Of = Path<(String, String)>;

/// The reply is the provider's dialect and follows the commit.
async fn take(state: &Site, of: Result<Of, PathRejection>, mut request: Request) -> Response {
    let Ok(Path((provider, account))) = of else {
        state.engine.lost("").await;
        return no_such_account();
    };
    let Some(bytes_max) = Engine::delivery_bytes_max(&provider) else {
        state.engine.no_account(&provider, &account).await;
        return no_such_account();
    };
    let Some(_turn) = guard::turn(&state.deliveries).await else { return guard::busy() };
    DefaultBodyLimit::max(bytes_max).apply(&mut request);
    let headers = mem::take(request.headers_mut());
    let body = match timeout(BODY_TIMEOUT, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) => {
            let response = rejection.into_response();
            if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
                state.engine.turn_away_large(&provider, &account).await;
            }
            return response;
        }
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
