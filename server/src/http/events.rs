//! News for an open page, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::id::Token;
use engine::{Follower, PageError};
use futures::Stream;
use futures::stream::unfold;
use tokio_util::sync::CancellationToken;

use super::State;
use super::address::Client;
use super::door::{Connection, Streaming, turned_away};
use super::guard;
use super::receiving::unread;
use super::streams::{NoPlace, Place};

/// A comment that keeps proxies from closing a silent stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// After this time the browser connects anew, so that no stream lives for ever.
const STREAM_MAX: Duration = Duration::from_secs(30 * 60);

struct Open {
    follower: Follower,
    shutdown: CancellationToken,
    _place: Place,
    _streaming: Option<Streaming>,
}

/// Sends the session's revision now and after every change. The page then asks what there is to show. Where there is no place for a
/// stream, the page asks by itself now and then.
pub(super) async fn stream(
    Shared(state): Shared<State>,
    Path(token): Path<String>,
    client: Client,
    connection: Option<Extension<Arc<Connection>>>,
) -> Response {
    let Ok(token) = token.parse::<Token>() else { return StatusCode::NOT_FOUND.into_response() };
    let place = match state.streams.take(&token, client) {
        Ok(place) => place,
        // The connection was opened for the stream and is of no other use.
        Err(NoPlace::Share(of)) => {
            turned_away(of);
            return unread(guard::too_many());
        }
        Err(NoPlace::Full) => {
            turned_away("streams");
            return unread(guard::busy());
        }
    };
    match state.engine.follow(&token).await {
        Ok(follower) => {
            let streaming = connection.map(|Extension(connection)| connection.streams());
            let open = Open { follower, shutdown: state.shutdown.clone(), _place: place, _streaming: streaming };
            Sse::new(events(open)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
        }
        Err(PageError::NotFound) => StatusCode::NOT_FOUND.into_response(),
        Err(PageError::Busy) => guard::busy(),
    }
}

fn events(open: Open) -> impl Stream<Item = Result<Event, Infallible>> {
    let ends = tokio::time::Instant::now() + STREAM_MAX;
    unfold(open, move |mut open| async move {
        let next = tokio::select! {
            next = open.follower.next() => next.ok(),
            () = open.shutdown.cancelled() => None,
            () = tokio::time::sleep_until(ends) => None,
        };
        next.map(|revision| (Ok(Event::default().event("status").data(revision)), open))
    })
}
