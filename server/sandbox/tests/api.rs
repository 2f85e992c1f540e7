//! The API as a client sees it.

mod common;

use common::{SESSION, Server, read, unix_now};
use reqwest::Method;
use serde_json::Value;

#[tokio::test]
async fn every_key_of_the_published_session_is_present() {
    let server = Server::start().await;
    let id = server.session("").await;
    let (_, session) = server.get(&format!("/v1/checkout/sessions/{id}")).await;
    // npm stripe 23.1.0, Checkout.Session without its optional keys.
    for key in "id object adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types amount_subtotal \
        amount_total automatic_tax billing_address_collection cancel_url client_reference_id client_secret \
        collected_information consent consent_collection created currency currency_conversion custom_fields custom_text \
        customer customer_account customer_creation customer_details customer_email discounts expires_at \
        integration_identifier invoice invoice_creation livemode locale managed_payments metadata mode origin_context \
        payment_intent payment_link payment_method_collection payment_method_configuration_details \
        payment_method_options payment_method_types payment_status permissions recovered_from \
        saved_payment_method_options setup_intent shipping_address_collection shipping_cost shipping_options status \
        submit_type subscription success_url total_details ui_mode url wallet_options"
        .split_whitespace()
    {
        assert!(session.get(key).is_some(), "{key}");
    }
}

#[tokio::test]
async fn limits_are_enforced() {
    let server = Server::start().await;
    let soon = format!("&expires_at={}", unix_now() + 60);
    let late = format!("&expires_at={}", unix_now() + 25 * 3600);
    let many: String = (1..101)
        .map(|n| {
            format!(
                "&line_items[{n}][quantity]=1&line_items[{n}][price_data][currency]=eur&line_items[{n}][price_data]\
                 [unit_amount]=1&line_items[{n}][price_data][product_data][name]=x"
            )
        })
        .collect();
    let long = format!("&client_reference_id={}", "x".repeat(201));
    let cases = [
        (soon.as_str(), "expires_at"),
        (&late, "expires_at"),
        (&many, "line_items"),
        (&long, "client_reference_id"),
        ("&line_items[0][price_data][unit_amount]=0", "line_items"),
        ("&line_items[0][price_data][unit_amount]=999999999", "line_items"),
        ("&line_items[0][price_data][currency]=xxx", "line_items[0][price_data][currency]"),
        ("&payment_method_types[]=us_bank_account", "payment_method_types[0]"),
        ("&cancel_url=javascript:alert(1)", "cancel_url"),
        ("&automatic_tax[enabled]=true", "automatic_tax[enabled]"),
        ("&ui_mode=embedded_page", "ui_mode"),
        ("&customer_email=nobody", "customer_email"),
    ];
    for (more, param) in cases {
        let (status, body) = server.post("/v1/checkout/sessions", &format!("{SESSION}{more}")).await;
        assert_eq!((status, body["error"]["param"].as_str()), (400, Some(param)), "{body}");
    }
}

#[tokio::test]
async fn every_error_is_json() {
    let server = Server::start().await;
    let big = "x".repeat(300 * 1024);
    let calls = [
        (Method::GET, "/v1/nothing", "", 404),
        (Method::GET, "/nothing", "", 404),
        (Method::PUT, "/v1/refunds", "", 405),
        (Method::POST, "/v1/refunds", big.as_str(), 413),
        (Method::GET, "/v1/payment_intents/pi_none", "", 404),
    ];
    for (method, path, body, expected) in calls {
        let (status, body) = read(server.send(method, path, body, &[]).await).await;
        assert_eq!(status, expected, "{path}");
        assert!(body["error"]["type"].is_string() && body["error"]["message"].is_string(), "{body}");
    }
    let reply = server.send(Method::GET, "/v1/balance", "", &[("stripe-version", "newest")]).await;
    assert_eq!(reply.status(), 400);
    let reply = server.send(Method::GET, "/v1/balance", "", &[("stripe-version", "2025-03-31.basil")]).await;
    assert_eq!(reply.headers()["stripe-version"], "2025-03-31.basil");
    assert!(reply.headers()["request-id"].to_str().unwrap().starts_with("req_"));
}

#[tokio::test]
async fn older_versions_call_the_hosted_page_by_its_old_name() {
    let server = Server::start().await;
    let old = [("stripe-version", "2024-06-20")];
    let (_, session) = read(server.send(Method::POST, "/v1/checkout/sessions", SESSION, &old).await).await;
    assert_eq!(session["ui_mode"], "hosted");
}

#[tokio::test]
async fn a_running_request_holds_its_idempotency_key() {
    let server = Server::start().await;
    server
        .control("/_control/faults", r#"{"operation":"checkout.sessions.create","fault":"slow","delay_ms":400}"#)
        .await;
    let key = [("idempotency-key", "same")];
    let (slow, (status, conflict)) =
        tokio::join!(server.send(Method::POST, "/v1/checkout/sessions", SESSION, &key), async {
            tokio::time::sleep(std::time::Duration::from_millis(150)).await;
            read(server.send(Method::POST, "/v1/checkout/sessions", SESSION, &key).await).await
        });
    assert_eq!((status, &conflict["error"]["type"]), (409, &Value::from("idempotency_error")));
    let (_, first) = read(slow).await;
    let again = server.send(Method::POST, "/v1/checkout/sessions", SESSION, &key).await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(read(again).await.1["id"], first["id"]);
    assert_eq!(server.get("/_control/stats").await.1["sessions"], 1);
}

#[tokio::test]
async fn a_refused_operation_is_replayed_and_a_refused_form_is_not() {
    let server = Server::start().await;
    let session = server.session("").await;
    let expire = format!("/v1/checkout/sessions/{session}/expire");
    server.post(&expire, "").await;
    let key = [("idempotency-key", "state")];
    assert_eq!(server.send(Method::POST, &expire, "", &key).await.status(), 400);
    let again = server.send(Method::POST, &expire, "", &key).await;
    assert_eq!((again.status().as_u16(), again.headers().contains_key("idempotent-replayed")), (400, true));
    let key = [("idempotency-key", "form")];
    assert_eq!(server.send(Method::POST, "/v1/checkout/sessions", "mode=payment", &key).await.status(), 400);
    assert_eq!(server.send(Method::POST, "/v1/checkout/sessions", SESSION, &key).await.status(), 200);
}

#[tokio::test]
async fn only_what_names_an_object_can_be_expanded() {
    let server = Server::start().await;
    let id = server.session("").await;
    let (status, body) = server.get(&format!("/v1/checkout/sessions/{id}?expand[]=currency")).await;
    assert_eq!(status, 400, "{body}");
    let (status, body) = server.get("/v1/checkout/sessions?expand[]=payment_intent").await;
    assert!(status == 400 && body["error"]["message"].as_str().unwrap().contains("'data.payment_intent'"), "{body}");
    server.pay(&id, "4242424242424242").await;
    let (_, list) = server.get("/v1/checkout/sessions?expand[]=data.payment_intent.latest_charge").await;
    assert_eq!(list["data"][0]["payment_intent"]["latest_charge"]["paid"], true);
}

#[tokio::test]
async fn a_lost_reply_ends_the_connection_without_a_byte() {
    let server = Server::start().await;
    server
        .control("/_control/faults", r#"{"operation":"checkout.sessions.create","fault":"timeout_after_accept"}"#)
        .await;
    let lost = server.try_send(Method::POST, "/v1/checkout/sessions", SESSION, &[]).await;
    assert!(lost.is_err());
    assert_eq!(server.get("/_control/stats").await.1["sessions"], 1);
}

#[tokio::test]
async fn refunds_at_the_same_time_never_exceed_the_charge() {
    let server = Server::start().await;
    let id = server.session("").await;
    server.pay(&id, "4242424242424242").await;
    let (_, list) = server.get("/v1/payment_intents").await;
    let form = format!("payment_intent={}&amount=1000", list["data"][0]["id"].as_str().unwrap());
    let (a, b, c, d) = tokio::join!(
        server.post("/v1/refunds", &form),
        server.post("/v1/refunds", &form),
        server.post("/v1/refunds", &form),
        server.post("/v1/refunds", &form),
    );
    let accepted = [&a, &b, &c, &d].iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(accepted, 2);
    let (_, charges) = server.get("/v1/charges").await;
    assert_eq!(charges["data"][0]["amount_refunded"], 2000);
}
