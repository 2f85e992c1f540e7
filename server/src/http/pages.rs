//! The shopper's pages. Nothing here changes a payment.

use app::pages::{self as html, PageContext, Problem};
use axum::extract::{Path, Query, State as Shared};
use axum::http::header::{ACCEPT_LANGUAGE, REFERRER_POLICY, RETRY_AFTER};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::id::Token;
use engine::{OpenedLink, PageError};
use serde::Deserialize;

use super::State;

/// What a page's address may carry.
#[derive(Deserialize, Default)]
pub(super) struct Wishes {
    lang: Option<String>,
}

type Wanted = Result<Query<Wishes>, axum::extract::rejection::QueryRejection>;

fn lang_of(wanted: Wanted) -> Option<String> {
    wanted.ok().and_then(|Query(wishes)| wishes.lang)
}

fn context(state: &State, headers: &HeaderMap, lang: Option<&str>) -> PageContext {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    PageContext::new(lang, accepted, state.assets.clone())
}

pub(super) fn problem(
    state: &State,
    headers: &HeaderMap,
    lang: Option<&str>,
    problem: Problem,
    status: StatusCode,
) -> Response {
    let mut response = (status, Html(html::problem(problem, &context(state, headers, lang)))).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, axum::http::HeaderValue::from_static("5"));
    }
    response
}

fn failed(state: &State, headers: &HeaderMap, lang: Option<&str>, error: PageError) -> Response {
    match error {
        PageError::NotFound => problem(state, headers, lang, Problem::NotFound, StatusCode::NOT_FOUND),
        PageError::Busy => problem(state, headers, lang, Problem::Busy, StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// Says what this address is.
pub(super) async fn home(Shared(state): Shared<State>, headers: HeaderMap, wanted: Wanted) -> Response {
    let lang = lang_of(wanted);
    Html(html::home(&context(&state, &headers, lang.as_deref()))).into_response()
}

/// For addresses that lead nowhere.
pub(super) async fn not_found(Shared(state): Shared<State>, headers: HeaderMap, wanted: Wanted) -> Response {
    failed(&state, &headers, lang_of(wanted).as_deref(), PageError::NotFound)
}

/// Opens a payment link. A HEAD request, as link previews send it, opens nothing.
pub(super) async fn link(
    Shared(state): Shared<State>,
    method: Method,
    Path(token): Path<String>,
    headers: HeaderMap,
    wanted: Wanted,
) -> Response {
    if method == Method::HEAD {
        return StatusCode::OK.into_response();
    }
    let lang = lang_of(wanted);
    let context = context(&state, &headers, lang.as_deref());
    let Ok(token) = token.parse::<Token>() else {
        return failed(&state, &headers, lang.as_deref(), PageError::NotFound);
    };
    match state.engine.open_link(&token).await {
        Ok(OpenedLink::Session(session)) => {
            Redirect::to(&format!("/c/{session}{}", context.lang.query())).into_response()
        }
        Ok(OpenedLink::Inactive { merchant }) => {
            (StatusCode::GONE, Html(html::inactive_link(&merchant, &context))).into_response()
        }
        Err(error) => failed(&state, &headers, lang.as_deref(), error),
    }
}

/// A session.
pub(super) async fn session(
    Shared(state): Shared<State>,
    Path(token): Path<String>,
    headers: HeaderMap,
    wanted: Wanted,
) -> Response {
    show(&state, &token, &headers, lang_of(wanted), false).await
}

/// Back from the provider. Proves nothing: the same page, waiting for news.
pub(super) async fn returned(
    Shared(state): Shared<State>,
    Path(token): Path<String>,
    headers: HeaderMap,
    wanted: Wanted,
) -> Response {
    show(&state, &token, &headers, lang_of(wanted), true).await
}

async fn show(state: &State, token: &str, headers: &HeaderMap, lang: Option<String>, came_back: bool) -> Response {
    let view = match token.parse::<Token>() {
        Ok(token) => state.engine.view(&token, came_back).await,
        Err(_) => Err(PageError::NotFound),
    };
    match view {
        Ok(view) => {
            let context = context(state, headers, lang.as_deref());
            Html(html::checkout(&view, came_back, &context)).into_response()
        }
        Err(error) => failed(state, headers, lang.as_deref(), error),
    }
}

/// On the way to the provider. A page of its own, because browsers apply `form-action` to the redirects after a form.
pub(super) async fn go(
    Shared(state): Shared<State>,
    Path(token): Path<String>,
    headers: HeaderMap,
    wanted: Wanted,
) -> Response {
    let lang = lang_of(wanted);
    let context = context(&state, &headers, lang.as_deref());
    let Ok(token) = token.parse::<Token>() else {
        return failed(&state, &headers, lang.as_deref(), PageError::NotFound);
    };
    let found = async {
        let url = state.engine.handoff(&token).await?;
        Ok::<_, PageError>((url, state.engine.view(&token, false).await?))
    };
    match found.await {
        // The provider must not learn the session's address from the browser.
        Ok((Some(url), view)) => {
            ([(REFERRER_POLICY, "no-referrer")], Html(html::redirecting(&view, &url, &context))).into_response()
        }
        Ok((None, _)) => Redirect::to(&format!("/c/{token}{}", context.lang.query())).into_response(),
        Err(error) => failed(&state, &headers, lang.as_deref(), error),
    }
}
