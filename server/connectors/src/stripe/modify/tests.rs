use std::collections::BTreeMap;

use bytes::Bytes;
use domain::id::{AttemptId, ModificationId, ProviderAccountId};
use domain::payment::{Capture, EntryState, Movement, News, Refs};
use http::HeaderMap;
use secrecy::SecretString;

use super::*;
use crate::connector::Target;

fn account() -> Account {
    Account {
        id: ProviderAccountId::from_random([1; 16]),
        base_url: String::new(),
        live: false,
        credentials: BTreeMap::from([(super::super::SECRET_KEY.to_owned(), SecretString::from("sk_test_x"))]),
        webhook_secrets: vec![],
        tls: None,
    }
}

fn spec(kind: ModificationKind) -> ModifySpec {
    let target = Target {
        attempt: AttemptId::from_random([7; 16]),
        refs: Refs { session: None, payment: Some("pi_1".into()) },
        amount: Money::new(1000, "EUR".parse().unwrap()),
        capture: Capture::Manual,
        created: 0,
    };
    ModifySpec { target, modification: ModificationId::from_random([3; 16]), kind, capture: None, created: 0 }
}

fn reply(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

const REFUND_400: ModificationKind = ModificationKind::Refund { amount: 400 };

fn refund_body(status: &str) -> String {
    let ours = ModificationId::from_random([3; 16]);
    format!(
        r#"{{"id":"re_1","payment_intent":"pi_1","amount":400,"currency":"eur","status":"{status}","metadata":{{"till_modification":"{ours}"}}}}"#
    )
}

#[test]
fn a_refund_carries_our_reference_and_its_key() {
    let spec = spec(REFUND_400);
    let request = begin(&account(), &spec, "the-key").unwrap();
    assert_eq!(request.path, "/v1/refunds");
    assert!(request.headers.contains(&("Idempotency-Key".into(), "the-key".to_owned())));
    for part in ["payment_intent=pi_1", "amount=400", &format!("till_modification%5D={}", spec.modification)] {
        assert!(request.body.contains(part), "{part} in {}", request.body);
    }
    for (status, state) in [("succeeded", EntryState::Succeeded), ("pending", EntryState::Pending)] {
        let Ok(Wire::Done(Outcome::Observed(seen))) =
            resume(&account(), &spec, &request, &reply(200, &refund_body(status)), 5)
        else {
            panic!("not observed")
        };
        assert_eq!(seen.modification.as_ref(), Some(&spec.modification));
        let expected = Movement::Refund { reference: "re_1".into(), amount: 400, state };
        assert_eq!(seen.news, vec![News::Moved(expected)]);
    }
}

#[test]
fn a_lost_refund_is_found_among_those_of_the_payment() {
    let spec = spec(REFUND_400);
    assert_eq!(find(&account(), &spec).unwrap().path, "/v1/refunds?payment_intent=pi_1&limit=100");
    let list = format!(r#"{{"has_more":false,"data":[{}]}}"#, refund_body("succeeded"));
    assert!(matches!(found(&spec, &reply(200, &list), 5), Ok(Wire::Done(Outcome::Observed(_)))));
    let other = r#"{"has_more":false,"data":[{"id":"re_2","amount":400,"currency":"eur","status":"succeeded"}]}"#;
    assert!(matches!(found(&spec, &reply(200, other), 5), Ok(Wire::Done(Outcome::NotFound))));
}

#[test]
fn a_capture_reports_the_new_total() {
    let spec = spec(ModificationKind::Capture { amount: 400, last: true });
    let request = begin(&account(), &spec, "k").unwrap();
    assert_eq!(request.path, "/v1/payment_intents/pi_1/capture");
    assert!(request.body.contains("amount_to_capture=400"));
    let body = r#"{"id":"pi_1","status":"succeeded","amount":1000,"amount_received":400,"currency":"eur"}"#;
    let Ok(Wire::Done(Outcome::Observed(seen))) = resume(&account(), &spec, &request, &reply(200, body), 5) else {
        panic!("not observed")
    };
    // Stripe captures a payment once and releases the rest.
    let expected = [Movement::Captured { total: 400 }, Movement::Voided].map(News::Moved);
    assert_eq!(seen.news, expected);
    let whole = body.replace(":400", ":1000");
    let Ok(Wire::Done(Outcome::Observed(seen))) = resume(&account(), &spec, &request, &reply(200, &whole), 5) else {
        panic!("not observed")
    };
    assert_eq!(seen.news, [News::Moved(Movement::Captured { total: 1000 })]);
    let refused =
        r#"{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state","message":"m"}}"#;
    assert!(matches!(resume(&account(), &spec, &request, &reply(400, refused), 5), Err(Fail::Refused(_))));
    assert!(!resume(&account(), &spec, &request, &reply(500, refused), 5).unwrap_err().is_definite());
}

#[test]
fn a_void_that_is_refused_is_looked_at_before_it_is_believed() {
    let spec = spec(ModificationKind::Void);
    let request = begin(&account(), &spec, "k").unwrap();
    let Ok(Wire::Send(next)) = resume(&account(), &spec, &request, &reply(400, "{}"), 5) else { panic!("believed") };
    let body = |status: &str| format!(r#"{{"id":"pi_1","status":"{status}","amount":1000,"currency":"eur"}}"#);
    let seen = resume(&account(), &spec, &next, &reply(200, &body("canceled")), 5);
    assert!(matches!(seen, Ok(Wire::Done(Outcome::Observed(_)))));
    let seen = resume(&account(), &spec, &next, &reply(200, &body("succeeded")), 5);
    assert!(matches!(seen, Err(Fail::Refused(_))));
}
