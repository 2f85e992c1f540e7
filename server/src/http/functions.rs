//! The server functions, called by WebAssembly and by plain forms.

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use leptos::prelude::provide_context;

use super::State;

/// Calls the function at the request's address.
pub(super) async fn call(Shared(state): Shared<State>, request: Request<Body>) -> Response {
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
