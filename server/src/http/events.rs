//! News for an open page, as server-sent events.

use std::convert::Infallible;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Shared};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, DATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::id::Token;
use engine::{Engine, Follower, PageError};
use futures::Stream;
use futures::stream::unfold;
use tokio::time::{Instant, sleep_until};

use super::State;
use super::address::Client;
use super::door::{Lasting, turned_away};
use super::guard;
use super::receiving::unread;
use super::streams::{NoPlace, Place};

/// How long a stream is silent before a comment keeps proxies from closing it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// After this time the browser reconnects, so that no stream lives for ever.
const STREAM_MAX: Duration = Duration::from_secs(30 * 60);

struct Open {
    follower: Follower,
    ends: Instant,
    _place: Place,
}

/// Sends the session's revision now and after every change. The page then fetches its state. Without a place for a
/// stream, the page polls now and then.
pub(super) async fn stream(Shared(state): Shared<State>, Path(token): Path<String>, client: Client) -> Response {
    let Ok(token) = token.parse::<Token>() else { return StatusCode::NOT_FOUND.into_response() };
    let place = match state.streams.take(&token, client) {
        Ok(place) => place,
        // The connection was opened for the stream and has no other use.
        Err(NoPlace::Share(of)) => {
            turned_away(of);
            return unread(guard::too_many());
        }
        Err(NoPlace::Full) => {
            turned_away("streams");
            return unread(guard::busy());
        }
    };
    match state.engine.checkout().follow(&token).await {
        Ok(follower) => {
            let open = Open { follower, ends: Instant::now() + STREAM_MAX, _place: place };
            reply(&state.engine, Body::from_stream(parts(open)))
        }
        Err(PageError::NotFound) => StatusCode::NOT_FOUND.into_response(),
        Err(PageError::Busy) => guard::busy(),
    }
}

fn reply(engine: &Engine, body: Body) -> Response {
    let mut reply = Response::new(body);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // The server adds no date to a lasting reply.
    let now = Duration::from_millis(u64::try_from(engine.now()).unwrap_or(0));
    if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(UNIX_EPOCH + now)) {
        headers.insert(DATE, date);
    }
    reply.extensions_mut().insert(Lasting);
    reply
}

fn parts(open: Open) -> impl Stream<Item = Result<Bytes, Infallible>> {
    unfold(open, |mut open| async move {
        let silent = open.ends.min(Instant::now() + KEEP_ALIVE);
        let part = tokio::select! {
            next = open.follower.next() => next.ok().map(|revision| format!("event: status\ndata: {revision}\n\n").into()),
            () = sleep_until(silent) => (silent < open.ends).then(|| Bytes::from_static(b":\n\n")),
        };
        part.map(|part| (Ok(part), open))
    })
}
