use std::collections::BTreeMap;

use bytes::Bytes;
use domain::id::{AttemptId, ProviderAccountId};
use domain::line::Line;
use domain::method::Method as PaymentMethod;
use domain::money::Money;
use domain::payment::{Capture, CloseReason, Movement, News};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use super::super::{API_VERSION, SECRET_KEY};
use super::*;
use crate::connector::OpenSpec;

fn account() -> Account {
    Account {
        id: ProviderAccountId::from_random([1; 16]),
        base_url: "http://127.0.0.1:3400".into(),
        live: false,
        credentials: BTreeMap::from([(SECRET_KEY.to_owned(), SecretString::from("sk_test_x"))]),
        webhook_secrets: vec![],
        tls: None,
    }
}

fn open(minor: i64, currency: &str) -> Operation {
    let unit = Money::new(minor, currency.parse().unwrap());
    Operation::Open(Box::new(OpenSpec {
        attempt: AttemptId::from_random([7; 16]),
        amount: unit,
        lines: vec![Line { name: "Tea & cake".into(), description: None, unit, quantity: 1, tax: None }],
        method: PaymentMethod::Card,
        capture: Capture::Automatic,
        until: 1_800_000_000_999,
        return_url: "http://127.0.0.1:3000/c/t/return".into(),
        cancel_url: "http://127.0.0.1:3000/c/t".into(),
        lang: Some("de".into()),
    }))
}

fn reply(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn resumed(operation: &Operation, name: &'static str, status: u16, body: &str) -> Result<Wire, Fail> {
    let sent = request(&account(), name, Method::POST, String::new(), String::new()).unwrap();
    resume(&account(), operation, &sent, &reply(status, body), 5)
}

fn target() -> Target {
    let refs = Refs { session: Some("cs_test_1".into()), payment: None };
    let amount = Money::new(1099, "EUR".parse().unwrap());
    Target { attempt: AttemptId::from_random([7; 16]), refs, amount, capture: Capture::Automatic, created: 600_000 }
}

#[test]
fn a_repetition_differs_from_the_first_request_only_in_the_credentials() {
    let request = |operation: &Operation, secret: &str| {
        let mut account = account();
        account.credentials.insert("secret_key".to_owned(), secret.to_owned().into());
        begin(&account, operation, "att:open").unwrap()
    };
    let first = request(&open(1099, "EUR"), "sk_test_one");
    let stored = serde_json::to_string(&first.as_sent()).unwrap();
    assert!(!stored.contains("sk_test_one"), "{stored}");
    let Operation::Open(mut spec) = open(1099, "EUR") else { panic!() };
    spec.return_url = "https://elsewhere.example/".into();
    let again = request(&Operation::Open(spec), "sk_test_two");
    assert_ne!(again.body, first.body);
    let again = again.repeated(serde_json::from_str(&stored).unwrap());
    assert_eq!((&again.path, &again.headers, &again.body), (&first.path, &first.headers, &first.body));
    assert_eq!(again.credential.expose_secret(), "Bearer sk_test_two");
}

#[test]
fn a_session_is_opened_with_our_reference_key_and_version() {
    let request = begin(&account(), &open(1099, "EUR"), "att:open").unwrap();
    let attempt = AttemptId::from_random([7; 16]);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/checkout/sessions"));
    assert!(request.headers.contains(&("Idempotency-Key".into(), "att:open".to_owned())));
    assert!(request.headers.contains(&("Stripe-Version".into(), API_VERSION.to_owned())));
    for part in [
        format!("client_reference_id={attempt}"),
        format!("payment_intent_data%5Bmetadata%5D%5Btill_attempt%5D={attempt}"),
        format!("&metadata%5Btill_account%5D={}", account().id),
        format!("payment_intent_data%5Bmetadata%5D%5Btill_account%5D={}", account().id),
        "expires_at=1800000000&".to_owned(),
        "locale=de".to_owned(),
        "adaptive_pricing%5Benabled%5D=false".to_owned(),
        "unit_amount%5D=1099".to_owned(),
        "currency%5D=eur".to_owned(),
        "name%5D=Tea+%26+cake".to_owned(),
    ] {
        assert!(request.body.contains(&part), "{part} in {}", request.body);
    }
}

#[test]
fn a_currency_stripe_does_not_take_is_refused_before_sending() {
    assert!(matches!(begin(&account(), &open(1, "KPW"), "k"), Err(Fail::Unsupported(_))));
}

#[test]
fn the_open_page_is_read_from_the_reply() {
    let body = r#"{"id":"cs_test_1","url":"https://pay.example/1","status":"open","expires_at":9}"#;
    let Ok(Wire::Done(Outcome::Opened { refs, handoff, until })) = resumed(&open(1, "EUR"), CREATE, 200, body) else {
        panic!("not opened")
    };
    assert_eq!(refs.session.as_deref(), Some("cs_test_1"));
    assert_eq!(handoff, Handoff::Redirect { url: "https://pay.example/1".into() });
    assert_eq!(until, Some(9_000));
}

#[test]
fn errors_say_whether_anything_was_done() {
    let error = r#"{"error":{"type":"x","code":"c","message":"m"}}"#;
    let fail = |status, body| resumed(&open(1, "EUR"), CREATE, status, body).unwrap_err();
    assert_eq!(fail(400, error), Fail::Refused("status 400, c: m".into()));
    let foreign = r#"{"error":{"code":"403","message":"Forbidden"}}"#;
    for status in [401, 403] {
        assert!(matches!(fail(status, error), Fail::Unauthorized(_)));
        for other in ["", "<html>", "{}", foreign] {
            let fail = fail(status, other);
            assert!(matches!(fail, Fail::TurnedAway(_)) && !fail.is_definite(), "{status} {other}: {fail}");
        }
    }
    assert_eq!(fail(429, error), Fail::RateLimited(2 * SECOND));
    for (status, body) in
        [(500, error), (409, error), (502, "<html>"), (400, "<html>"), (400, foreign), (200, "{"), (301, "")]
    {
        assert!(!fail(status, body).is_definite(), "{status} {body}");
    }
}

#[test]
fn closing_what_is_no_longer_open_asks_what_it_became() {
    let close = Operation::Close(target());
    let error = r#"{"error":{"type":"invalid_request_error","message":"Only Checkout Sessions with a status in [\"open\"] can be expired."}}"#;
    let Ok(Wire::Send(next)) = resumed(&close, EXPIRE, 400, error) else { panic!("no second request") };
    assert_eq!(next.path, "/v1/checkout/sessions/cs_test_1?expand[]=payment_intent");
    let paid = r#"{"id":"cs_test_1","status":"complete","payment_status":"paid","amount_total":1099,
        "currency":"eur","payment_intent":{"id":"pi_1","status":"succeeded","amount":1099,
        "amount_received":1099,"currency":"eur"}}"#;
    let Ok(Wire::Done(Outcome::Observed(seen))) = resumed(&close, RETRIEVE, 200, paid) else { panic!("no news") };
    assert!(seen.news.contains(&News::Moved(Movement::Captured { total: 1099 })));
    assert_eq!(seen.refs.payment.as_deref(), Some("pi_1"));
}

#[test]
fn a_debit_that_failed_is_closed_even_if_its_webhook_is_missing() {
    let body = r#"{"id":"cs_test_1","status":"complete","payment_status":"unpaid","amount_total":1099,
        "currency":"usd","payment_intent":{"id":"pi_1","status":"requires_payment_method","amount":1099,
        "currency":"usd","last_payment_error":{"code":"insufficient_funds"}}}"#;
    let Ok(Wire::Done(Outcome::Observed(seen))) = resumed(&Operation::Fetch(target()), RETRIEVE, 200, body) else {
        panic!("no news")
    };
    assert!(seen.news.contains(&News::Closed(CloseReason::Failed)), "{:?}", seen.news);
}

#[test]
fn an_amount_that_makes_no_sense_is_not_overlooked() {
    for (amount, currency) in [("50050", "isk"), ("1099", "zzz")] {
        let body = format!(
            r#"{{"id":"cs_1","status":"complete","payment_status":"paid","amount_total":{amount},"currency":"{currency}"}}"#
        );
        assert!(matches!(resumed(&Operation::Fetch(target()), RETRIEVE, 200, &body), Err(Fail::Unsure(_))));
    }
}

#[test]
fn a_page_that_is_still_open_has_not_been_closed() {
    let close = Operation::Close(target());
    assert!(matches!(resumed(&close, EXPIRE, 500, "oops"), Ok(Wire::Send(_))));
    let body = r#"{"id":"cs_test_1","status":"open","payment_status":"unpaid","amount_total":1,"currency":"eur"}"#;
    assert!(matches!(resumed(&close, RETRIEVE, 200, body), Err(Fail::Unsure(_))));
}

#[test]
fn an_attempt_is_found_by_our_reference_page_by_page() {
    let find = Operation::Find(target());
    let first = begin(&account(), &find, "k").unwrap();
    assert_eq!(first.path, "/v1/checkout/sessions?limit=100&created[gte]=300&created[lte]=1800");
    let other = r#"{"has_more":true,"data":[{"id":"cs_9","client_reference_id":"x"}]}"#;
    let Ok(Wire::Send(next)) = resumed(&find, LIST, 200, other) else { panic!("no second page") };
    assert!(next.path.ends_with("&starting_after=cs_9"), "{}", next.path);
    let ours = format!(r#"{{"has_more":false,"data":[{{"id":"cs_7","client_reference_id":"{}"}}]}}"#, target().attempt);
    let Ok(Wire::Send(next)) = resumed(&find, LIST, 200, &ours) else { panic!("not looked at") };
    assert!(next.path.starts_with("/v1/checkout/sessions/cs_7?"), "{}", next.path);
    let open = r#"{"id":"cs_7","url":"https://pay.example/7","status":"open","expires_at":9}"#;
    assert!(matches!(resumed(&find, RETRIEVE, 200, open), Ok(Wire::Done(Outcome::Opened { .. }))));
    let none = r#"{"has_more":false,"data":[]}"#;
    assert!(matches!(resumed(&find, LIST, 200, none), Ok(Wire::Done(Outcome::NotFound))));
    assert!(!resumed(&find, LIST, 500, "x").unwrap_err().is_definite());
}

#[test]
fn a_closed_page_is_closed() {
    let body = r#"{"id":"cs_test_1","status":"expired","payment_status":"unpaid","amount_total":1,"currency":"eur"}"#;
    let Ok(Wire::Done(Outcome::Observed(seen))) = resumed(&Operation::Close(target()), EXPIRE, 200, body) else {
        panic!("no news")
    };
    assert_eq!(seen.news, vec![News::Closed(CloseReason::Expired)]);
}

#[test]
fn every_request_has_a_right_that_a_restricted_key_needs() {
    use crate::Connector;
    for request in
        [CREATE, RETRIEVE, EXPIRE, LIST, "payment_intents.capture", "payment_intents.cancel", "refunds.create"]
    {
        assert!(crate::stripe::Stripe.right(request).is_some_and(|right| right.ends_with(": Write")), "{request}");
    }
    assert_eq!(crate::stripe::Stripe.right("events.list"), Some("Events: Read"));
    assert_eq!(crate::stripe::Stripe.right("payouts.list"), None);
}
