//! Every webhook fault, as Adyen's notifications show it on the wire.

mod common;

use std::time::Duration;

use axum::{body::Bytes, http::HeaderMap};
use common::{
    Receiver, Server,
    adyen::{GOOD, KEY, items, verified},
};
use serde_json::{Value, json};

async fn fault(server: &Server, json: Value) {
    server.control("/_control/faults", &json.to_string()).await;
}

async fn start() -> (Server, Receiver) {
    let (server, receiver) = (Server::start().await, Receiver::start(&[]).await);
    server.notify(&receiver).await;
    (server, receiver)
}

fn psp(object: &Value) -> &str {
    object["pspReference"].as_str().unwrap()
}

/// The only item of a delivery.
fn item(got: &(HeaderMap, Bytes)) -> Value {
    items(got).remove(0)
}

/// The merchant's references of all received items, in the order of arrival.
fn order(got: &[(HeaderMap, Bytes)]) -> Vec<String> {
    got.iter().map(|one| item(one)["merchantReference"].as_str().unwrap().to_owned()).collect()
}

/// Asserts that no more than `count` deliveries arrive.
async fn quiet(receiver: &Receiver, count: usize) {
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.got.lock().unwrap().len(), count);
}

/// The item of a payment under a fault, and the item of the same notification sent again without the fault.
async fn lie(json: Value) -> (Value, Value) {
    let (server, receiver) = start().await;
    fault(&server, json).await;
    let paid = server.paid(json!({}), "Ada").await;
    receiver.wait_for(1).await;
    let (_, list) = server.get(&format!("/_control/adyen/notifications?psp={}", psp(&paid))).await;
    let id = list["notifications"][0]["id"].as_str().unwrap();
    server.control(&format!("/_control/adyen/notifications/{id}/resend"), "").await;
    let got = receiver.wait_for(2).await;
    let (told, truth) = (item(&got[0]), item(&got[1]));
    assert!(verified(&truth) && psp(&truth) == psp(&told), "the fault is used up: {truth}");
    (told, truth)
}

/// An item without the named fields.
fn without(item: &Value, fields: &[&str]) -> Value {
    let mut item = item.clone();
    fields.iter().for_each(|field| item[*field] = Value::Null);
    item
}

#[tokio::test]
async fn signatures_are_wrong_or_missing() {
    let (told, truth) = lie(json!({"provider": "adyen", "operation": "AUTHORISATION", "fault": "tamper"})).await;
    assert!(!verified(&told));
    assert_eq!((&told["amount"]["value"], &truth["amount"]["value"]), (&json!(2599), &json!(2598)));
    assert_eq!(told["additionalData"], truth["additionalData"], "signed before it was changed");

    let (told, truth) = lie(json!({"provider": "adyen", "fault": "wrong_key"})).await;
    assert!(!verified(&told));
    assert_eq!(without(&told, &["additionalData"]), without(&truth, &["additionalData"]));

    let (told, mut truth) = lie(json!({"provider": "adyen", "fault": "missing_signature"})).await;
    assert!(truth["additionalData"].as_object_mut().unwrap().remove("hmacSignature").is_some());
    assert_eq!(told, truth);
}

#[tokio::test]
async fn items_lie_under_a_right_signature() {
    let data = "additionalData";
    let wrong = json!({"provider": "adyen", "fault": "wrong_amount", "on": "webhook", "amount_delta": -98});
    let (told, truth) = lie(wrong).await;
    assert!(verified(&told));
    assert_eq!((&told["amount"]["value"], &truth["amount"]["value"]), (&json!(2500), &json!(2598)));
    assert_eq!(without(&told, &["amount", data]), without(&truth, &["amount", data]));

    let (told, truth) = lie(json!({"provider": "adyen", "fault": "another_account"})).await;
    assert!(verified(&told));
    assert_eq!(truth["merchantAccountCode"], "TillDemo");
    assert!(told["merchantAccountCode"].is_string() && told["merchantAccountCode"] != "TillDemo", "{told}");
    assert_eq!(without(&told, &["merchantAccountCode", data]), without(&truth, &["merchantAccountCode", data]));

    let (told, truth) = lie(json!({"provider": "adyen", "fault": "unknown_value", "on": "webhook"})).await;
    assert!(verified(&told));
    assert_eq!((&told["paymentMethod"], &truth["paymentMethod"]), (&json!("sandbox_unheard_of"), &json!("visa")));
    assert!(told["sandboxUnheardOf"].is_object() && truth.get("sandboxUnheardOf").is_none());
}

#[tokio::test]
async fn notifications_are_doubled_or_lost_and_the_api_key_says_whose() {
    let (server, receiver) = start().await;
    fault(&server, json!({"fault": "drop", "account": "test_somebodyelse1"})).await;
    fault(&server, json!({"fault": "drop", "provider": "stripe"})).await;
    fault(&server, json!({"fault": "duplicate", "copies": 2, "account": KEY, "operation": "AUTHOR*"})).await;
    server.paid(json!({"reference": "one"}), "Ada").await;
    let got = receiver.wait_for(3).await;
    assert!(got.iter().all(|one| one.1 == got[0].1 && verified(&item(one))));

    fault(&server, json!({"fault": "drop", "account": KEY})).await;
    let paid = server.paid(json!({"reference": "two"}), "Ada").await;
    quiet(&receiver, 3).await;
    let (_, list) = server.get(&format!("/_control/adyen/notifications?psp={}", psp(&paid))).await;
    let delivery = &list["notifications"][0]["deliveries"][0];
    assert_eq!((&delivery["status"], &delivery["plan"]["dropped"]), (&json!("dropped"), &json!(true)));
    assert_eq!(server.get("/_control/faults").await.1["faults"].as_array().unwrap().len(), 2, "the others wait");
}

#[tokio::test]
async fn a_reordered_notification_follows_the_next_one() {
    let (server, receiver) = start().await;
    fault(&server, json!({"provider": "adyen", "fault": "reorder", "count": 2})).await;
    server.paid(json!({"reference": "one"}), "Ada").await;
    quiet(&receiver, 0).await;
    // The next delivery passes the waiting one, so the second use of the fault is left for later.
    server.paid(json!({"reference": "two"}), "Ada").await;
    assert_eq!(order(&receiver.wait_for(2).await), ["two", "one"]);
    server.paid(json!({"reference": "three"}), "Ada").await;
    server.paid(json!({"reference": "four"}), "Ada").await;
    assert_eq!(order(&receiver.wait_for(4).await)[2..], ["four", "three"]);
}

#[tokio::test]
async fn what_goes_late_but_was_queued_before_overtakes_nothing() {
    let (server, receiver) = (Server::start().await, Receiver::start(&[500]).await);
    server.notify(&receiver).await;
    server.control("/_control/adyen/webhooks", r#"{"retry_scale":0.05}"#).await;
    server.paid(json!({"reference": "one"}), "Ada").await;
    receiver.wait_for(1).await;
    fault(&server, json!({"provider": "adyen", "fault": "reorder"})).await;
    server.paid(json!({"reference": "two"}), "Ada").await;
    assert_eq!(order(&receiver.wait_for(2).await), ["one", "one"]);
    quiet(&receiver, 2).await;
    server.paid(json!({"reference": "three"}), "Ada").await;
    assert_eq!(order(&receiver.wait_for(4).await)[2..], ["three", "two"]);
}

#[tokio::test]
async fn a_reordered_notification_without_a_next_one_goes_in_the_end() {
    let (server, receiver) = start().await;
    fault(&server, json!({"provider": "adyen", "fault": "reorder", "delay_ms": 150})).await;
    server.paid(json!({}), "Ada").await;
    receiver.wait_for(1).await;
}

#[tokio::test]
async fn a_late_notification_is_passed_and_comes_forward_when_time_is_advanced() {
    let (server, receiver) = start().await;
    fault(&server, json!({"provider": "adyen", "fault": "late", "delay_ms": 86_400_000})).await;
    server.paid(json!({"reference": "one"}), "Ada").await;
    server.paid(json!({"reference": "two"}), "Ada").await;
    assert_eq!(order(&receiver.wait_for(1).await), ["two"], "it holds nobody up");
    server.control("/_control/advance", r#"{"seconds":3600}"#).await;
    quiet(&receiver, 1).await;
    server.control("/_control/advance", r#"{"seconds":86400}"#).await;
    assert_eq!(order(&receiver.wait_for(2).await), ["two", "one"]);
}

#[tokio::test]
async fn a_late_notification_comes_by_itself() {
    let (server, receiver) = start().await;
    fault(&server, json!({"provider": "adyen", "fault": "late", "delay_ms": 250})).await;
    server.paid(json!({}), "Ada").await;
    assert!(receiver.got.lock().unwrap().is_empty());
    receiver.wait_for(1).await;
}

#[tokio::test]
async fn an_early_notification_beats_the_redirect_and_the_refusal() {
    let (server, receiver) = start().await;
    for (holder, status) in [("Ada", 303), ("DECLINED", 402)] {
        let before = receiver.got.lock().unwrap().len();
        // The notification is late as well, so that without the fault the answer would surely come first.
        fault(
            &server,
            json!([{"provider": "adyen", "fault": "early"}, {"provider": "adyen", "fault": "late", "delay_ms": 200}]),
        )
        .await;
        let id = server.link(json!({})).await["id"].as_str().unwrap().to_owned();
        assert_eq!(server.submit(&format!("/adyen/pay/{id}"), &format!("{GOOD}{holder}")).await.0, status);
        assert_eq!(receiver.got.lock().unwrap().len(), before + 1, "{holder}");
    }
}

#[tokio::test]
async fn an_early_notification_beats_the_reply_that_only_says_received() {
    let (server, receiver) = start().await;
    let paid = server.paid(json!({}), "Ada").await;
    receiver.wait_for(1).await;
    fault(&server, json!({"provider": "adyen", "fault": "early", "operation": "REFUND"})).await;
    // The notification is late as well, so that the reply surely has to wait.
    fault(&server, json!({"provider": "adyen", "fault": "late", "operation": "REFUND", "delay_ms": 200})).await;
    let order = json!({"merchantAccount": "TillDemo", "amount": {"value": 598, "currency": "EUR"}});
    let (status, reply) = server.adyen_post(&format!("payments/{}/refunds", psp(&paid)), order.clone()).await;
    assert_eq!((status, &reply["status"]), (201, &json!("received")));
    let got = receiver.got.lock().unwrap().clone();
    assert_eq!(got.len(), 2, "before the reply");
    let told = item(&got[1]);
    assert!(verified(&told) && told["success"] == "true" && psp(&told) == psp(&reply), "{told}");
    // The fault happens once: the next refund takes its usual time, and each refund moved its money once.
    let (_, reply) = server.adyen_post(&format!("payments/{}/refunds", psp(&paid)), order).await;
    assert_eq!((receiver.got.lock().unwrap().len(), &reply["status"]), (2, &json!("received")));
    receiver.wait_for(3).await;
    assert_eq!(server.story(psp(&paid)).await, ["AUTHORISATION true", "REFUND true", "REFUND true"]);
}

#[tokio::test]
async fn an_early_fault_waits_for_something_to_be_early_for() {
    let (server, receiver) = start().await;
    let paid = server.paid(json!({}), "Ada").await;
    fault(&server, json!({"fault": "early"})).await;
    server.control(&format!("/_control/adyen/payments/{}/chargeback", psp(&paid)), "").await;
    receiver.wait_for(3).await;
    assert_eq!(server.get("/_control/faults").await.1["faults"][0]["happened"], 0);
}

#[tokio::test]
async fn what_cannot_happen_at_adyen_is_refused_and_every_provider_means_the_others() {
    let (server, receiver) = start().await;
    let cases = [
        (json!({"provider": "adyen", "fault": "stale"}), "covers no time"),
        (json!({"provider": "adyen", "fault": "future"}), "covers no time"),
        (json!({"provider": "adyen", "fault": "early", "operation": "CHARGEBACK"}), "No reply or page"),
        (json!([{"fault": "drop"}, {"provider": "adyen", "fault": "stale"}]), "covers no time"),
    ];
    for (wanted, says) in cases {
        let (status, refused) = server.post("/_control/faults", &wanted.to_string()).await;
        assert_eq!(status, 422, "{wanted}");
        assert!(refused["error"]["message"].as_str().unwrap().contains(says), "{refused}");
    }
    assert_eq!(server.get("/_control/faults").await.1["faults"], json!([]), "all or none");
    fault(&server, json!([{"fault": "stale"}, {"fault": "future"}])).await;
    server.paid(json!({}), "Ada").await;
    assert!(verified(&item(&receiver.wait_for(1).await[0])));
    let (_, shown) = server.get("/_control/faults").await;
    assert!(shown["faults"].as_array().unwrap().iter().all(|fault| fault["happened"] == 0), "{shown}");
}

#[tokio::test]
async fn what_was_to_be_done_to_a_notification_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    let receiver = Receiver::start(&[]).await;
    let server = Server::start_with(Some(path.clone())).await;
    server.notify(&receiver).await;
    let list = json!([{"fault": "wrong_key"}, {"fault": "late", "delay_ms": 86_400_000}]);
    fault(&server, list).await;
    server.paid(json!({}), "Ada").await;
    server.stop().await;
    let server = Server::start_with(Some(path)).await;
    assert!(receiver.got.lock().unwrap().is_empty());
    server.control("/_control/advance", r#"{"seconds":90000}"#).await;
    assert!(!verified(&item(&receiver.wait_for(1).await[0])));
    // Faults also strike an account that was loaded from the snapshot.
    fault(&server, json!({"fault": "drop", "account": KEY})).await;
    server.paid(json!({}), "Ada").await;
    quiet(&receiver, 1).await;
}
