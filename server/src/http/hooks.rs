//! Receives providers' deliveries.

use std::mem;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State as Shared};
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use connectors::{Delivery, Reply};
use engine::{Addressee, Received};
use tokio::time::timeout;

use super::address::Client;
use super::receiving::{NotArrived, unread};
use super::{REQUEST_TIMEOUT, Site, State, guard};

/// The address of deliveries.
pub(super) const ROUTE: &str = "/hooks/{provider}/{account}";
/// The same address with a slash at the end, as people may type it.
pub(super) const ROUTE_WITH_SLASH: &str = "/hooks/{provider}/{account}/";
/// The prefix of deliveries' addresses, and words that people type instead.
const NEAR: [&str; 4] = ["hooks", "hook", "webhooks", "webhook"];

/// Receives a delivery. The handler keeps the bounds itself: deliveries come in large numbers, and a layer costs time
/// for each.
pub(super) async fn receive(
    Shared(state): Shared<State>,
    of: Result<Of, PathRejection>,
    client: Client,
    request: Request,
) -> Response {
    guard::counted(ROUTE, take(&state, of, client, request).await)
}

/// The reply to a method that the provider does not deliver with. It needs no look-up and leaves no trace: such
/// requests come from people who open the address in a browser.
fn refuse() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "POST")]).into_response()
}

/// Records a delivery to an address that is near the right one and leads nowhere. Without the record the operator would
/// not know why the provider gives up after some days.
pub(super) async fn lost(state: &Site, method: &Method, path: &str) -> Option<Response> {
    let (is_prefix, rest) = near(path)?;
    // Under another prefix only the name of a provider tells a delivery from a scanner's guess.
    let provider = rest.split('/').next().unwrap_or_default();
    if !is_prefix
        && (state.engine.connectors().get(provider).is_none() || !state.engine.inbox().delivers_by(provider, method))
    {
        return None;
    }
    state.engine.inbox().lost(path).await;
    Some(no_such_account())
}

/// Whether an address begins with the prefix itself, and the part after the prefix. An address that begins with neither the prefix nor a
/// word that people type instead has none.
fn near(path: &str) -> Option<(bool, String)> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let first = parts.next()?;
    let is_near = NEAR.iter().any(|near| first.eq_ignore_ascii_case(near));
    is_near.then(|| (first == NEAR[0], parts.collect::<Vec<_>>().join("/")))
}

/// Provider and account.
type Of = Path<(String, String)>;

/// Receives a delivery. The account is looked up first, so that a body for an unknown account is not read. Then the
/// body is received, and only then the delivery takes its turn. The reply is in the provider's dialect and follows the
/// commit.
async fn take(state: &Site, of: Result<Of, PathRejection>, client: Client, mut request: Request) -> Response {
    let Ok(Path((provider, account))) = of else {
        if request.method() != Method::POST {
            return refuse();
        }
        state.engine.inbox().lost("/hooks/").await;
        return unread(no_such_account());
    };
    if !state.engine.inbox().delivers_by(&provider, request.method()) {
        return refuse();
    }
    let addressee = match look_up(state, &provider, &account).await {
        Ok(addressee) => addressee,
        Err(reply) => return unread(*reply),
    };
    let (method, query) = (request.method().clone(), request.uri().query().map(str::to_owned));
    let headers = mem::take(request.headers_mut());
    let body = match guard::whole(&state.deliveries_arriving, &mut request, addressee.delivery_bytes_max()).await {
        Ok(body) => body,
        Err(trouble) => {
            if trouble == NotArrived::TooLarge {
                state.engine.inbox().turn_away_large(&addressee).await;
            }
            return trouble.into_response();
        }
    };
    let Some(_turn) = guard::turn(&state.deliveries).await else { return guard::busy() };
    let delivery = Delivery { method, query, headers, body: body.bytes.clone(), peer: Some(client.address) };
    let received = state.engine.inbox().receive_for(&addressee, &delivery);
    timeout(REQUEST_TIMEOUT, received).await.map_or_else(|_| guard::busy(), reply)
}

/// The account that a delivery is addressed to, or the reply. The look-up takes a turn as well, because it may query
/// the database.
async fn look_up(state: &Site, provider: &str, account: &str) -> Result<Addressee, Box<Response>> {
    let turn = guard::turn(&state.deliveries).await.ok_or_else(|| Box::new(guard::busy()))?;
    let found = timeout(REQUEST_TIMEOUT, state.engine.inbox().addressee(provider, account)).await;
    drop(turn);
    let found = found.map_err(|_| Box::new(guard::busy()))?;
    found.map_err(|received| Box::new(reply(received)))
}

fn reply(received: Received) -> Response {
    match received {
        Received::Reply(reply) => in_dialect(reply),
        Received::Busy(reply) => {
            let mut response = in_dialect(reply);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            response
        }
        Received::NoSuchAccount => no_such_account(),
    }
}

fn in_dialect(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = reply.content_type.unwrap_or("text/plain; charset=utf-8");
    (status, [(CONTENT_TYPE, content_type), (X_CONTENT_TYPE_OPTIONS, "nosniff")], reply.body).into_response()
}

fn no_such_account() -> Response {
    (StatusCode::NOT_FOUND, "there is no such provider account\n").into_response()
}
