//! The shopper's pages. These handlers change no payment.

use app::pages::{self as html, PageContext};
use axum::extract::{Path, Query, State as Shared};
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::checkout::View;
use domain::id::Token;
use domain::payment::Handoff;
use engine::{OpenedLink, PageError};
use serde::Deserialize;
use tracing::error;

use super::{State, guard};

/// The parameters of a page's address.
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

/// A bare status; [`super::trouble`] chooses the words for all pages.
fn failed(error: PageError) -> Response {
    match error {
        PageError::NotFound => StatusCode::NOT_FOUND.into_response(),
        PageError::Busy => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The page at the root, which explains the address.
pub(super) async fn home(Shared(state): Shared<State>, headers: HeaderMap, wanted: Wanted) -> Response {
    let lang = lang_of(wanted);
    Html(html::home(&context(&state, &headers, lang.as_deref()))).into_response()
}

/// The page for unknown addresses.
pub(super) async fn not_found() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// A payment link's page. It stores nothing: link previews and crawlers open links by the thousand.
pub(super) async fn link(
    Shared(state): Shared<State>,
    Path(token): Path<String>,
    headers: HeaderMap,
    wanted: Wanted,
) -> Response {
    let lang = lang_of(wanted);
    let context = context(&state, &headers, lang.as_deref());
    let Ok(token) = token.parse::<Token>() else {
        return failed(PageError::NotFound);
    };
    match state.engine.checkout().open_link(&token).await {
        Ok(OpenedLink::Session(session)) => {
            Redirect::to(&format!("/c/{session}{}", context.lang.query())).into_response()
        }
        Ok(OpenedLink::Order) => match state.engine.checkout().view_link(&token).await {
            Ok(view) => Html(html::checkout(&view, false, &context)).into_response(),
            Err(error) => failed(error),
        },
        Ok(OpenedLink::Inactive { merchant }) => {
            (StatusCode::GONE, Html(html::inactive_link(&merchant, &context))).into_response()
        }
        Err(error) => failed(error),
    }
}

/// A session's page.
pub(super) async fn session(
    Shared(state): Shared<State>,
    Path(token): Path<String>,
    headers: HeaderMap,
    wanted: Wanted,
) -> Response {
    show(&state, &token, &headers, lang_of(wanted), false).await
}

/// The page for shoppers who return from the provider. A return proves nothing: it is the session's page, waiting for
/// news.
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
        Ok(token) => state.engine.checkout().view(&token, came_back).await,
        Err(_) => Err(PageError::NotFound),
    };
    match view {
        Ok(view) => {
            let context = context(state, headers, lang.as_deref());
            Html(html::checkout(&view, came_back, &context)).into_response()
        }
        // The answer to a plain form of a link's page is the address of a session, but with a link's token.
        Err(PageError::NotFound) if is_link(state, token).await => {
            Redirect::to(&format!("/l/{token}{}", context(state, headers, lang.as_deref()).lang.query()))
                .into_response()
        }
        Err(error) => failed(error),
    }
}

async fn is_link(state: &State, token: &str) -> bool {
    match token.parse::<Token>() {
        Ok(token) => state.engine.checkout().open_link(&token).await.is_ok(),
        Err(_) => false,
    }
}

/// The way to the provider, as a page of its own: browsers apply `form-action` to the redirects after a form.
pub(super) async fn go(
    Shared(state): Shared<State>,
    Path(token): Path<String>,
    headers: HeaderMap,
    wanted: Wanted,
) -> Response {
    let lang = lang_of(wanted);
    let context = context(&state, &headers, lang.as_deref());
    let Ok(token) = token.parse::<Token>() else {
        return failed(PageError::NotFound);
    };
    let found = async {
        let way = state.engine.checkout().handoff(&token).await?;
        Ok::<_, PageError>((way, state.engine.checkout().view(&token, false).await?))
    };
    match found.await {
        Ok((Some(way), view)) => hand_off(&state, &way, &view, &context),
        Ok((None, _)) => Redirect::to(&format!("/c/{token}{}", context.lang.query())).into_response(),
        Err(error) => failed(error),
    }
}

/// The page that leads to the provider. The provider must not learn the session's address from the browser.
fn hand_off(state: &State, way: &Handoff, view: &View, context: &PageContext) -> Response {
    let hidden = (REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    match way {
        Handoff::Redirect { url } => match html::redirecting(view, url, context) {
            Some(page) => ([hidden], Html(page)).into_response(),
            None => StatusCode::BAD_GATEWAY.into_response(),
        },
        Handoff::FormPost { url, fields } => match guard::forms_to(url, !state.encrypted) {
            Some(policy) => {
                ([hidden, (CONTENT_SECURITY_POLICY, policy)], Html(html::sending(view, url, fields, context)))
                    .into_response()
            }
            None => {
                error!(
                    reference = view.reference.as_deref(),
                    "a provider wants a form sent to an address that is not https; nobody is sent there"
                );
                StatusCode::BAD_GATEWAY.into_response()
            }
        },
        Handoff::Code { payload, form } => ([hidden], Html(html::code(view, payload, *form, context))).into_response(),
    }
}
