//! The server functions, called by WebAssembly and by plain forms.

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::header::{ALLOW, LOCATION};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use leptos::prelude::provide_context;
use leptos::server_fn::axum::server_fn_paths;

use super::State;

/// Calls the function at the request's address.
pub(super) async fn call(Shared(state): Shared<State>, request: Request<Body>) -> Response {
    let methods = methods_at(request.uri().path());
    if !methods.contains(request.method()) {
        return absent(&methods);
    }
    let engine = state.engine.clone();
    let context = move || provide_context(engine.clone());
    let mut response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    if response.status().is_server_error() {
        // Leptos redirects every form to its page, and the page does not show the error. This reply therefore becomes
        // an error page of its own.
        response.headers_mut().remove(LOCATION);
        return response;
    }
    let location =
        response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(app::actions::clean_location);
    if let Some(location) = location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        response.headers_mut().insert(LOCATION, location);
        // After a form, the browser must fetch the next page with GET.
        *response.status_mut() = StatusCode::SEE_OTHER;
    }
    response
}

/// The methods of the functions at an address.
fn methods_at(path: &str) -> Vec<Method> {
    server_fn_paths().filter(|(known, _)| *known == path).map(|(_, method)| method).collect()
}

/// There is no function for a method at an address: there are others, or none.
fn absent(methods: &[Method]) -> Response {
    let allowed = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    if methods.is_empty() {
        // A page of another version may have asked: its reader is led back to the session, which a page that was not found does not do.
        return (StatusCode::BAD_REQUEST, "there is no action at this address\n").into_response();
    }
    let text = format!("this address is for {allowed}\n");
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, allowed)], text).into_response()
}
