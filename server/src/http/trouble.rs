//! The pages for requests that failed: they state only known facts, in the shopper's language, with or without a
//! database.
//!
//! Handlers and layers answer with a bare status. This module turns it into a page, chosen by the subject of the
//! address. A link that was not opened has begun no payment. For a session, or an action there, only the database knows
//! whether money was taken.

use std::any::Any;
use std::sync::Arc;

use app::pages::{self as html, Assets, PageContext, Problem};
use axum::extract::{Request, State as Shared};
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, ALLOW, CONNECTION, CONTENT_LOCATION, CONTENT_TYPE, REFERER, RETRY_AFTER,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use domain::id::Token;

/// Seconds after which a client may come back.
const RETRY_SECONDS: &str = "5";

/// The subject of an address, as far as money is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    /// A payment link, at this address.
    Link(String),
    /// A session, with the address that shows its state.
    Session(String),
    /// An action, with the address of the page that it belongs to, if the browser or the action names it.
    Action(Option<String>),
    /// The page at the root.
    Home,
    /// A subject that has nothing to do with money.
    Other,
    /// Not a page: a file, or a call from a script.
    None,
}

/// Turns a bare error into a page.
pub(super) async fn dress(Shared(assets): Shared<Arc<Assets>>, request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_page(response.headers()) {
        return response;
    }
    let told = content_location(response.headers());
    let subject = match subject(&uri, &headers) {
        Subject::Action(asked) => Subject::Action(back(asked, told.as_ref().and_then(own_page))),
        subject => subject,
    };
    if subject == Subject::None {
        return with_retry(response);
    }
    let wanted = told.as_ref().and_then(lang_of).or_else(|| lang(&uri, &headers));
    let context = PageContext::new(wanted.as_deref(), text(&headers, &ACCEPT_LANGUAGE), assets);
    let problem = problem(&subject, status);
    let again = match subject {
        Subject::Link(address) | Subject::Session(address) | Subject::Action(Some(address)) => Some(address),
        Subject::Home if problem.passes() => Some("/".to_owned()),
        // An address that anyone may have written is never repeated: `//evil.test` would lead elsewhere.
        Subject::Action(None) | Subject::Home | Subject::Other | Subject::None => None,
    };
    let again = again.map(|path| format!("{path}{}", context.lang.query()));
    let mut dressed = (status, Html(html::problem(problem, again, &context))).into_response();
    for name in [ALLOW, CONNECTION, RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            dressed.headers_mut().insert(name, value.clone());
        }
    }
    with_retry(dressed)
}

/// A panic is reported like any other internal error. Its text is for the log.
pub(super) fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or(cause.downcast_ref::<&str>().copied());
    tracing::error!(cause = text.unwrap_or("unknown"), "a request broke off");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn with_retry(mut response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(RETRY_AFTER).or_insert(HeaderValue::from_static(RETRY_SECONDS));
    }
    response
}

/// The problem that the address and the status alone can tell.
fn problem(subject: &Subject, status: StatusCode) -> Problem {
    match (status, subject) {
        (StatusCode::NOT_FOUND, _) => Problem::NotFound,
        (StatusCode::FORBIDDEN, _) => Problem::Forbidden,
        (StatusCode::TOO_MANY_REQUESTS, _) => Problem::TooMany,
        (status, _) if status.is_client_error() => Problem::BadRequest,
        (_, Subject::Link(_)) => Problem::NotOpened,
        (_, Subject::Session(_)) => Problem::Unsure,
        (_, Subject::Action(_)) => Problem::Setback,
        (StatusCode::SERVICE_UNAVAILABLE, _) => Problem::Busy,
        _ => Problem::Internal,
    }
}

/// The subject of an address. The addresses in it are composed from parsed parts, never copied.
fn subject(uri: &Uri, headers: &HeaderMap) -> Subject {
    let mut parts = uri.path().splitn(4, '/').skip(1);
    let first = parts.next().unwrap_or_default();
    let (token, suffix) = (parts.next().and_then(|token| token.parse::<Token>().ok()), parts.next());
    match (first, token) {
        ("assets", _) => Subject::None,
        ("fn", _) if !text(headers, &ACCEPT).contains("text/html") => Subject::None,
        ("fn", _) => Subject::Action(asking_page(headers)),
        ("l", Some(token)) => Subject::Link(format!("/l/{token}")),
        // On the return address the page waits for news. The address that leads to the provider does not show the
        // state.
        ("c", Some(token)) if suffix == Some("return") => Subject::Session(format!("/c/{token}/return")),
        ("c", Some(token)) => Subject::Session(format!("/c/{token}")),
        ("", None) if uri.path() == "/" => Subject::Home,
        _ => Subject::Other,
    }
}

/// The page that sent the request: a session's page, or a link's before there is a session. Our pages send their
/// referrer to us alone.
fn asking_page(headers: &HeaderMap) -> Option<String> {
    own_page(&text(headers, &REFERER).parse().ok()?)
}

/// The page to return to after an action: the page that sent it, unless the action names another one. In that case the
/// action has begun a session, and the link's page with the button may not know the session.
fn back(asked: Option<String>, named: Option<String>) -> Option<String> {
    let token = |address: &str| address.split('/').nth(2).map(str::to_owned);
    match (asked, named) {
        (Some(asked), Some(named)) if token(&asked) != token(&named) => Some(named),
        (asked, named) => asked.or(named),
    }
}

/// The page that a failed action names.
fn content_location(headers: &HeaderMap) -> Option<Uri> {
    text(headers, &CONTENT_LOCATION).parse().ok()
}

fn own_page(uri: &Uri) -> Option<String> {
    match subject(uri, &HeaderMap::new()) {
        Subject::Session(address) | Subject::Link(address) => Some(address),
        _ => None,
    }
}

/// The language in the address, or in the address of the page that sent the request.
fn lang(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    lang_of(uri).or_else(|| lang_of(&text(headers, &REFERER).parse().ok()?))
}

fn lang_of(uri: &Uri) -> Option<String> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("lang=")).map(str::to_owned)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn is_page(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_TYPE).starts_with("text/html")
}

#[cfg(test)]
mod tests;
