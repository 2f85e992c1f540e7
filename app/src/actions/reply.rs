//! The server's half of a reply: redirects for plain forms.

use domain::id::Token;
use engine::{Engine, PageError};
use http::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_LOCATION, HeaderName, HeaderValue, LOCATION};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;

use super::Next;
use crate::lang::{Lang, LangChoice};

/// The engine, which the server puts into every call's context.
pub(super) fn engine() -> Engine {
    expect_context()
}

/// The shopper's next page after a failure of the engine.
pub(super) fn failed(error: &PageError) -> Next {
    match error {
        PageError::NotFound => Next::Gone,
        PageError::Busy => Next::Busy(None),
    }
}

/// The language of the calling page. A language that Till does not speak falls back to the browser's.
pub(super) fn lang(wanted: &str) -> LangChoice {
    let negotiated = request_header(ACCEPT_LANGUAGE);
    LangChoice::new(Some(wanted), &negotiated)
}

/// The language's tag, if the shopper chose a language other than the browser's.
pub(super) fn chosen(wanted: &str) -> Option<&'static str> {
    let choice = lang(wanted);
    (!choice.query().is_empty()).then(|| choice.lang.tag())
}

/// Redirects a plain form to the page of `next`; the WebAssembly gets `next` itself. A failure (`Next::Busy`) is not stored, so no page can
/// show it later. Therefore the form gets an error, of which the server makes a page, with the address of the session's page.
pub(super) fn send(token: &str, wanted: &str, next: Next) -> Next {
    if matches!(next, Next::Busy(_)) {
        fail(&address(token, "", &lang(wanted)));
        return next;
    }
    let (token, suffix) = match &next {
        Next::Provider(session) => (session.as_str(), "/go"),
        Next::Session(new) => (new.as_str(), ""),
        Next::Page | Next::Busy(_) | Next::Gone => (token, ""),
    };
    redirect(&address(token, suffix, &lang(wanted)));
    next
}

/// Sends a browser that ended up on a data address back to its page.
pub(super) fn settle(token: &str, wanted: &str) {
    redirect(&address(token, "", &lang(wanted)));
}

/// The address of a session's page. The token is checked, because it goes into a header.
fn address(token: &str, suffix: &str, lang: &LangChoice) -> String {
    match token.parse::<Token>() {
        Ok(token) => format!("/c/{token}{suffix}{}", lang.query()),
        Err(_) => "/".to_owned(),
    }
}

/// Replies with `303` and one of Till's own addresses.
fn redirect(location: &str) {
    answer(StatusCode::SEE_OTHER, LOCATION, location);
}

/// Replies with `503` and the address of the session's page.
fn fail(page: &str) {
    answer(StatusCode::SERVICE_UNAVAILABLE, CONTENT_LOCATION, page);
}

/// Sets status and address on the reply to a plain form. A call from the WebAssembly gets neither, because it reads the reply's text.
fn answer(status: StatusCode, header: HeaderName, address: &str) {
    let Some(response) = use_context::<ResponseOptions>() else {
        return;
    };
    if request_header(ACCEPT).contains("text/html")
        && let Ok(address) = HeaderValue::from_str(address)
    {
        response.insert_header(header, address);
        response.set_status(status);
    }
}

fn request_header(name: HeaderName) -> String {
    let header = |headers: &HeaderMap| Some(headers.get(name)?.to_str().ok()?.to_owned());
    use_context::<Parts>().and_then(|parts| header(&parts.headers)).unwrap_or_default()
}

/// A redirect's address without an error. Leptos sends a form that it cannot decode back to the `Referer` with the error in the query. The
/// server passes every `Location` of a server function through this function.
#[must_use]
pub fn clean_location(location: &str) -> String {
    let start = location.find("/c/").or_else(|| location.find("/l/"));
    let path = start.map_or("/", |start| &location[start..]);
    let path = path.split(['?', '#']).next().unwrap_or("/");
    let language =
        location.split(['?', '&']).skip(1).find_map(|pair| pair.strip_prefix("lang=")).and_then(Lang::from_tag);
    match language {
        Some(language) if path != "/" => format!("{path}?lang={}", language.tag()),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_never_travels_in_the_address() {
        let bad = "http://shop.test/c/abc?lang=de&__path=%2Ffn%2Fstart_payment&__err=IlVucmVhZGFibGUi";
        assert_eq!(clean_location(bad), "/c/abc?lang=de");
        assert_eq!(clean_location("/c/abc/go"), "/c/abc/go");
        assert_eq!(clean_location("http://shop.test/l/abc?__err=x"), "/l/abc");
        assert_eq!(clean_location("/c/abc?lang=xx&__err=x"), "/c/abc");
        assert_eq!(clean_location("https://evil.test/?__err=x"), "/");
    }

    #[test]
    fn a_token_that_is_none_leads_nowhere() {
        let lang = LangChoice::new(None, "");
        assert_eq!(address("../evil\r\n", "/go", &lang), "/");
        assert_eq!(address("00000000000000000000000000", "/go", &lang), "/c/00000000000000000000000000/go");
    }
}
