//! Every fault on the wire, and the control API that sets it.

mod common;

use std::time::{Duration, Instant};

use axum::{body::Bytes, http::HeaderMap};
use common::{Receiver, SESSION, Server, read};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

const CREATE: &str = "/v1/checkout/sessions";
const ANY: &str = "payment_intent.created";

async fn fault(server: &Server, json: Value) -> String {
    let reply = server.control("/_control/faults", &json.to_string()).await;
    reply["added"][0].as_str().unwrap().to_owned()
}

async fn sessions(server: &Server) -> Value {
    server.get("/_control/stats").await.1["sessions"].clone()
}

/// Creates an endpoint for these events. Returns its secret.
async fn endpoint(server: &Server, receiver: &Receiver, events: &[&str]) -> String {
    let form = events.iter().fold(format!("url={}", receiver.url), |form, event| form + "&enabled_events[]=" + event);
    server.post("/v1/webhook_endpoints", &form).await.1["secret"].as_str().unwrap().to_owned()
}

/// The signature's age in seconds, and whether it is right for the body.
fn signed(secret: &str, (headers, body): &(HeaderMap, Bytes)) -> (i64, bool) {
    let header = headers["stripe-signature"].to_str().unwrap();
    let (t, v1) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{t}.").as_bytes());
    mac.update(body);
    (common::unix_now() - t.parse::<i64>().unwrap(), hex::encode(mac.finalize().into_bytes()) == v1)
}

fn event((_, body): &(HeaderMap, Bytes)) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// The one webhook of a paid session, under this fault, at an endpoint for completed sessions.
async fn delivered(json: Value) -> (Server, (HeaderMap, Bytes), String) {
    let (server, receiver) = (Server::start().await, Receiver::start(&[]).await);
    let secret = endpoint(&server, &receiver, &["checkout.session.completed"]).await;
    fault(&server, json).await;
    let id = server.session("").await;
    server.pay(&id, "4242424242424242").await;
    let got = receiver.wait_for(1).await.remove(0);
    (server, got, secret)
}

#[tokio::test]
async fn refused_calls_are_answered_and_nothing_is_carried_out() {
    let server = Server::start().await;
    let cases = [
        ("error_500", 500, "api_error"),
        ("error_503", 503, "api_error"),
        ("rate_limit_429", 429, "invalid_request_error"),
        ("conflict_409", 409, "idempotency_error"),
    ];
    let key = [("idempotency-key", "one")];
    for (name, status, kind) in cases {
        fault(&server, json!({"operation": "checkout.sessions.create", "fault": name})).await;
        let reply = server.send(Method::POST, CREATE, SESSION, &key).await;
        assert_eq!(reply.headers().contains_key("retry-after"), status == 429, "{name}");
        let (got, body) = read(reply).await;
        assert_eq!((got, &body["error"]["type"]), (status, &json!(kind)), "{name}");
        assert_eq!(sessions(&server).await, 0, "{name}");
    }
    // The failed request stored no reply under its key, so another body may use the key.
    let (status, _) = read(server.send(Method::POST, CREATE, &format!("{SESSION}&metadata[a]=b"), &key).await).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn proxies_answer_with_html() {
    let server = Server::start().await;
    for (name, status) in [("html_502", 502), ("html_200", 200)] {
        fault(&server, json!({"operation": "checkout.*", "fault": name})).await;
        let reply = server.send(Method::POST, CREATE, SESSION, &[]).await;
        assert_eq!((reply.status().as_u16(), reply.headers()["content-type"].to_str().unwrap()), (status, "text/html"));
        assert!(reply.text().await.unwrap().starts_with("<html>"));
        assert_eq!(sessions(&server).await, 0, "{name}");
    }
}

#[tokio::test]
async fn a_lost_reply_comes_before_or_after_accepting() {
    let server = Server::start().await;
    for (name, before, made) in [("timeout_before_accept", 0, 0), ("timeout_after_accept", 1, 1)] {
        fault(&server, json!({"operation": "checkout.sessions.create", "fault": name, "delay_ms": 150})).await;
        let started = Instant::now();
        let lost = server.try_send(Method::POST, CREATE, SESSION, &[("idempotency-key", name)]).await;
        assert!(lost.is_err() && started.elapsed() >= Duration::from_millis(150), "{name}");
        assert_eq!(sessions(&server).await, before + made, "{name}");
        let (_, report) = server.get("/_control/calls?operation=checkout.sessions.create").await;
        let call = report["calls"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&call["status"], &call["fault"]), (&json!(0), &json!(name)));
        // A repetition with the same key gets the outcome, and creates no second session.
        let again = server.send(Method::POST, CREATE, SESSION, &[("idempotency-key", name)]).await;
        assert_eq!(again.headers().contains_key("idempotent-replayed"), made == 1, "{name}");
        assert_eq!(sessions(&server).await, before + 1, "{name}");
    }
}

#[tokio::test]
async fn an_error_after_accepting_hides_what_was_done() {
    let server = Server::start().await;
    fault(&server, json!({"operation": "checkout.sessions.create", "fault": "error_500_after_accept"})).await;
    let key = [("idempotency-key", "one")];
    assert_eq!(server.send(Method::POST, CREATE, SESSION, &key).await.status(), 500);
    assert_eq!(sessions(&server).await, 1);
    let (status, body) = read(server.send(Method::POST, CREATE, SESSION, &key).await).await;
    assert_eq!((status, &body["object"], sessions(&server).await), (200, &json!("checkout.session"), json!(1)));
}

#[tokio::test]
async fn a_slow_call_is_carried_out_late() {
    let server = Server::start().await;
    fault(&server, json!({"operation": "checkout.sessions.create", "fault": "slow", "delay_ms": 200})).await;
    let started = Instant::now();
    server.session("").await;
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn replies_say_another_amount_or_unheard_of_values_and_the_stored_ones_stay_true() {
    let server = Server::start().await;
    let key = [("idempotency-key", "one")];
    fault(&server, json!({"operation": "checkout.*", "fault": "wrong_amount", "on": "api", "amount_delta": -98})).await;
    let (_, wrong) = read(server.send(Method::POST, CREATE, SESSION, &key).await).await;
    assert_eq!((&wrong["amount_total"], &wrong["amount_subtotal"]), (&json!(2500), &json!(2500)));
    let (_, stored) = read(server.send(Method::POST, CREATE, SESSION, &key).await).await;
    assert_eq!(stored["amount_total"], 2598);

    fault(&server, json!({"operation": "checkout.sessions.retrieve", "fault": "unknown_value", "on": "api"})).await;
    let path = format!("/v1/checkout/sessions/{}", stored["id"].as_str().unwrap());
    let (_, strange) = server.get(&path).await;
    assert_eq!(
        (&strange["status"], &strange["payment_status"]),
        (&json!("sandbox_unheard_of"), &json!("sandbox_unheard_of"))
    );
    assert_eq!(strange["sandbox_unheard_of"], true);
    assert_eq!(server.get(&path).await.1, stored, "once only");

    fault(&server, json!({"operation": "refunds.retrieve", "fault": "unknown_value", "on": "api"})).await;
    let (status, strange) = server.get("/v1/refunds/re_none").await;
    assert_eq!((status, &strange["error"]["code"]), (404, &json!("sandbox_unheard_of")));
}

#[tokio::test]
async fn signatures_are_old_early_wrong_or_missing() {
    let (_, got, secret) = delivered(json!({"operation": "checkout.session.completed", "fault": "stale"})).await;
    let (age, right) = signed(&secret, &got);
    assert!(right && (3_600..3_610).contains(&age), "{age}");

    let (_, got, secret) = delivered(json!({"operation": "checkout.session.completed", "fault": "future"})).await;
    let (age, right) = signed(&secret, &got);
    assert!(right && (-3_600..-3_590).contains(&age), "{age}");

    for name in ["tamper", "wrong_key"] {
        let (_, got, secret) = delivered(json!({"operation": "checkout.session.completed", "fault": name})).await;
        let (age, right) = signed(&secret, &got);
        assert!(!right && (0..10).contains(&age), "{name}");
        assert_eq!(event(&got)["type"], "checkout.session.completed", "still a whole event");
    }

    let (_, got, _) = delivered(json!({"operation": "checkout.session.completed", "fault": "missing_signature"})).await;
    assert!(!got.0.contains_key("stripe-signature"));
}

#[tokio::test]
async fn events_lie_under_a_right_signature_and_the_api_tells_the_truth() {
    let fields = |json: Value| async move {
        let (server, got, secret) = delivered(json).await;
        assert!(signed(&secret, &got).1);
        let told = event(&got);
        let (_, truth) = server.get(&format!("/v1/events/{}", told["id"].as_str().unwrap())).await;
        (told, truth)
    };
    let (told, truth) =
        fields(json!({"operation": "checkout.session.completed", "fault": "wrong_amount", "amount_delta": 2})).await;
    assert_eq!(
        (&told["data"]["object"]["amount_total"], &truth["data"]["object"]["amount_total"]),
        (&json!(2600), &json!(2598))
    );

    let (told, truth) = fields(json!({"operation": "checkout.session.completed", "fault": "unknown_value"})).await;
    assert_eq!(told["data"]["object"]["payment_status"], "sandbox_unheard_of");
    assert_eq!(told["data"]["object"]["sandbox_unheard_of"], true);
    assert_eq!(truth["data"]["object"]["payment_status"], "paid");

    let (told, truth) = fields(json!({"operation": "checkout.session.completed", "fault": "another_account"})).await;
    assert!(told["account"].is_string() && truth.get("account").is_none());
}

#[tokio::test]
async fn webhooks_are_doubled_or_lost() {
    let (server, receiver) = (Server::start().await, Receiver::start(&[]).await);
    endpoint(&server, &receiver, &[ANY, "checkout.session.completed"]).await;
    fault(&server, json!({"operation": ANY, "fault": "drop"})).await;
    fault(&server, json!({"operation": "checkout.session.completed", "fault": "duplicate", "copies": 2})).await;
    let id = server.session("").await;
    server.pay(&id, "4242424242424242").await;
    let got = receiver.wait_for(3).await;
    assert!(got.iter().all(|one| event(one)["id"] == event(&got[0])["id"]), "three of one, none of the other");
    let (_, report) = server.get("/_control/deliveries").await;
    let dropped = report["deliveries"].as_array().unwrap().iter().filter(|row| row["status"] == "dropped").count();
    assert_eq!(dropped, 1);
    // The lost event can be sent again, and the fault is used up.
    let (_, list) = server.get(&format!("/v1/events?type={ANY}")).await;
    let lost = list["data"][0]["id"].as_str().unwrap();
    server.control(&format!("/_control/events/{lost}/resend"), "").await;
    assert_eq!(event(&receiver.wait_for(4).await[3])["id"], lost);
}

#[tokio::test]
async fn a_reordered_webhook_follows_the_next_one() {
    let (server, receiver) = (Server::start().await, Receiver::start(&[]).await);
    endpoint(&server, &receiver, &[ANY, "checkout.session.expired"]).await;
    fault(&server, json!({"operation": ANY, "fault": "reorder"})).await;
    let id = server.session("").await;
    // A declined card makes the intent, whose first webhook waits until the webhook about the session's end.
    server.pay(&id, "4000000000000002").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(receiver.got.lock().unwrap().is_empty());
    server.post(&format!("/v1/checkout/sessions/{id}/expire"), "").await;
    let kinds: Vec<Value> = receiver.wait_for(2).await.iter().map(|one| event(one)["type"].clone()).collect();
    assert_eq!(kinds, ["checkout.session.expired", ANY]);
}

#[tokio::test]
async fn a_reordered_webhook_without_a_next_one_goes_in_the_end() {
    let (server, receiver) = (Server::start().await, Receiver::start(&[]).await);
    endpoint(&server, &receiver, &[ANY]).await;
    fault(&server, json!({"operation": ANY, "fault": "reorder", "delay_ms": 150})).await;
    let id = server.session("").await;
    server.pay(&id, "4242424242424242").await;
    receiver.wait_for(1).await;
}

#[tokio::test]
async fn an_early_webhook_beats_the_reply_and_the_redirect() {
    let (server, receiver) = (Server::start().await, Receiver::start(&[]).await);
    endpoint(&server, &receiver, &["checkout.session.completed", "refund.created"]).await;
    for operation in ["refund.created", "checkout.session.completed"] {
        // The webhook is late as well, so that without the fault the reply would surely come first.
        fault(&server, json!({"operation": operation, "fault": "early"})).await;
        fault(&server, json!({"operation": operation, "fault": "late", "delay_ms": 200})).await;
    }
    let id = server.session("").await;
    assert_eq!(server.pay(&id, "4242424242424242").await.0, 303);
    assert_eq!(receiver.got.lock().unwrap().len(), 1, "before the redirect");
    let (_, list) = server.get("/v1/payment_intents").await;
    let intent = list["data"][0]["id"].as_str().unwrap();
    assert_eq!(server.post("/v1/refunds", &format!("payment_intent={intent}")).await.0, 200);
    assert_eq!(receiver.got.lock().unwrap().len(), 2, "before the reply");
}

#[tokio::test]
async fn a_late_webhook_waits_and_comes_forward_when_time_is_advanced() {
    let (server, receiver) = (Server::start().await, Receiver::start(&[]).await);
    endpoint(&server, &receiver, &["checkout.session.completed"]).await;
    fault(&server, json!({"operation": "checkout.*", "fault": "late", "delay_ms": 86_400_000, "on": "webhook"})).await;
    let id = server.session("").await;
    server.pay(&id, "4242424242424242").await;
    server.control("/_control/advance", r#"{"seconds":3600}"#).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(receiver.got.lock().unwrap().is_empty());
    server.control("/_control/advance", r#"{"seconds":86400}"#).await;
    receiver.wait_for(1).await;
}

#[tokio::test]
async fn faults_are_listed_counted_removed_and_cleared() {
    let server = Server::start().await;
    let list = json!([{"fault": "slow", "operation": "balance.retrieve", "delay_ms": 1, "count": 2},
        {"fault": "drop", "provider": "stripe", "probability": 0.25}, {"fault": "tamper", "provider": "adyen"}]);
    let reply = server.control("/_control/faults", &list.to_string()).await;
    assert_eq!(reply["added"], json!(["flt_1", "flt_2", "flt_3"]));
    server.get("/v1/balance").await;
    let (_, shown) = server.get("/_control/faults").await;
    assert_eq!((&shown["faults"][0]["count"], &shown["faults"][0]["happened"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&shown["faults"][1]["count"], &shown["faults"][1]["probability_permille"]),
        (&Value::Null, &json!(250))
    );
    let delete = async |path: &str| read(server.send(Method::DELETE, path, "", &[]).await).await;
    assert_eq!(delete("/_control/faults/flt_2").await.0, 200);
    assert_eq!(delete("/_control/faults/flt_2").await.0, 404);
    assert_eq!(delete("/_control/faults").await.1["cleared"], 2);
    assert_eq!(server.get("/_control/faults").await.1["faults"], json!([]));
    let (status, refused) =
        server.post("/_control/faults", r#"[{"fault":"slow"},{"fault":"slow","on":"webhook"}]"#).await;
    assert_eq!(status, 400);
    assert!(refused["error"]["message"].as_str().unwrap().contains("API calls only"), "{refused}");
    assert_eq!(server.get("/_control/faults").await.1["faults"], json!([]), "all or none");
    let (_, kinds) = server.get("/_control/faults/kinds").await;
    assert!(kinds["kinds"].as_array().unwrap().iter().any(|kind| kind["fault"] == "wrong_key"));
}

#[tokio::test]
async fn a_seed_makes_a_run_repeatable() {
    let server = Server::start().await;
    let run = async |seed: u32| {
        server.control("/_control/reset", "").await;
        server.control("/_control/seed", &json!({"seed": seed}).to_string()).await;
        fault(&server, json!({"fault": "error_500", "operation": "balance.retrieve", "probability_permille": 500}))
            .await;
        let mut statuses = Vec::new();
        for _ in 0..24 {
            statuses.push(server.get("/v1/balance").await.0);
        }
        statuses
    };
    let first = run(7).await;
    assert!(first.contains(&200) && first.contains(&500));
    assert_eq!(run(7).await, first);
    assert_ne!(run(8).await, first);
    assert_eq!(server.get("/_control/seed").await.1["seed"], 8);
}

#[tokio::test]
async fn a_fault_for_one_account_leaves_the_others_alone_and_another_provider_too() {
    let server = Server::start().await;
    fault(&server, json!({"fault": "error_500", "account": "sk_test_somebodyelse"})).await;
    fault(&server, json!({"fault": "error_500", "provider": "adyen"})).await;
    assert_eq!(server.get("/v1/balance").await.0, 200);
    fault(&server, json!({"fault": "error_500", "account": server.key, "provider": "stripe"})).await;
    assert_eq!(server.get("/v1/balance").await.0, 500);
}

#[tokio::test]
async fn what_was_to_be_done_to_a_webhook_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    let receiver = Receiver::start(&[]).await;
    let server = Server::start_with(Some(path.clone())).await;
    let secret = endpoint(&server, &receiver, &["checkout.session.completed"]).await;
    let list = json!([{"fault": "wrong_key", "operation": "checkout.session.completed"},
        {"fault": "late", "operation": "checkout.session.completed", "delay_ms": 86_400_000}]);
    server.control("/_control/faults", &list.to_string()).await;
    let id = server.session("").await;
    server.pay(&id, "4242424242424242").await;
    server.stop().await;
    let server = Server::start_with(Some(path)).await;
    assert!(receiver.got.lock().unwrap().is_empty());
    server.control("/_control/advance", r#"{"seconds":90000}"#).await;
    assert!(!signed(&secret, &receiver.wait_for(1).await[0]).1);
    // Faults also strike an account that was loaded from the snapshot.
    fault(&server, json!({"fault": "drop", "operation": "charge.refunded"})).await;
    let (_, list) = server.get("/v1/payment_intents").await;
    endpoint(&server, &receiver, &["charge.refunded"]).await;
    server.post("/v1/refunds", &format!("payment_intent={}", list["data"][0]["id"].as_str().unwrap())).await;
    let (_, report) = server.get("/_control/deliveries").await;
    assert_eq!(report["deliveries"][0]["status"], "dropped");
}
