//! The hosted payment page: its addresses and the shopper's steps. It uses plain forms; scripts only save typing.

mod form;
mod pages;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use serde::Deserialize;

use super::{
    Core,
    objects::session::{Session, SessionStatus},
    payment::{Moment, Step},
    state::Account,
};
use crate::{
    clock,
    delivery::{acknowledged, early},
    page,
};

/// The most bytes of a submitted form.
const FORM: usize = 16 * 1024;

/// The page's addresses.
pub fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/c/pay/{session}", get(show).post(submit).layer(axum::extract::DefaultBodyLimit::max(FORM)))
        .route(
            "/c/pay/{session}/3ds",
            get(show_bank).post(answer_bank).layer(axum::extract::DefaultBodyLimit::max(FORM)),
        )
}

#[derive(Debug, Deserialize)]
struct Shown {
    method: Option<String>,
}

/// `GET /c/pay/{session}`
async fn show(State(core): State<Arc<Core>>, Path(id): Path<String>, Query(shown): Query<Shown>) -> Response {
    match find(&core, &id) {
        None => pages::unknown(),
        Some(session) if !session.payable(clock::now_ms() / 1000) => closed(&session),
        Some(session) => {
            let fields = form::Fields::empty(&session, shown.method.as_deref());
            pages::pay(StatusCode::OK, &session, &fields, session.last_message.as_deref())
        }
    }
}

/// `POST /c/pay/{session}`: a card or a bank account.
async fn submit(State(core): State<Arc<Core>>, Path(id): Path<String>, body: Bytes) -> Response {
    let Some(session) = find(&core, &id) else {
        return pages::unknown();
    };
    let now = clock::now_ms() / 1000;
    if !session.payable(now) {
        return redirect_or_closed(&session);
    }
    let fields = form::Fields::read(&session, &body);
    let instrument = match fields.check(now) {
        Ok(instrument) => instrument,
        Err(refused) => {
            return pages::pay(StatusCode::UNPROCESSABLE_ENTITY, &session, &refused, None);
        }
    };
    let (step, mark) = core.change(|state| {
        let moment = Moment::of(core.now());
        let Some(account) = state.account_of_session(&id) else {
            return (None, Mark::default());
        };
        let mark = Mark::of(account);
        // A form that is sent twice, or again by reloading, counts once.
        let stale = account.sessions.get(&id).is_some_and(|now| fields.attempt.is_some_and(|sent| sent < now.attempts));
        let step = if stale { None } else { Some(account.submit(&id, instrument, &moment)) };
        (step, mark)
    });
    early(&core, mark.deliveries, |state| state.account_of_session(&id)).await;
    let Some(session) = find(&core, &id) else {
        return pages::unknown();
    };
    match step {
        Some(Step::Authenticate) => leave(&format!("/c/pay/{id}/3ds")),
        None if session.authenticating.is_some() => leave(&format!("/c/pay/{id}/3ds")),
        Some(Step::Declined) | None if session.payable(now) => pages::pay(
            StatusCode::PAYMENT_REQUIRED,
            &session,
            &fields.cleared(&session),
            session.last_message.as_deref(),
        ),
        _ => finish(&core, &session, mark).await,
    }
}

/// `GET /c/pay/{session}/3ds`
async fn show_bank(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Response {
    match find(&core, &id) {
        None => pages::unknown(),
        Some(session) if !session.payable(clock::now_ms() / 1000) => closed(&session),
        Some(session) if session.authenticating.is_none() => leave(&format!("/c/pay/{id}")),
        Some(session) => pages::bank(&session),
    }
}

/// `POST /c/pay/{session}/3ds`: `result=complete` or `result=fail`.
async fn answer_bank(State(core): State<Arc<Core>>, Path(id): Path<String>, body: Bytes) -> Response {
    let passed = url::form_urlencoded::parse(&body).any(|(name, value)| name == "result" && value == "complete");
    let (step, mark) = core.change(|state| {
        let moment = Moment::of(core.now());
        let Some(account) = state.account_of_session(&id) else {
            return (Step::Closed, Mark::default());
        };
        let mark = Mark::of(account);
        (account.authenticate(&id, passed, &moment), mark)
    });
    early(&core, mark.deliveries, |state| state.account_of_session(&id)).await;
    match (find(&core, &id), step) {
        (None, _) => pages::unknown(),
        (Some(session), Step::Done) => finish(&core, &session, mark).await,
        (Some(session), Step::Closed) => redirect_or_closed(&session),
        (Some(_), Step::Declined | Step::Authenticate) => leave(&format!("/c/pay/{id}")),
    }
}

/// The positions in an account's events and deliveries before the shopper's step.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    events: u64,
    deliveries: u64,
}

impl Mark {
    fn of(account: &Account) -> Mark {
        Mark { events: account.events.mark(), deliveries: account.outbox.deliveries.mark() }
    }
}

fn find(core: &Core, id: &str) -> Option<Session> {
    core.lock().account_of_session(id)?.sessions.get(id).cloned()
}

/// A page for a session that cannot be paid.
fn closed(session: &Session) -> Response {
    if session.status == SessionStatus::Complete { pages::already_paid(session) } else { pages::expired(session) }
}

/// The second of two equal submissions gets the same redirect as the first.
fn redirect_or_closed(session: &Session) -> Response {
    if session.status == SessionStatus::Complete { leave(&session.return_url()) } else { pages::expired(session) }
}

/// Sends the shopper back. The webhooks come first if the control API asks for that order.
async fn finish(core: &Core, session: &Session, mark: Mark) -> Response {
    let since = |account: &mut Account| account.events.since(mark.events).map(|event| event.id.clone()).collect();
    let events: Vec<String> = core.lock().account_of_session(&session.id).map(since).unwrap_or_default();
    acknowledged(core, &events, |state| state.account_of_session(&session.id)).await;
    redirect_or_closed(session)
}

/// A 303 to a page of the sandbox, or to the merchant's address.
fn leave(target: &str) -> Response {
    page::leave(target, pages::unknown)
}
