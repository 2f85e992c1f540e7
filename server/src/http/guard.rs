//! The guards of requests: bounds and counting for all; security headers and the origin of actions for pages.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State as Shared};
use axum::http::header::{HeaderName, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::SharedString;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tower_http::csrf::{ConfigError, CsrfLayer, ProtectionError};
use url::{Host, Url};

use super::State;
use super::door::Connection;
use super::receiving::{Arrived, NotArrived, Receiving};

/// Pages have no inline code, load files from their own server only, and are in no frame. Scripts and styles are files with
/// integrity.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The part of the policy that restricts the targets of forms.
const FORMS_TO_US: &str = "form-action 'self'";

/// The policy of a page with one form to a provider: the form may go to the origin of this address and nowhere else.
/// `None` if the address is not encrypted, which `local` allows on this machine.
pub(super) fn forms_to(url: &str, local: bool) -> Option<HeaderValue> {
    let url = Url::parse(url).ok()?;
    let loopback = match url.host()? {
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
        Host::Domain(name) => name == "localhost",
    };
    let encrypted = url.scheme() == "https" || (url.scheme() == "http" && loopback && local);
    let named = url.username().is_empty() && url.password().is_none();
    let origin = url.origin().ascii_serialization();
    let policy = CONTENT_SECURITY_POLICY.replace(FORMS_TO_US, &format!("form-action {origin}"));
    HeaderValue::from_str(&policy).ok().filter(|_| encrypted && named)
}

const HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];
/// Two years, which browsers' preload lists require.
const STRICT_TRANSPORT: (&str, &str) = ("strict-transport-security", "max-age=63072000");

/// Adds the security headers.
pub(super) async fn headers(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let all = HEADERS.into_iter().chain(state.encrypted.then_some(STRICT_TRANSPORT));
    for (name, value) in all {
        // A page may set a stricter policy for itself.
        response.headers_mut().entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    // Pages show the state of one moment and must not be shown again from a cache.
    let unset = !response.headers().contains_key("cache-control");
    if unset {
        response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    }
    response
}

/// A form of ours has a few short fields.
const FORM_BYTES_MAX: usize = 16 * 1024;

/// Receives a form before its turn.
pub(super) async fn received(Shared(state): Shared<State>, mut request: Request, next: Next) -> Response {
    match whole(&state.forms_arriving, &mut request, FORM_BYTES_MAX).await {
        Ok(form) => {
            *request.body_mut() = Body::from(form.bytes.clone());
            next.run(request).await
        }
        Err(trouble) => trouble.into_response(),
    }
}

/// Receives the body of a request. From then on its connection no longer waits for its sender.
pub(super) async fn whole(
    receiving: &Receiving,
    request: &mut Request,
    bytes_max: usize,
) -> Result<Arrived, NotArrived> {
    let body = mem::take(request.body_mut());
    let arrived = receiving.whole(body, bytes_max).await?;
    if let Some(connection) = request.extensions().get::<Arc<Connection>>() {
        connection.serves();
    }
    Ok(arrived)
}

/// A request's longest wait for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(2);

/// Bounds the shoppers' requests at a time. A request beyond the bound is answered "come back".
pub(super) async fn bounded(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    match turn(&state.requests).await {
        Some(_turn) => next.run(request).await,
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Waits a short time for a turn. The turn lasts until the returned value is dropped.
pub(super) async fn turn(turns: &Semaphore) -> Option<SemaphorePermit<'_>> {
    timeout(TURN_TIMEOUT, turns.acquire()).await.ok()?.ok()
}

/// The reply "you have your share already", for machines.
pub(super) fn too_many() -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "30")], "too many at a time; close some first\n").into_response()
}

/// The reply "come back in a moment", for machines.
pub(super) fn busy() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "2")], "busy, try again in a moment\n").into_response()
}

/// Actions come from our own pages only. Browsers send the origin of a request, and a request without one is not a
/// browser's.
pub(super) fn same_origin(
    state: &State,
) -> Result<CsrfLayer<impl FnMut(ProtectionError) -> Response + Clone + use<>>, ConfigError> {
    let layer = CsrfLayer::new().add_trusted_origin(state.engine.public_url())?;
    Ok(layer.with_rejection_response(|_| StatusCode::FORBIDDEN.into_response()))
}

/// Counts replies by route and status.
pub(super) async fn count(matched: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let route = matched.map_or("none".to_owned(), |path| path.as_str().to_owned());
    counted(route, next.run(request).await)
}

/// The same for one reply.
pub(super) fn counted(route: impl Into<SharedString>, response: Response) -> Response {
    let status = response.status().as_u16().to_string();
    metrics::counter!("till_http_requests_total", "route" => route.into(), "status" => status).increment(1);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_with_a_form_to_a_provider_allows_that_origin_alone() {
        let policy = |url: &str, local| forms_to(url, local).map(|value| value.to_str().unwrap().to_owned());
        let text = policy("https://secure.pay.example:8443/process?x=1;script-src *", false).unwrap();
        assert!(text.contains("form-action https://secure.pay.example:8443; base-uri"), "{text}");
        assert!(!text.contains("'self'; base-uri") && !text.contains("process"), "{text}");
        assert_eq!(text.matches("script-src").count(), 1, "{text}");
        assert!(
            policy("http://127.0.0.1:3400/pay", true)
                .is_some_and(|text| text.contains("form-action http://127.0.0.1:3400;"))
        );
        for bad in [
            "http://127.0.0.1:3400/pay",
            "http://pay.example",
            "javascript:alert(1)",
            "//pay.example",
            "https://",
            "https://u:p@pay.example",
        ] {
            assert_eq!(policy(bad, false), None, "{bad}");
        }
        assert_eq!(policy("http://pay.example", true), None);
    }
}
