//! The Adyen simulator's API: keys, errors, links, sessions, idempotency, faults.

mod common;

use std::time::Duration;

use common::{
    Server,
    adyen::{GOOD, KEY, order},
    read,
};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn wrong_keys_and_merchant_accounts_are_refused_in_the_providers_words() {
    let server = Server::start().await;
    let json_type = ("content-type", "application/json");
    for headers in [&[json_type][..], &[json_type, ("x-api-key", "live_0123456789abcdef")]] {
        let body = order(json!({})).to_string();
        let reply = server.bare(Method::POST, "/adyen/v72/paymentLinks", &body, headers).await;
        let (status, body) = read(reply).await;
        assert_eq!((status, &body["errorCode"], &body["errorType"]), (401, &"000".into(), &"security".into()));
        assert_eq!(body["status"], 401);
    }
    // HTTP Basic works with a web service user whose password is the key.
    let basic = "Basic d3NAQ29tcGFueS5UaWxsOnRlc3RfcnVzdHRlc3RzMDAwMQ==";
    let body = order(json!({})).to_string();
    let reply =
        server.bare(Method::POST, "/adyen/v72/paymentLinks", &body, &[json_type, ("authorization", basic)]).await;
    assert_eq!(reply.status(), 201);
    let (status, body) = server.adyen_post("paymentLinks", order(json!({"merchantAccount": "Another"}))).await;
    assert_eq!((status, &body["errorCode"], &body["errorType"]), (403, &"901".into(), &"security".into()));
}

#[tokio::test]
async fn each_wrong_field_has_its_error() {
    let server = Server::start().await;
    for (change, status, code) in [
        (json!({"amount": null}), 422, "100"),
        (json!({"reference": null}), 422, "130"),
        (json!({"merchantAccount": null}), 422, "901"),
        (json!({"amount": {"value": 0, "currency": "EUR"}}), 422, "137"),
        (json!({"amount": {"value": 100, "currency": "XXX"}}), 422, "138"),
        (json!({"metadata": {"k": "v".repeat(81)}}), 422, "177"),
        (json!({"reference": "r".repeat(81)}), 422, "702"),
        (json!({"returnUrl": "shop.example"}), 422, "702"),
        (json!({"expiresAt": "tomorrow"}), 422, "702"),
        (json!({"expiresAt": "2020-01-01T00:00:00Z"}), 422, "702"),
        (json!({"expiresAt": "2120-01-01T00:00:00Z"}), 422, "702"),
        (json!({"captureDelayHours": -2}), 422, "702"),
        (json!({"foo": 1}), 422, "702"),
    ] {
        let (got, body) = server.adyen_post("paymentLinks", order(change.clone())).await;
        assert_eq!((got, &body["errorCode"]), (status, &code.into()), "{change}: {body}");
        assert_eq!(body["errorType"], "validation");
    }
    assert_eq!(server.adyen_post("paymentLinks", json!([1])).await.0, 400);
    assert_eq!(server.adyen(Method::GET, "payments/X", Value::Null, &[]).await.0, 404);
    assert_eq!(server.adyen(Method::DELETE, "paymentLinks/X", Value::Null, &[]).await.0, 405);
}

#[tokio::test]
async fn a_link_is_made_read_expired_and_only_once() {
    let server = Server::start().await;
    let link = server.link(json!({"shopperLocale": "de-DE", "expiresAt": null})).await;
    let id = link["id"].as_str().unwrap();
    assert!(id.starts_with("PL"));
    assert_eq!(
        (&link["status"], &link["reusable"], &link["shopperLocale"]),
        (&"active".into(), &false.into(), &"de-DE".into())
    );
    assert_eq!((&link["reference"], &link["amount"]["value"]), (&"order-17".into(), &2598.into()));
    assert_eq!(link["url"], format!("{}/adyen/pay/{id}", server.url));
    let path = format!("paymentLinks/{id}");
    assert_eq!(server.adyen(Method::GET, &path, Value::Null, &[]).await.2, link);
    assert_eq!(server.adyen(Method::PATCH, &path, json!({"status": "completed"}), &[]).await.0, 422);
    let expire = json!({"status": "expired"});
    let (status, _, expired) = server.adyen(Method::PATCH, &path, expire.clone(), &[]).await;
    assert_eq!((status, &expired["status"]), (200, &"expired".into()));
    assert_eq!(server.adyen(Method::PATCH, &path, expire.clone(), &[]).await.0, 422);
    assert_eq!(server.adyen(Method::PATCH, "paymentLinks/PLX", expire, &[]).await.0, 404);
    // Another key does not see the link.
    let reply =
        server.bare(Method::GET, &format!("/adyen/v72/{path}"), "", &[("x-api-key", "AQEanother0123456")]).await;
    assert_eq!(reply.status(), 404);
}

#[tokio::test]
async fn a_link_ends_after_a_day_unless_told_otherwise() {
    let server = Server::start().await;
    let id = server.link(json!({})).await["id"].as_str().unwrap().to_owned();
    let status =
        async || server.adyen(Method::GET, &format!("paymentLinks/{id}"), Value::Null, &[]).await.2["status"].clone();
    server.control("/_control/advance", r#"{"seconds":86000}"#).await;
    assert_eq!(status().await, "active");
    server.control("/_control/advance", r#"{"seconds":86400}"#).await;
    assert_eq!(status().await, "expired");
    let (code, _, page) = server.submit(&format!("/adyen/pay/{id}"), GOOD).await;
    assert!(code == 410 && page.contains("has expired"), "{code}");
    assert!(server.payments_of(&id).await.is_empty());
}

#[tokio::test]
async fn a_session_tells_its_result_once_and_for_ever() {
    let server = Server::start().await;
    assert_eq!(server.adyen_post("sessions", order(json!({"mode": "embedded"}))).await.0, 422);
    assert_eq!(server.adyen_post("sessions", order(json!({"mode": "hosted", "returnUrl": null}))).await.0, 422);
    let (status, session) = server.adyen_post("sessions", order(json!({"mode": "hosted"}))).await;
    assert_eq!((status, &session["mode"]), (201, &"hosted".into()));
    let id = session["id"].as_str().unwrap();
    assert!(id.starts_with("CS") && session["url"].as_str().unwrap().ends_with(id));
    let result = async |location: &str| {
        let back = reqwest::Url::parse(location).unwrap();
        let query: std::collections::HashMap<_, _> = back.query_pairs().into_owned().collect();
        assert_eq!((&query["sessionId"], query["order"].as_str()), (&id.to_owned(), "17"));
        let path = format!("sessions/{id}?sessionResult={}", query["sessionResult"]);
        (path.clone(), server.adyen(Method::GET, &path, Value::Null, &[]).await.2)
    };
    let (_, cancelled, _) = server.submit(&format!("/adyen/pay/{id}/cancel"), "").await;
    let (early, body) = result(&cancelled).await;
    assert_eq!(body["status"], "canceled");
    let (code, paid, _) = server.submit(&format!("/adyen/pay/{id}"), GOOD).await;
    assert_eq!(code, 303);
    let (_, body) = result(&paid).await;
    assert_eq!((&body["status"], &body["payments"][0]["resultCode"]), (&"completed".into(), &"Authorised".into()));
    assert_eq!(server.adyen(Method::GET, &early, Value::Null, &[]).await.2["status"], "canceled");
    assert_eq!(server.adyen(Method::GET, &format!("sessions/{id}?sessionResult=x"), Value::Null, &[]).await.0, 422);
    assert_eq!(server.adyen(Method::GET, &format!("sessions/{id}"), Value::Null, &[]).await.0, 422);
    let psp = body["payments"][0]["pspReference"].as_str().unwrap();
    assert_eq!(server.notices(psp).await[0]["additionalData"]["checkoutSessionId"], id);
}

#[tokio::test]
async fn a_key_gets_the_same_answer_and_no_other_request() {
    let server = Server::start().await;
    let key = [("idempotency-key", "one")];
    let (status, headers, first) = server.adyen(Method::POST, "paymentLinks", order(json!({})), &key).await;
    assert_eq!((status, headers["idempotency-key"].to_str().unwrap()), (201, "one"));
    let (status, headers, again) = server.adyen(Method::POST, "paymentLinks", order(json!({})), &key).await;
    assert_eq!((status, headers["idempotency-key"].to_str().unwrap(), &again), (201, "one", &first));
    let other = order(json!({"reference": "other"}));
    assert_eq!(server.adyen(Method::POST, "paymentLinks", other, &key).await.0, 422);
    let long = "k".repeat(65);
    assert_eq!(
        server.adyen(Method::POST, "paymentLinks", order(json!({})), &[("idempotency-key", &long)]).await.0,
        422
    );
    // A refusal is stored and repeated, too.
    let wrong = order(json!({"reference": null}));
    let key = [("idempotency-key", "two")];
    let (_, _, refused) = server.adyen(Method::POST, "paymentLinks", wrong.clone(), &key).await;
    assert_eq!(server.adyen(Method::POST, "paymentLinks", wrong, &key).await.2, refused);
}

#[tokio::test]
async fn a_key_in_use_conflicts_for_a_while() {
    let server = Server::start().await;
    let slow = json!({"operation": "paymentLinks.create", "fault": "slow", "delay_ms": 600});
    server.control("/_control/faults", &slow.to_string()).await;
    let key = [("idempotency-key", "busy")];
    let first = server.adyen(Method::POST, "paymentLinks", order(json!({})), &key);
    let second = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.adyen(Method::POST, "paymentLinks", order(json!({})), &key).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.0, second.0, &second.2["errorCode"]), (201, 409, &"704".into()));
    assert_eq!(second.1["transient-error"], "true");
    assert_eq!(server.adyen(Method::POST, "paymentLinks", order(json!({})), &key).await.2, first.2);
}

#[tokio::test]
async fn faults_lose_replies_but_not_the_operation() {
    let server = Server::start().await;
    let fault =
        |operation: &str, kind: &str| json!({"operation": operation, "fault": kind, "account": KEY}).to_string();
    let key = [("idempotency-key", "lost")];
    server.control("/_control/faults", &fault("paymentLinks.create", "error_500_after_accept")).await;
    assert_eq!(server.adyen(Method::POST, "paymentLinks", order(json!({})), &key).await.0, 500);
    let (status, _, told) = server.adyen(Method::POST, "paymentLinks", order(json!({})), &key).await;
    assert_eq!(status, 201);
    let (_, state) = server.get("/_control/adyen").await;
    assert_eq!(state["accounts"][KEY]["checkouts"], 1, "{told}");
    server.control("/_control/faults", &fault("paymentLinks.get", "rate_limit_429")).await;
    let path = format!("paymentLinks/{}", told["id"].as_str().unwrap());
    let (status, headers, _) = server.adyen(Method::GET, &path, Value::Null, &[]).await;
    assert_eq!((status, headers["retry-after"].to_str().unwrap()), (429, "1"));
    let (_, calls) = server.get("/_control/adyen/calls?operation=paymentLinks.create").await;
    let statuses: Vec<_> = calls["calls"].as_array().unwrap().iter().map(|call| call["status"].clone()).collect();
    assert_eq!((statuses, &calls["calls"][1]["replayed"]), (vec![500.into(), 201.into()], &true.into()));
}

#[tokio::test]
async fn the_state_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("sandbox.json");
    let server = Server::start_with(Some(snapshot.clone())).await;
    let key = [("idempotency-key", "kept")];
    let (_, _, link) = server.adyen(Method::POST, "paymentLinks", order(json!({"manualCapture": true})), &key).await;
    let id = link["id"].as_str().unwrap();
    server.submit(&format!("/adyen/pay/{id}"), GOOD).await;
    let psp = server.payments_of(id).await[0]["pspReference"].as_str().unwrap().to_owned();
    let body = json!({"merchantAccount": "TillDemo", "amount": {"value": 2598, "currency": "EUR"}});
    assert_eq!(server.adyen_post(&format!("payments/{psp}/captures"), body).await.0, 201);
    server.stop().await;
    let server = Server::start_with(Some(snapshot)).await;
    assert_eq!(
        server.adyen(Method::POST, "paymentLinks", order(json!({"manualCapture": true})), &key).await.2["id"],
        id
    );
    server.control("/_control/advance", r#"{"seconds":1}"#).await;
    assert_eq!(server.payment(&psp).await["captured"], 2598);
}
