//! Tests every way in which a request fails, without a database.

use std::sync::Arc;

use app::pages::{Problem, sample};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::{any, get};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use super::*;

const TOKEN: &str = "070w3ge1r70w3ge1r70w3ge1r7";

async fn breaks() -> StatusCode {
    panic!("on purpose")
}

/// Routes like the real ones, which all fail.
fn app(status: StatusCode) -> Router {
    let fails = move || async move { status };
    Router::new()
        .route("/", get(fails))
        .route("/l/{token}", get(fails))
        .route("/c/{token}", get(fails))
        .route("/c/{token}/return", get(fails))
        .route("/c/{token}/go", get(fails))
        .route("/fn/{name}", any(fails))
        .route("/assets/{file}", get(fails))
        .route("/panic/{token}", get(breaks))
        .route("/c/{token}/panic", get(breaks))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn_with_state(Arc::new(sample::assets()), dress))
}

struct Page {
    status: StatusCode,
    headers: HeaderMap,
    html: String,
}

impl Page {
    fn is(&self, problem: Problem, again: Option<&str>) -> bool {
        let named = self.html.contains(&format!("data-problem=\"{}\"", problem.as_str()));
        let leads = again.map(|address| self.html.contains(&format!("href=\"{address}\"")));
        named && leads.unwrap_or(!self.html.contains("id=\"again\""))
    }
}

async fn ask(app: Router, method: &str, path: &str, headers: &[(&str, &str)]) -> Page {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = reply.into_parts();
    let html = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
    Page { status: parts.status, headers: parts.headers, html }
}

#[tokio::test]
async fn what_is_said_follows_from_what_the_address_is_about() {
    let (link, session) = (format!("/l/{TOKEN}"), format!("/c/{TOKEN}"));
    let returned = format!("{session}/return");
    for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::INTERNAL_SERVER_ERROR, StatusCode::BAD_GATEWAY] {
        for (path, problem, again) in [
            (link.clone(), Problem::NotOpened, &link),
            (session.clone(), Problem::Unsure, &session),
            (returned.clone(), Problem::Unsure, &returned),
            (format!("{session}/go"), Problem::Unsure, &session),
        ] {
            let page = ask(app(status), "GET", &path, &[]).await;
            assert!(page.status == status && page.is(problem, Some(again)), "{status} {path}: {}", page.html);
            let retry = page.headers.contains_key("retry-after");
            assert_eq!(retry, status == StatusCode::SERVICE_UNAVAILABLE, "{path}");
        }
    }
    let busy = ask(app(StatusCode::SERVICE_UNAVAILABLE), "GET", "/", &[]).await;
    assert!(busy.is(Problem::Busy, Some("/")), "{}", busy.html);
    let broken = ask(app(StatusCode::INTERNAL_SERVER_ERROR), "GET", "/", &[]).await;
    assert!(broken.is(Problem::Internal, None), "{}", broken.html);
    // Foreign parts of an address must not become links.
    for path in ["//evil.test", "//evil.test/c/x", "/x?url=//evil.test", "/c//evil.test"] {
        let page =
            ask(app(StatusCode::OK).fallback(|| async { StatusCode::SERVICE_UNAVAILABLE }), "GET", path, &[]).await;
        assert!(!page.html.contains("evil") && !page.html.contains("id=\"again\""), "{path}: {}", page.html);
    }
}

#[tokio::test]
async fn a_form_leads_back_to_the_page_it_came_from() {
    let referer = format!("https://pay.example/c/{TOKEN}/return?lang=ar");
    let browser = [("accept", "text/html,*/*;q=0.8"), ("accept-language", "de"), ("referer", referer.as_str())];
    let again = format!("/c/{TOKEN}/return?lang=ar");
    for (status, problem) in [
        (StatusCode::SERVICE_UNAVAILABLE, Problem::Setback),
        (StatusCode::INTERNAL_SERVER_ERROR, Problem::Setback),
        (StatusCode::FORBIDDEN, Problem::Forbidden),
        (StatusCode::BAD_REQUEST, Problem::BadRequest),
        (StatusCode::PAYLOAD_TOO_LARGE, Problem::BadRequest),
        (StatusCode::REQUEST_TIMEOUT, Problem::BadRequest),
    ] {
        let page = ask(app(status), "POST", "/fn/start_payment", &browser).await;
        assert!(page.status == status && page.is(problem, Some(&again)), "{status}: {}", page.html);
        assert!(page.html.contains("<html lang=\"ar\" dir=\"rtl\">"), "{}", page.html);
        // The page never links the form's own address: loading that would post again, or fail.
        assert!(!page.html.contains("/fn/"), "{}", page.html);
        assert!(page.html.contains(&format!("href=\"/c/{TOKEN}/return?lang=de\"")), "{}", page.html);
    }
    for odd in ["", "https://pay.example/", "https://pay.example/l/x", "not an address", "/c/x"] {
        let browser = [("accept", "text/html"), ("referer", odd)];
        let page = ask(app(StatusCode::SERVICE_UNAVAILABLE), "POST", "/fn/start_payment", &browser).await;
        assert!(page.is(Problem::Setback, None), "{odd}: {}", page.html);
    }
}

#[tokio::test]
async fn an_action_names_its_page_where_the_browser_does_not() {
    let language = [("accept", "text/html"), ("accept-language", "de")];
    for (told, again) in [
        (format!("/c/{TOKEN}?lang=ar"), Some(format!("/c/{TOKEN}?lang=ar"))),
        (format!("/c/{TOKEN}/return"), Some(format!("/c/{TOKEN}/return"))),
        ("/".to_owned(), None),
        ("//evil.test/c/x".to_owned(), None),
    ] {
        let answer = [("content-location", told.clone())];
        let failed = move || async move { (StatusCode::SERVICE_UNAVAILABLE, answer) };
        let app = Router::new()
            .route("/fn/{name}", any(failed))
            .layer(axum::middleware::from_fn_with_state(Arc::new(sample::assets()), dress));
        let page = ask(app.clone(), "POST", "/fn/start_payment", &language).await;
        assert!(page.is(Problem::Setback, again.as_deref()), "{told}: {}", page.html);
        assert!(!page.html.contains("evil"), "{}", page.html);
        assert!(!page.headers.contains_key("content-location"), "the answer is not that page");
        // The browser's referrer takes precedence.
        let referer = format!("https://pay.example/c/{TOKEN}");
        let browser = [language[0], language[1], ("referer", referer.as_str())];
        let page = ask(app, "POST", "/fn/start_payment", &browser).await;
        let query = if told.contains("lang=ar") { "?lang=ar" } else { "" };
        assert!(page.is(Problem::Setback, Some(&format!("/c/{TOKEN}{query}"))), "{told}: {}", page.html);
        assert!(!page.headers.contains_key("content-location"));
    }
}

#[tokio::test]
async fn a_form_of_a_links_page_leads_back_to_the_link_or_to_the_session_that_it_began() {
    const SESSION: &str = "170w3ge1r70w3ge1r70w3ge1r7";
    let referer = format!("https://pay.example/l/{TOKEN}");
    let browser = [("accept", "text/html"), ("referer", referer.as_str())];
    let page = ask(app(StatusCode::SERVICE_UNAVAILABLE), "POST", "/fn/start_payment", &browser).await;
    assert!(page.is(Problem::Setback, Some(&format!("/l/{TOKEN}"))), "{}", page.html);
    for (named, again) in [(TOKEN, format!("/l/{TOKEN}")), (SESSION, format!("/c/{SESSION}"))] {
        let answer = [("content-location", format!("/c/{named}"))];
        let failed = move || async move { (StatusCode::SERVICE_UNAVAILABLE, answer) };
        let app = Router::new()
            .route("/fn/{name}", any(failed))
            .layer(axum::middleware::from_fn_with_state(Arc::new(sample::assets()), dress));
        let page = ask(app, "POST", "/fn/start_payment", &browser).await;
        assert!(page.is(Problem::Setback, Some(&again)), "{named}: {}", page.html);
    }
}

#[tokio::test]
async fn scripts_and_files_get_no_page() {
    for (path, accept) in [("/fn/read_status", "text/plain"), ("/assets/till.css", "text/css,*/*")] {
        let reply = ask(app(StatusCode::SERVICE_UNAVAILABLE), "GET", path, &[("accept", accept)]).await;
        assert!(reply.status == StatusCode::SERVICE_UNAVAILABLE && reply.html.is_empty(), "{path}: {}", reply.html);
        assert_eq!(reply.headers["retry-after"], "5");
    }
}

#[tokio::test]
async fn refusals_of_the_router_are_pages_too() {
    let session = format!("/c/{TOKEN}");
    let page = ask(app(StatusCode::OK), "POST", &session, &[]).await;
    assert!(page.is(Problem::BadRequest, Some(&session)), "{}", page.html);
    assert_eq!((page.status, &page.headers["allow"]), (StatusCode::METHOD_NOT_ALLOWED, &"GET,HEAD".parse().unwrap()));
    for path in ["/nowhere", "/l/%FF", "/c/x", "/c/x/return"] {
        let page = ask(app(StatusCode::NOT_FOUND), "GET", path, &[]).await;
        assert!(page.is(Problem::NotFound, None), "{path}: {}", page.html);
    }
    let fine = ask(app(StatusCode::OK), "GET", &session, &[]).await;
    assert!(fine.html.is_empty() && fine.status == StatusCode::OK);
}

#[tokio::test]
async fn a_panic_is_told_like_any_other_trouble_and_without_its_text() {
    let page = ask(app(StatusCode::OK), "GET", &format!("/c/{TOKEN}/panic"), &[]).await;
    assert!(page.is(Problem::Unsure, Some(&format!("/c/{TOKEN}"))), "{}", page.html);
    assert!(!page.html.contains("on purpose"));
    let page = ask(app(StatusCode::OK), "GET", "/panic/x", &[]).await;
    assert!(page.is(Problem::Internal, None), "{}", page.html);
}

#[tokio::test]
async fn the_language_needs_no_database() {
    for (path, accept, lang) in [
        (format!("/c/{TOKEN}?lang=de"), "ar", "de"),
        (format!("/c/{TOKEN}?x=1&lang=ar&y"), "de", "ar"),
        (format!("/c/{TOKEN}"), "de-AT,en;q=0.5", "de"),
        (format!("/c/{TOKEN}?lang=%3Cscript%3E"), "ar", "ar"),
    ] {
        let page = ask(app(StatusCode::SERVICE_UNAVAILABLE), "GET", &path, &[("accept-language", accept)]).await;
        assert!(page.html.contains(&format!("<html lang=\"{lang}\"")), "{path}: {}", page.html);
    }
}
