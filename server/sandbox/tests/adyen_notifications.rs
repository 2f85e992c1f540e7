//! The Adyen simulator's notifications as a merchant receives them.

mod common;

use std::time::Duration;

use common::{
    Receiver, Server,
    adyen::{GOOD, HMAC, KEY, items, verified},
};
use serde_json::{Value, json};

fn reference(item: &Value) -> String {
    item["merchantReference"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn items_are_signed_and_the_endpoint_gets_its_basic_credentials() {
    let server = Server::start().await;
    let receiver = Receiver::start(&[202]).await;
    server.notify(&receiver).await;
    let paid = server.paid(json!({"reference": "a:b"}), "Ada").await;
    let got = receiver.wait_for(1).await;
    assert_eq!(got[0].0["authorization"], "Basic dGlsbDpzM2NyZXQ=");
    assert!(got[0].0["content-type"].to_str().unwrap().starts_with("application/json"));
    let item = items(&got[0]).remove(0);
    assert!(verified(&item), "{item}");
    assert_eq!((&item["pspReference"], &item["success"]), (&paid["pspReference"], &"true".into()));
    let mut forged = item.clone();
    forged["amount"]["value"] = 1.into();
    assert!(!verified(&forged));
}

#[tokio::test]
async fn a_failing_delivery_is_tried_again_and_delays_the_next() {
    let server = Server::start().await;
    let receiver = Receiver::start(&[500, 302]).await;
    server.notify(&receiver).await;
    server.control("/_control/adyen/webhooks", r#"{"retry_scale":0.005}"#).await;
    server.paid(json!({"reference": "one"}), "Ada").await;
    server.paid(json!({"reference": "two"}), "Ada").await;
    let got = receiver.wait_for(4).await;
    let order: Vec<String> = got.iter().map(|one| reference(&items(one)[0])).collect();
    assert_eq!(order, ["one", "one", "one", "two"]);
    let done = async || {
        let (_, list) = server.get("/_control/adyen/notifications?code=AUTHORISATION").await;
        list["notifications"][1]["deliveries"][0].clone()
    };
    for _ in 0..100 {
        if done().await["status"] == "delivered" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let delivery = done().await;
    let tries: Vec<_> = delivery["tries"].as_array().unwrap().iter().map(|one| one["http_status"].clone()).collect();
    assert_eq!(tries, [500, 302, 200]);
}

#[tokio::test]
async fn held_notifications_leave_together_and_reversed() {
    let server = Server::start().await;
    let receiver = Receiver::start(&[]).await;
    server.notify(&receiver).await;
    server.control("/_control/adyen/webhooks", r#"{"hold":true}"#).await;
    server.paid(json!({"reference": "one"}), "Ada").await;
    server.paid(json!({"reference": "two"}), "Ada").await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert!(receiver.got.lock().unwrap().is_empty());
    let released = server.control("/_control/adyen/webhooks", r#"{"hold":false,"reversed":true,"batch":true}"#).await;
    assert_eq!(released["released"], 2);
    let got = receiver.wait_for(1).await;
    let batch = items(&got[0]);
    assert_eq!(batch.iter().map(reference).collect::<Vec<_>>(), ["two", "one"]);
    assert!(batch.iter().all(verified));
}

#[tokio::test]
async fn notifications_are_dropped_duplicated_tampered_and_sent_again() {
    let server = Server::start().await;
    let receiver = Receiver::start(&[]).await;
    server.notify(&receiver).await;
    server.control("/_control/adyen/webhooks", r#"{"drop":true}"#).await;
    let paid = server.paid(json!({}), "Ada").await;
    let list = format!("/_control/adyen/notifications?psp={}", paid["pspReference"].as_str().unwrap());
    let (_, body) = server.get(&list).await;
    assert_eq!(body["notifications"][0]["deliveries"][0]["status"], "dropped");
    let id = body["notifications"][0]["id"].as_str().unwrap();
    assert!(receiver.got.lock().unwrap().is_empty());
    server.control("/_control/adyen/webhooks", r#"{"drop":false,"duplicate":2,"tamper":true}"#).await;
    server.control(&format!("/_control/adyen/notifications/{id}/resend"), "").await;
    let got = receiver.wait_for(3).await;
    assert!(got.iter().all(|one| one.1 == got[0].1 && !verified(&items(one)[0])));
    server.control("/_control/reset", "").await;
    server.control(&format!("/_control/adyen/notifications/{id}/resend"), "").await;
    assert!(verified(&items(&receiver.wait_for(4).await[3])[0]));
}

#[tokio::test]
async fn values_nobody_has_heard_of_are_signed_all_the_same() {
    let server = Server::start().await;
    let receiver = Receiver::start(&[]).await;
    server.notify(&receiver).await;
    server.control("/_control/adyen/webhooks", &json!({"account": KEY, "unknown_values": true}).to_string()).await;
    let paid = server.paid(json!({}), "Ada").await;
    let trigger = format!("/_control/adyen/payments/{}/unknown_event", paid["pspReference"].as_str().unwrap());
    server.control(&trigger, "").await;
    let got = receiver.wait_for(2).await;
    let item = items(&got[0]).remove(0);
    assert!(verified(&item) && item["paymentMethod"] == "sandbox_unheard_of" && item["sandboxUnheardOf"].is_object());
    assert_eq!(items(&got[1])[0]["eventCode"], "SANDBOX_UNHEARD_OF");
}

#[tokio::test]
async fn the_page_waits_for_the_notification_when_asked_to() {
    let server = Server::start().await;
    let receiver = Receiver::start(&[]).await;
    server.notify(&receiver).await;
    server.control("/_control/adyen/webhooks", r#"{"before_redirect":true,"delay_ms":200}"#).await;
    let id = server.link(json!({})).await["id"].as_str().unwrap().to_owned();
    assert_eq!(server.submit(&format!("/adyen/pay/{id}"), GOOD).await.0, 303);
    assert_eq!(receiver.got.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn endpoints_are_checked_and_can_be_taken_away() {
    let server = Server::start().await;
    for bad in [
        json!({"account": "sk_test_x", "url": "http://127.0.0.1:1/", "hmac_key": HMAC}),
        json!({"account": KEY, "url": "nowhere", "hmac_key": HMAC}),
        json!({"account": KEY, "url": "http://127.0.0.1:1/", "hmac_key": "00"}),
        json!({"account": KEY, "url": "http://127.0.0.1:1/"}),
    ] {
        assert_eq!(server.post("/_control/adyen/endpoint", &bad.to_string()).await.0, 400, "{bad}");
    }
    let receiver = Receiver::start(&[]).await;
    server.notify(&receiver).await;
    let none = json!({"account": KEY, "merchant_account": "TillDemo"}).to_string();
    assert_eq!(server.control("/_control/adyen/endpoint", &none).await["url"], Value::Null);
    server.paid(json!({}), "Ada").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(receiver.got.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_seeded_account_signs_with_the_key_it_was_given() {
    let receiver = Receiver::start(&[]).await;
    let seed = sandbox::Seed {
        provider: "adyen",
        key: KEY.into(),
        webhook_url: receiver.url.clone(),
        webhook_secret: HMAC.into(),
        more: [("merchant_account", "TillDemo".to_owned())].into(),
    };
    let server = Server::start_seeded(seed).await;
    server.paid(json!({}), "Ada").await;
    let got = receiver.wait_for(1).await;
    assert!(verified(&items(&got[0])[0]) && !got[0].0.contains_key("authorization"));
    let (status, _) = server.adyen_post("paymentLinks", json!({"merchantAccount": "Other"})).await;
    assert_eq!(status, 403);
}
