//! Providers' deliveries.

use std::mem;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State as Shared};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use connectors::Reply;
use engine::{Addressee, Received};
use tokio::time::timeout;

use super::receiving::unread;
use super::{REQUEST_TIMEOUT, Site, State, guard};

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

/// The reply is the provider's dialect and follows the commit. First the account is looked up, so that a body for none is not even
/// read; then the body is received; only then it is the delivery's turn.
async fn take(state: &Site, of: Result<Of, PathRejection>, mut request: Request) -> Response {
    let Ok(Path((provider, account))) = of else { return unread(no_such_account()) };
    let addressee = match look_up(state, &provider, &account).await {
        Ok(addressee) => addressee,
        Err(reply) => return unread(*reply),
    };
    let headers = mem::take(request.headers_mut());
    let body = match guard::whole(&state.deliveries_arriving, &mut request, BYTES_MAX).await {
        Ok(body) => body,
        Err(trouble) => return trouble.into_response(),
    };
    let Some(_turn) = guard::turn(&state.deliveries).await else { return guard::busy() };
    let received = state.engine.receive_for(&addressee, &headers, body.bytes.clone());
    timeout(REQUEST_TIMEOUT, received).await.map_or_else(|_| guard::busy(), reply)
}

/// The account that a delivery is addressed to, or the reply. It needs a turn too, because it may ask the database.
async fn look_up(state: &Site, provider: &str, account: &str) -> Result<Addressee, Box<Response>> {
    let turn = guard::turn(&state.deliveries).await.ok_or_else(|| Box::new(guard::busy()))?;
    let found = timeout(REQUEST_TIMEOUT, state.engine.addressee(provider, account)).await;
    drop(turn);
    let found = found.map_err(|_| Box::new(guard::busy()))?;
    found.map_err(|received| Box::new(reply(received)))
}

fn reply(received: Received) -> Response {
    match received {
        Received::Reply(reply) => in_dialect(&reply),
        Received::Busy(reply) => {
            let mut response = in_dialect(&reply);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            response
        }
        Received::NoSuchAccount => no_such_account(),
    }
}

fn in_dialect(reply: &Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], reply.body).into_response()
}

fn no_such_account() -> Response {
    (StatusCode::NOT_FOUND, "there is no such provider account\n").into_response()
}
