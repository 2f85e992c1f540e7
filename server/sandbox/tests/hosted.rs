//! The hosted page as a shopper's browser without JavaScript sees it.

mod common;

use common::Server;

#[tokio::test]
async fn merchant_text_is_never_markup() {
    let server = Server::start().await;
    let id = server
        .session("&line_items[0][price_data][product_data][name]=%3Cscript%3Ex%3C/script%3E&cancel_url=https://shop.example/%22%3E%3Cb%3E")
        .await;
    let page = server.submit(&format!("/c/pay/{id}"), "number=1").await;
    assert_eq!(page.0, 422);
    assert!(page.2.contains("&lt;script&gt;x&lt;/script&gt;") && !page.2.contains("<script>x"), "{}", page.2);
    assert!(!page.2.contains("\"><b>"));
}

#[tokio::test]
async fn the_form_is_labelled_and_names_the_amount() {
    let server = Server::start().await;
    let id = server.session("").await;
    let page = server.send(reqwest::Method::GET, &format!("/c/pay/{id}"), "", &[]).await;
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let page = page.text().await.unwrap();
    for label in ["Email", "Card number", "Expiry", "CVC", "Name on card"] {
        assert!(page.contains(&format!(">{label}</label>")), "{label}");
    }
    assert!(page.contains(">Pay €25.98</button>") && page.contains(">Back to Demo shop</a>"));
}

#[tokio::test]
async fn two_tabs_pay_once() {
    let server = Server::start().await;
    let id = server.session("").await;
    let (one, two) = tokio::join!(server.pay(&id, "4242424242424242"), server.pay(&id, "5555555555554444"));
    assert_eq!((one.0, two.0), (303, 303));
    assert_eq!(one.1, format!("https://shop.example/ok?s={id}"));
    assert_eq!(one.1, two.1);
    assert_eq!(server.get("/_control/stats").await.1["charges"], 1);
}

#[tokio::test]
async fn a_declined_form_sent_again_by_reloading_is_not_tried_again() {
    let server = Server::start().await;
    let id = server.session("").await;
    let form = "attempt=0&number=4000000000000002&expiry=12/34&cvc=123";
    for _ in 0..2 {
        let (status, _, page) = server.submit(&format!("/c/pay/{id}"), form).await;
        assert!(status == 402 && page.contains("Your card was declined."), "{status}");
    }
    assert_eq!(server.get("/_control/stats").await.1["charges"], 1);
}

#[tokio::test]
async fn events_tell_the_story_in_order() {
    let server = Server::start().await;
    let id = server.session("&payment_intent_data[capture_method]=manual").await;
    server.pay(&id, "4000000000000002").await;
    server.pay(&id, "4000002760003184").await;
    server.submit(&format!("/c/pay/{id}/3ds"), "result=complete").await;
    let (_, list) = server.get("/v1/payment_intents").await;
    let intent = list["data"][0]["id"].as_str().unwrap();
    server.post(&format!("/v1/payment_intents/{intent}/capture"), "").await;
    server.post("/v1/refunds", &format!("payment_intent={intent}&amount=98")).await;
    let expected = [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "checkout.session.completed",
        "charge.captured",
        "payment_intent.succeeded",
        "refund.created",
        "charge.refunded",
    ];
    assert_eq!(server.events().await, expected);
}

#[tokio::test]
async fn an_expired_session_takes_no_money() {
    let server = Server::start().await;
    let id = server.session("").await;
    server.pay(&id, "4000000000000002").await;
    server.control("/_control/advance", r#"{"seconds":86400}"#).await;
    let (status, _, page) = server.pay(&id, "4242424242424242").await;
    assert!(status == 410 && page.contains("has expired"), "{status}");
    let events = server.events().await;
    assert_eq!(events[3..], ["checkout.session.expired", "payment_intent.canceled"]);
    assert_eq!(server.get("/_control/stats").await.1["charges_succeeded"], 0);
}

#[tokio::test]
async fn the_state_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("state/sandbox.json");
    let server = Server::start_with(Some(snapshot.clone())).await;
    let (open, done) = (server.session("").await, server.session("").await);
    server.pay(&done, "4242424242424242").await;
    server.stop().await;
    let server = Server::start_with(Some(snapshot)).await;
    let (_, session) = server.get(&format!("/v1/checkout/sessions/{done}?expand[]=payment_intent.latest_charge")).await;
    assert_eq!(session["payment_intent"]["latest_charge"]["amount_captured"], 2598);
    assert_eq!(server.pay(&open, "4242424242424242").await.0, 303);
    let (status, _) = server
        .post("/v1/refunds", &format!("payment_intent={}", session["payment_intent"]["id"].as_str().unwrap()))
        .await;
    assert_eq!(status, 200);
}
