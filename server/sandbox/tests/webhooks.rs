//! Webhooks as a merchant receives them.

mod common;

use std::time::Duration;

use common::{Receiver, Server};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

async fn endpoint(server: &Server, receiver: &Receiver, events: &str) -> String {
    let form = format!("url={}&enabled_events[]={events}", receiver.url);
    let (status, body) = server.post("/v1/webhook_endpoints", &form).await;
    assert_eq!(status, 200, "{body}");
    body["secret"].as_str().unwrap().to_owned()
}

fn kind(body: &[u8]) -> String {
    serde_json::from_slice::<Value>(body).unwrap()["type"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn failures_and_redirects_are_tried_again_with_a_fresh_signature() {
    let server = Server::start().await;
    let receiver = Receiver::start(&[500, 302, 404]).await;
    let secret = endpoint(&server, &receiver, "checkout.session.completed").await;
    server.control("/_control/webhooks", r#"{"retry_scale":0.002}"#).await;
    let id = server.session("").await;
    server.pay(&id, "4242424242424242").await;
    let got = receiver.wait_for(4).await;
    for (headers, body) in &got {
        let header = headers["stripe-signature"].to_str().unwrap();
        let (t, v1) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{t}.").as_bytes());
        mac.update(body);
        assert_eq!(hex::encode(mac.finalize().into_bytes()), v1);
        assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (_, report) = server.get("/_control/deliveries").await;
    let tries: Vec<_> = report["deliveries"][0]["tries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["http_status"].clone())
        .collect();
    assert_eq!(
        (tries, &report["deliveries"][0]["status"]),
        (vec![500.into(), 302.into(), 404.into(), 200.into()], &"delivered".into())
    );
    let (_, list) = server.get("/v1/events?type=checkout.session.completed").await;
    assert_eq!(list["data"][0]["pending_webhooks"], 0);
}

#[tokio::test]
async fn held_webhooks_wait_until_they_are_released() {
    let server = Server::start().await;
    let receiver = Receiver::start(&[]).await;
    endpoint(&server, &receiver, "*").await;
    server.control("/_control/webhooks", r#"{"hold":true}"#).await;
    let id = server.session("").await;
    server.pay(&id, "4242424242424242").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(receiver.got.lock().unwrap().is_empty());
    let released = server.control("/_control/webhooks", r#"{"hold":false,"reversed":true}"#).await;
    assert_eq!(released["released"], 4);
    let got = receiver.wait_for(4).await;
    assert_eq!(kind(&got[0].1), "checkout.session.completed");
    assert_eq!(kind(&got[3].1), "payment_intent.created");
}

#[tokio::test]
async fn webhooks_are_dropped_duplicated_and_sent_again_on_request() {
    let server = Server::start().await;
    let receiver = Receiver::start(&[]).await;
    endpoint(&server, &receiver, "checkout.session.expired").await;
    server.control("/_control/webhooks", r#"{"drop":true}"#).await;
    let id = server.session("").await;
    server.post(&format!("/v1/checkout/sessions/{id}/expire"), "").await;
    server.control("/_control/webhooks", r#"{"drop":false,"duplicate":2}"#).await;
    let (_, list) = server.get("/v1/events?type=checkout.session.expired").await;
    let event = list["data"][0]["id"].as_str().unwrap();
    assert!(receiver.got.lock().unwrap().is_empty());
    server.control(&format!("/_control/events/{event}/resend"), "").await;
    let got = receiver.wait_for(3).await;
    assert!(got.iter().all(|(_, body)| body == &got[0].1));
    server.control("/_control/reset", "").await;
}

#[tokio::test]
async fn the_page_waits_for_the_webhook_when_asked_to() {
    let server = Server::start().await;
    let receiver = Receiver::start(&[]).await;
    endpoint(&server, &receiver, "checkout.session.completed").await;
    server.control("/_control/webhooks", r#"{"before_redirect":true,"delay_ms":200}"#).await;
    let id = server.session("").await;
    assert_eq!(server.pay(&id, "4242424242424242").await.0, 303);
    assert_eq!(receiver.got.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn late_things_happen_when_time_is_advanced() {
    let server = Server::start().await;
    let form = "&line_items[0][price_data][currency]=usd&payment_method_types[]=us_bank_account";
    let id = server.session(form).await;
    let debit = "routing=110000000&account=000123456789";
    assert_eq!(server.submit(&format!("/c/pay/{id}"), debit).await.0, 303);
    let disputed = server.session("").await;
    server.pay(&disputed, "4000000000000259").await;
    server.control("/_control/advance", r#"{"seconds":10}"#).await;
    let events = server.events().await;
    for kind in ["checkout.session.async_payment_succeeded", "charge.dispute.created", "charge.dispute.funds_withdrawn"]
    {
        assert!(events.iter().any(|event| event == kind), "{kind}: {events:?}");
    }
}

#[tokio::test]
async fn amounts_and_values_are_wrong_on_request() {
    let server = Server::start().await;
    let receiver = Receiver::start(&[]).await;
    endpoint(&server, &receiver, "checkout.session.completed").await;
    server.control("/_control/webhooks", r#"{"amount_delta":-98,"unknown_values":true}"#).await;
    let id = server.session("").await;
    server.pay(&id, "4242424242424242").await;
    let got = receiver.wait_for(1).await;
    let event: Value = serde_json::from_slice(&got[0].1).unwrap();
    assert_eq!(event["data"]["object"]["status"], "sandbox_unheard_of");
    let (_, session) = server.get(&format!("/v1/checkout/sessions/{id}?expand[]=payment_intent")).await;
    assert_eq!(session["amount_total"], 2500);
    assert_eq!(session["payment_intent"]["amount_received"], 2500);
}

#[tokio::test]
async fn a_seeded_account_signs_with_the_secret_it_was_given() {
    let receiver = Receiver::start(&[]).await;
    let seed = sandbox::Seed {
        provider: "stripe",
        key: "sk_test_rusttests1".into(),
        webhook_url: receiver.url.clone(),
        webhook_secret: "whsec_chosen".into(),
        ..sandbox::Seed::default()
    };
    let server = Server::start_seeded(seed).await;
    let id = server.session("").await;
    server.post(&format!("/v1/checkout/sessions/{id}/expire"), "").await;
    let got = receiver.wait_for(1).await;
    let header = got[0].0["stripe-signature"].to_str().unwrap();
    let (t, v1) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"whsec_chosen").unwrap();
    mac.update(format!("{t}.").as_bytes());
    mac.update(&got[0].1);
    assert_eq!(hex::encode(mac.finalize().into_bytes()), v1);
}
