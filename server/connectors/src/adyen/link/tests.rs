use std::collections::BTreeMap;

use bytes::Bytes;
use domain::id::{AttemptId, ProviderAccountId};
use domain::line::Line;
use domain::money::Money;
use domain::payment::Movement;
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use super::*;

fn account() -> Account {
    let credential = |name: &str, value: &str| (name.to_owned(), SecretString::from(value));
    Account {
        id: ProviderAccountId::from_random([1; 16]),
        base_url: "http://127.0.0.1:3400/adyen".into(),
        live: false,
        credentials: BTreeMap::from([credential("api_key", "AQE_key"), credential("merchant_account", "TestMerchant")]),
        webhook_secrets: vec![],
        tls: None,
    }
}

fn attempt() -> AttemptId {
    AttemptId::from_random([7; 16])
}

fn spec(minor: i64, currency: &str, capture: Capture) -> OpenSpec {
    let unit = Money::new(minor, currency.parse().unwrap());
    OpenSpec {
        attempt: attempt(),
        amount: unit,
        lines: vec![Line { name: "Tea \"& cake\"".into(), description: None, unit, quantity: 1, tax: None }],
        method: PaymentMethod::Card,
        capture,
        until: 1_800_000_000_999,
        return_url: "http://127.0.0.1:3000/c/t/return".into(),
        cancel_url: "http://127.0.0.1:3000/c/t".into(),
        lang: Some("de".into()),
    }
}

fn target(capture: Capture) -> Target {
    let refs = Refs { session: Some("PL0123".into()), payment: None };
    Target { attempt: attempt(), refs, amount: Money::new(1099, "EUR".parse().unwrap()), capture, created: 600_000 }
}

fn reply(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn link(status: &str) -> String {
    format!(
        r#"{{"id":"PL0123","url":"https://test.adyen.link/PL0123","status":"{status}","expiresAt":"2027-01-15T08:00:00Z",
        "reference":"{}","merchantAccount":"TestMerchant","amount":{{"value":1099,"currency":"EUR"}},"new":[]}}"#,
        attempt()
    )
}

fn fetch(status: &str, capture: Capture) -> Observation {
    let body = match capture {
        Capture::Automatic => link(status),
        Capture::Manual => link(status).replace(attempt().as_str(), &format!("{}-m", attempt())),
    };
    let Ok(Wire::Done(Outcome::Observed(seen))) = fetched(&account(), &target(capture), &reply(200, &body), 900_000)
    else {
        panic!("not observed")
    };
    seen
}

#[test]
fn a_link_is_made_with_our_reference_key_and_capture() {
    let request = open(&account(), &spec(1099, "EUR", Capture::Automatic), "att:open").unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v72/paymentLinks"));
    assert_eq!((request.credential_header, request.credential.expose_secret()), ("x-api-key", "AQE_key"));
    assert!(request.headers.contains(&("Idempotency-Key".into(), "att:open".to_owned())));
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let expected = json!({
        "merchantAccount": "TestMerchant", "reference": reference::of_attempt(&attempt(), Capture::Automatic, &account().id), "reusable": false,
        "amount": {"value": 1099, "currency": "EUR"}, "expiresAt": "2027-01-15T08:00:00Z",
        "returnUrl": "http://127.0.0.1:3000/c/t/return", "allowedPaymentMethods": ["scheme"], "captureDelayHours": 0,
        "lineItems": [{"description": "Tea \"& cake\"", "quantity": 1, "amountIncludingTax": 1099}],
        "metadata": {"till_attempt": attempt().as_str()}, "shopperLocale": "de-DE",
    });
    assert_eq!(body, expected);
    let again = open(&account(), &spec(1099, "EUR", Capture::Automatic), "att:open").unwrap();
    assert_eq!(again.body, request.body);
}

#[test]
fn a_later_capture_is_asked_for_and_stands_in_the_reference() {
    let request = open(&account(), &spec(5, "ISK", Capture::Manual), "k").unwrap();
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["reference"], json!(reference::of_attempt(&attempt(), Capture::Manual, &account().id)));
    assert_eq!((&body["manualCapture"], &body["captureDelayHours"]), (&json!(true), &Value::Null));
    assert_eq!(body["amount"], json!({"value": 500, "currency": "ISK"}));
}

#[test]
fn what_adyen_cannot_take_is_refused_before_sending() {
    let unsupported = |spec: &OpenSpec| matches!(open(&account(), spec, "k"), Err(Fail::Unsupported(_)));
    assert!(unsupported(&spec(1, "KPW", Capture::Automatic)));
    assert!(unsupported(&spec(150, "IDR", Capture::Automatic)));
    assert!(unsupported(&OpenSpec { method: PaymentMethod::BankDebit, ..spec(1, "USD", Capture::Automatic) }));
    let nobody = Account { credentials: BTreeMap::new(), ..account() };
    assert!(matches!(open(&nobody, &spec(1, "EUR", Capture::Automatic), "k"), Err(Fail::Unauthorized(_))));
}

#[test]
fn the_open_page_is_read_from_the_reply() {
    let spec = spec(1099, "EUR", Capture::Automatic);
    let Ok(Wire::Done(Outcome::Opened { refs, handoff, until })) =
        opened(&account(), &spec, &reply(201, &link("active")))
    else {
        panic!("not opened")
    };
    assert_eq!(refs, Refs { session: Some("PL0123".into()), payment: None });
    assert_eq!(handoff, Handoff::Redirect { url: "https://test.adyen.link/PL0123".into() });
    assert_eq!(until, Some(1_800_000_000_000));
    let other = link("active").replace(attempt().as_str(), "att_other");
    let odd = link("active").replace("PL0123", "PL/../x");
    for body in [other.as_str(), odd.as_str(), "{}", "<html>"] {
        assert!(matches!(opened(&account(), &spec, &reply(201, body)), Err(Fail::Unsure(_))), "{body}");
    }
}

#[test]
fn errors_say_whether_anything_was_done() {
    let spec = spec(1099, "EUR", Capture::Automatic);
    let error = r#"{"status":422,"errorCode":"130","message":"Reference Missing","errorType":"validation"}"#;
    let fail = |status, body: &str| opened(&account(), &spec, &reply(status, body)).unwrap_err();
    assert_eq!(fail(422, error), Fail::Refused("status 422, 130: Reference Missing".into()));
    assert!(matches!(fail(400, error), Fail::Refused(_)));
    for status in [401, 403] {
        assert!(matches!(fail(status, error), Fail::Unauthorized(_)));
        for other in ["", "<html>", "{}", r#"{"error":{"code":"403","message":"Forbidden"}}"#] {
            let fail = fail(status, other);
            assert!(matches!(fail, Fail::TurnedAway(_)) && !fail.is_definite(), "{status} {other}: {fail}");
        }
    }
    assert_eq!(fail(429, error), Fail::RateLimited(2_000));
    let progress = error.replace("130", "704");
    let internal = error.replace("validation", "internal");
    for (status, body) in [
        (500, error),
        (409, error),
        (502, "<html>"),
        (422, "<html>"),
        (422, "{}"),
        (200, "{"),
        (301, ""),
        (422, &*progress),
        (422, &*internal),
    ] {
        assert!(!fail(status, body).is_definite(), "{status} {body}");
    }
    let mut transient = reply(422, error);
    transient.headers.insert("transient-error", "true".parse().unwrap());
    assert!(!opened(&account(), &spec, &transient).unwrap_err().is_definite());
}

#[test]
fn a_status_is_a_step_or_money_by_the_capture_mode() {
    let (automatic, manual) = (Capture::Automatic, Capture::Manual);
    let authorised = News::Moved(Movement::Authorised { total: 1099 });
    let captured = News::Moved(Movement::Captured { total: 1099 });
    for status in ["paid", "completed"] {
        assert_eq!(fetch(status, automatic).news, vec![authorised.clone(), captured.clone()]);
        assert_eq!(fetch(status, manual).news, vec![authorised.clone()]);
    }
    let seen = fetch("paid", automatic);
    assert_eq!((seen.refs.payment, seen.debt), (None, Some(Money::new(1099, "EUR".parse().unwrap()))));
    assert_eq!(fetch("active", automatic).news, vec![News::Step(Step::Waiting)]);
    assert_eq!(fetch("paymentPending", automatic).news, vec![News::Step(Step::Processing)]);
    assert_eq!(fetch("expired", manual).news, vec![News::Closed(CloseReason::Expired)]);
    assert_eq!(fetch("a status of next year", automatic).news, vec![]);
}

#[test]
fn a_page_that_is_open_still_does_not_hide_a_refusal_told_meanwhile() {
    assert_eq!(fetch("active", Capture::Automatic).at, 600_000);
    assert_eq!(fetch("paymentPending", Capture::Automatic).at, 900_000);
    let changed = link("active").replace(r#""new":[]"#, r#""updatedAt":"1970-01-01T00:12:00Z""#);
    let seen = fetched(&account(), &target(Capture::Automatic), &reply(200, &changed), 900_000);
    assert!(matches!(seen, Ok(Wire::Done(Outcome::Observed(seen))) if seen.at == 720_000));
}

#[test]
fn an_amount_or_a_reference_that_makes_no_sense_is_not_overlooked() {
    let body = link("paid");
    for odd in [
        body.replace("EUR", "ZZZ"),
        body.replace("1099", "-1"),
        body.replace("amount", "amounts"),
        body.replace(attempt().as_str(), "att_other"),
        body.replace(attempt().as_str(), &format!("{}-m", attempt())),
    ] {
        assert!(
            matches!(fetched(&account(), &target(Capture::Automatic), &reply(200, &odd), 5), Err(Fail::Unsure(_))),
            "{odd}"
        );
    }
}

#[test]
fn closing_what_is_no_longer_open_asks_what_it_became() {
    let target = target(Capture::Automatic);
    let request = expire(&account(), &target).unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("PATCH", "/v72/paymentLinks/PL0123"));
    assert_eq!(request.body, r#"{"status":"expired"}"#);
    let resume = |sent: &HttpRequest, status, body: &str| closed(&account(), &target, sent, &reply(status, body), 5);
    let Ok(Wire::Done(Outcome::Observed(seen))) = resume(&request, 200, &link("expired")) else { panic!("no news") };
    assert_eq!(seen.news, vec![News::Closed(CloseReason::Expired)]);
    for status in [400, 422, 500, 503] {
        let Ok(Wire::Send(next)) = resume(&request, status, "{}") else { panic!("no second request") };
        assert_eq!((next.method.as_str(), next.path.as_str()), ("GET", "/v72/paymentLinks/PL0123"));
        assert!(matches!(resume(&next, 200, &link("active")), Err(Fail::Unsure(_))));
        assert!(matches!(resume(&next, 500, "x"), Err(Fail::Unsure(_))));
        let Ok(Wire::Done(Outcome::Observed(seen))) = resume(&next, 200, &link("completed")) else { panic!("no news") };
        assert!(seen.news.contains(&News::Moved(Movement::Captured { total: 1099 })));
    }
    assert!(matches!(resume(&request, 401, r#"{"errorCode":"000"}"#), Err(Fail::Unauthorized(_))));
    assert!(matches!(resume(&request, 401, "{}"), Err(Fail::TurnedAway(_))));
    assert!(matches!(resume(&request, 429, "{}"), Err(Fail::RateLimited(_))));
}

#[test]
fn a_reference_cannot_leave_its_place_in_the_path() {
    for link in ["PL/../../payments", "PL?x", "", "PL 1", "PL%2f"] {
        let refs = Refs { session: Some(link.into()), payment: None };
        let target = Target { refs, ..target(Capture::Automatic) };
        assert!(matches!(retrieve(&account(), &target), Err(Fail::Unsupported(_))), "{link}");
    }
}
