//! Tests of the server functions, called as by a plain form. They need no engine, because each request is refused before it.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};

use super::clean_location;

async fn post(path: &str, body: &'static str, accept: &str) -> Response {
    let request = Request::post(path)
        .header("accept", accept)
        .header("accept-language", "en")
        .header("referer", "http://shop.test/c/abc?lang=de")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap();
    leptos_axum::handle_server_fns(request).await.into_response()
}

fn location(response: &Response) -> &str {
    response.headers()["location"].to_str().unwrap()
}

#[tokio::test]
async fn a_form_is_answered_with_a_redirect() {
    let paths = ["start_payment", "cancel_payment", "extend_session", "renew_session", "read_status"];
    for name in paths {
        let response = post(&format!("/fn/{name}"), "token=nonsense", "text/html,*/*").await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{name}");
        assert_eq!(location(&response), "/", "{name}");
    }
}

#[tokio::test]
async fn a_method_nobody_knows_leads_back_to_the_page() {
    let body = "token=070w3ge1r70w3ge1r70w3ge1r7&method=cowries&lang=ar";
    let response = post("/fn/start_payment", body, "text/html").await;
    assert_eq!(location(&response), "/c/070w3ge1r70w3ge1r70w3ge1r7?lang=ar");
}

#[tokio::test]
async fn webassembly_gets_the_outcome_itself() {
    let response = post("/fn/start_payment", "token=nonsense", "text/plain; charset=utf-8").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key("location"));
    let body = axum::body::to_bytes(response.into_body(), 64).await.unwrap();
    assert_eq!(&body[..], b"gone");
}

#[tokio::test]
async fn what_cannot_be_read_never_reaches_the_address() {
    for body in ["", "token=%FF", "token=a&token=b", "=&&=", "token[a]=1", "came_back=maybe"] {
        for name in ["start_payment", "read_status"] {
            let response = post(&format!("/fn/{name}"), body, "text/html").await;
            let cleaned = clean_location(location(&response));
            assert!(["/", "/c/abc?lang=de"].contains(&cleaned.as_str()), "{body} {cleaned}");
        }
    }
}
