use std::collections::BTreeMap;

use domain::decline::DeclineClass;
use domain::id::{AttemptId, ProviderAccountId};
use domain::money::Money;
use domain::payment::{CloseReason, Step};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn account() -> Account {
    Account {
        id: ProviderAccountId::from_random([1; 16]),
        base_url: String::new(),
        live: false,
        credentials: BTreeMap::new(),
        webhook_secrets: vec![],
        tls: None,
    }
}

fn attempt() -> AttemptId {
    AttemptId::from_random([7; 16])
}

fn event(kind: &str, object: Value) -> Value {
    json!({"id": "evt_1", "object": "event", "type": kind, "created": 1000, "livemode": false,
        "data": {"object": object}, "something_new": {"a": 1}})
}

fn read_event(event: &Value) -> Incoming {
    same_in_one_pass(event.to_string().into()).unwrap()
}

/// Reads an event. Splitting first and reading then must give the same as one pass.
fn same_in_one_pass(body: Bytes) -> Result<Incoming, Unreadable> {
    let reading = read(&account(), &body);
    let both: Vec<_> = split(&body).into_iter().map(|item| (item, reading.clone().ok())).collect();
    assert_eq!(split_and_read(&account(), &body), both);
    reading
}

fn session(status: &str, payment_status: &str) -> Value {
    json!({"id": "cs_1", "status": status, "payment_status": payment_status, "payment_intent": "pi_1",
        "amount_total": 1099, "currency": "eur", "client_reference_id": attempt().as_str(),
        "metadata": {"till_attempt": attempt().as_str()}})
}

fn intent(status: &str) -> Value {
    json!({"id": "pi_1", "status": status, "amount": 1099, "amount_received": 0, "amount_capturable": 0,
        "currency": "eur", "metadata": {"till_attempt": attempt().as_str()}})
}

#[test]
fn a_completed_session_is_a_capture_of_the_debt() {
    let seen = read_event(&event("checkout.session.completed", session("complete", "paid")));
    assert_eq!(seen.attempt, Some(attempt()));
    assert_eq!(seen.observation.debt, Some(Money::new(1099, "EUR".parse().unwrap())));
    assert_eq!(seen.observation.news, vec![News::Moved(Movement::Captured { total: 1099 })]);
    assert_eq!(seen.observation.at, 1_000_000);
    assert_eq!(
        (seen.observation.refs.session.as_deref(), seen.observation.refs.payment.as_deref()),
        (Some("cs_1"), Some("pi_1"))
    );
}

#[test]
fn asynchronous_methods_are_processing_until_told() {
    let kind =
        |kind: &str, payment_status| read_event(&event(kind, session("complete", payment_status))).observation.news;
    assert_eq!(kind("checkout.session.completed", "unpaid"), vec![News::Step(Step::Processing)]);
    assert_eq!(
        kind("checkout.session.async_payment_succeeded", "paid"),
        vec![News::Moved(Movement::Captured { total: 1099 })]
    );
    assert!(kind("checkout.session.async_payment_failed", "unpaid").contains(&News::Closed(CloseReason::Failed)));
}

#[test]
fn an_expired_session_is_closed() {
    let seen = read_event(&event("checkout.session.expired", session("expired", "unpaid")));
    assert_eq!(seen.observation.news, vec![News::Closed(CloseReason::Expired)]);
}

#[test]
fn intents_tell_steps_and_money() {
    let news = |object: Value| read_event(&event("payment_intent.any", object)).observation.news;
    let with = |status: &str, key: &str, value: Value| {
        let mut object = intent(status);
        object[key] = value;
        object
    };
    assert_eq!(news(intent("processing")), vec![News::Step(Step::Processing)]);
    assert_eq!(news(intent("requires_action")), vec![News::Step(Step::ActionRequired)]);
    assert_eq!(
        news(with("succeeded", "amount_received", json!(1099))),
        vec![News::Moved(Movement::Captured { total: 1099 })]
    );
    assert_eq!(
        news(with("requires_capture", "amount_capturable", json!(1099))),
        vec![News::Moved(Movement::Authorised { total: 1099 })]
    );
    let error = json!({"code": "card_declined", "decline_code": "insufficient_funds"});
    let declined = news(with("requires_payment_method", "last_payment_error", error));
    assert!(matches!(&declined[..], [News::Step(Step::Declined(d))] if d.class == DeclineClass::InsufficientFunds));
    assert_eq!(news(intent("a_status_of_next_year")), vec![]);
}

#[test]
fn refunds_and_disputes_are_found_by_the_intent() {
    let refund = json!({"id": "re_1", "payment_intent": "pi_1", "amount": 500, "currency": "eur", "status": "pending"});
    let seen = read_event(&event("refund.created", refund)).observation;
    assert_eq!(seen.refs.payment.as_deref(), Some("pi_1"));
    let expected = Movement::Refund { reference: "re_1".into(), amount: 500, state: EntryState::Pending };
    assert_eq!(seen.news, vec![News::Moved(expected)]);
    assert_eq!(seen.currency, "EUR".parse().ok());

    let mut dispute = json!({"id": "du_1", "payment_intent": "pi_1", "amount": 500, "currency": "eur",
        "status": "needs_response", "reason": "fraudulent", "payment_method_details": {"type": "card"}});
    let seen = read_event(&event("charge.dispute.created", dispute.clone())).observation.news;
    assert!(matches!(&seen[..], [News::Moved(Movement::Dispute { state: DisputeState::Open, .. })]));
    dispute["reason"] = json!("insufficient_funds");
    dispute["payment_method_details"] = json!({"type": "us_bank_account"});
    let seen = read_event(&event("charge.dispute.created", dispute)).observation.news;
    assert!(matches!(&seen[..], [News::Moved(Movement::Returned { amount: 500, .. })]));
}

#[test]
fn events_of_others_are_marked() {
    let mut other = event("checkout.session.completed", session("complete", "paid"));
    other["account"] = json!("acct_other");
    assert!(read_event(&other).foreign.is_some_and(|theirs| !theirs.misdirected));
    let mut live = event("checkout.session.completed", session("complete", "paid"));
    live["livemode"] = json!(true);
    assert!(read_event(&live).foreign.is_some_and(|theirs| theirs.misdirected));
    assert_eq!(read_event(&event("a.b", json!({}))).foreign, None);
}

/// Asserts that the event names its payment, and that its content is not applied.
fn is_doubtful(event: &Value, session: Option<&str>) {
    let seen = read_event(event);
    assert!(seen.doubt.is_some(), "{event}");
    let refs = Refs { session: session.map(str::to_owned), payment: Some("pi_1".into()) };
    let expected = Observation { at: 1_000_000, refs, ..Observation::default() };
    assert_eq!((seen.attempt, seen.observation), (Some(attempt()), expected), "{event}");
}

#[test]
fn payments_of_another_account_of_till_are_marked() {
    let ours = account().id;
    for (named, foreign) in [(ours.as_str(), false), ("pa_other", true)] {
        for (kind, mut object) in [
            ("checkout.session.completed", session("complete", "paid")),
            ("payment_intent.succeeded", intent("succeeded")),
            (
                "charge.captured",
                json!({"payment_intent": "pi_1", "amount": 1099, "amount_captured": 1099, "currency": "eur"}),
            ),
            ("refund.created", json!({"id": "re_1", "payment_intent": "pi_1", "amount": 5, "currency": "eur"})),
        ] {
            object["metadata"]["till_account"] = json!(named);
            let seen = read_event(&event(kind, object));
            assert_eq!(seen.foreign.is_some(), foreign, "{kind}");
            assert!(seen.foreign.is_none_or(|theirs| !theirs.misdirected));
            assert_eq!(seen.observation.news.is_empty(), foreign, "{kind}");
        }
    }
}

/// A refund as API versions before 2025-03-31 report a release.
fn release(reason: Value, transaction: Value) -> Value {
    json!({"id": "re_1", "object": "refund", "charge": "ch_1", "payment_intent": "pi_1", "amount": 400, "currency": "eur",
        "status": "succeeded", "reason": reason, "balance_transaction": transaction, "metadata": {}})
}

fn news_of(kind: &str, object: Value) -> Vec<News> {
    read_event(&event(kind, object)).observation.news
}

#[test]
fn a_release_that_is_told_as_a_refund_gives_nothing_back() {
    for kind in ["refund.created", "charge.refund.updated", "refund.updated"] {
        assert_eq!(news_of(kind, release(Value::Null, Value::Null)), vec![], "{kind}");
        let expired = news_of(kind, release(json!("expired_uncaptured_charge"), Value::Null));
        assert_eq!(expired, vec![News::Moved(Movement::Voided)], "{kind}");
    }
    let refunded = json!({"id": "ch_1", "payment_intent": "pi_1", "amount": 1000, "amount_captured": null, "captured": false,
        "amount_refunded": 1000, "refunded": true, "currency": "eur", "metadata": {"till_attempt": attempt().as_str()}});
    let seen = read_event(&event("charge.refunded", refunded));
    assert_eq!((seen.attempt, seen.doubt, seen.observation.news), (Some(attempt()), None, vec![]));
    let intent = json!({"id": "pi_1", "status": "canceled", "amount": 1000, "amount_received": null,
        "amount_capturable": null, "currency": "eur", "cancellation_reason": "automatic"});
    assert!(news_of("payment_intent.canceled", intent).contains(&News::Moved(Movement::Voided)));
}

#[test]
fn money_that_was_taken_and_goes_back_is_no_release() {
    let is_refund =
        |object: Value| matches!(&news_of("refund.created", object)[..], [News::Moved(Movement::Refund { .. })]);
    assert!(is_refund(release(Value::Null, json!("txn_1"))));
    assert!(is_refund(release(json!("requested_by_customer"), json!({"id": "txn_1"}))), "expanded");
    let mut pending = release(Value::Null, Value::Null);
    pending["status"] = json!("pending");
    assert!(is_refund(pending), "one that waits for money has no balance transaction yet");
    let mut asked = release(Value::Null, Value::Null);
    asked["metadata"]["till_modification"] = json!(domain::id::ModificationId::from_random([3; 16]));
    assert!(is_refund(asked), "we have asked for it");
    let mut short = release(Value::Null, Value::Null);
    short.as_object_mut().unwrap().remove("balance_transaction");
    assert!(is_refund(short), "nothing is known of its balance transaction");
}

#[test]
fn a_refund_that_our_capture_brought_about_is_a_release() {
    let key = |key: Value| {
        let mut told = event("refund.created", release(Value::Null, json!("txn_1")));
        told["request"] = key;
        read_event(&told).observation.news
    };
    let modification = domain::id::ModificationId::from_random([3; 16]);
    assert_eq!(key(json!({"id": "req_1", "idempotency_key": modification})), vec![]);
    for other in [
        json!({"id": null, "idempotency_key": null}),
        json!({"id": "req_1", "idempotency_key": "theirs"}),
        json!("req_1"),
        Value::Null,
    ] {
        assert_eq!(key(other).len(), 1);
    }
}

#[test]
fn versions_that_tell_refunds_by_the_charge_alone_are_read_or_pointed_out() {
    let mut charge = json!({"id": "ch_1", "payment_intent": "pi_1", "amount": 1000, "amount_captured": 600, "captured": true,
        "amount_refunded": 400, "currency": "eur"});
    let told = |version: &str, charge: &Value| {
        let mut event = event("charge.refunded", charge.clone());
        event["api_version"] = json!(version);
        read_event(&event)
    };
    assert_eq!(told("2023-10-16", &charge).doubt, None, "only what was not captured");
    charge["amount_refunded"] = json!(500);
    let seen = told("2023-10-16", &charge);
    assert!(seen.doubt.is_some_and(|why| why.contains("2023-10-16") && why.contains("2025-03-31")));
    assert_eq!((seen.observation.news, seen.observation.refs.payment.as_deref()), (vec![], Some("pi_1")));
    assert_eq!(told("2024-10-28.acacia", &charge).doubt, None, "refunds have events of their own");
    let mut refund = release(Value::Null, json!("txn_1"));
    refund["amount"] = json!(100);
    charge["refunds"] =
        json!({"object": "list", "data": [release(Value::Null, Value::Null), refund], "has_more": false});
    let seen = told("2022-08-01", &charge);
    let expected = Movement::Refund { reference: "re_1".into(), amount: 100, state: EntryState::Succeeded };
    assert_eq!((seen.doubt, seen.observation.news), (None, vec![News::Moved(expected)]));
}

#[test]
fn thin_events_say_nothing() {
    let thin = json!({"id": "evt_test_1", "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered",
        "created": "2026-11-29T22:00:00.123Z", "related_object": {"id": "mtr_1"}});
    let seen = read_event(&thin);
    assert_eq!(seen.kind, "v1.billing.meter.error_report_triggered");
    assert_eq!((seen.foreign, seen.doubt, seen.attempt), (None, None, None));
    assert_eq!(seen.observation, Observation::default());
    assert_eq!(split(&thin.to_string().into())[0].event, "evt_test_1");
}

#[test]
fn an_amount_that_makes_no_sense_is_in_doubt() {
    for (amount, currency) in [(50_050, "isk"), (1_099, "zzz")] {
        let mut object = session("complete", "paid");
        object["amount_total"] = json!(amount);
        object["currency"] = json!(currency);
        is_doubtful(&event("checkout.session.completed", object), Some("cs_1"));
        let mut object = intent("succeeded");
        object["amount_received"] = json!(amount);
        object["currency"] = json!(currency);
        is_doubtful(&event("payment_intent.succeeded", object), None);
        let refund = json!({"id": "re_1", "payment_intent": "pi_1", "amount": amount, "currency": currency});
        let seen = read_event(&event("refund.created", refund));
        assert!(seen.doubt.is_some() && seen.observation.news.is_empty());
        assert_eq!(seen.observation.refs.payment.as_deref(), Some("pi_1"));
    }
}

#[test]
fn unknown_events_say_nothing_and_broken_ones_are_errors() {
    assert_eq!(read_event(&event("customer.created", json!({"id": "cus_1"}))).observation.news, vec![]);
    assert!(same_in_one_pass(Bytes::from_static(b"{}")).is_err());
    assert!(same_in_one_pass(event("refund.created", json!({"id": 1})).to_string().into()).is_err());
    let mut nameless = event("customer.created", json!({}));
    nameless["id"] = json!("");
    let _ = same_in_one_pass(nameless.to_string().into());
    let id = |body: &'static str| split(&Bytes::from_static(body.as_bytes()))[0].event.clone();
    let odd = ["[]", "", "{}", r#"{"id":""}"#, r#"{"id":7}"#, r#"{"id":"evt_\u0000"}"#];
    let ids: std::collections::BTreeSet<_> = odd.iter().map(|body| id(body)).collect();
    assert_eq!(ids.len(), odd.len(), "each is stored under an id of its own: {ids:?}");
    assert!(ids.contains("evt_%00"));
    assert_eq!(id(r#"{"id":"evt_9"}"#), "evt_9");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = same_in_one_pass(bytes.into());
    }

    #[test]
    fn a_damaged_event_is_taken_for_the_same_in_one_pass(kind in 0..6_usize, at: prop::sample::Index, with in any::<u8>(), cut: bool) {
        let event = match kind {
            0 => event("checkout.session.completed", session("complete", "paid")),
            1 => event("payment_intent.succeeded", intent("succeeded")),
            2 => event("customer.created", json!({"id": "cus_1"})),
            3 => event("refund.created", json!({"id": 1})),
            4 => json!({"id": "evt_1", "type": "refund.created"}),
            _ => json!({"id": 5, "type": "customer.created", "created": 1, "livemode": false, "data": {"object": {}}}),
        };
        let mut bytes = event.to_string().into_bytes();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = with;
        }
        let _ = same_in_one_pass(bytes.into());
    }

    #[test]
    fn no_amount_panics(total: i64, created: i64) {
        let mut object = session("complete", "paid");
        object["amount_total"] = json!(total);
        let mut all = event("checkout.session.completed", object);
        all["created"] = json!(created);
        let _ = same_in_one_pass(all.to_string().into());
    }
}

#[test]
fn listed_events_are_what_would_have_been_delivered() {
    let spec = EventsSpec { since: 5_000, until: 9_500, cursor: Some("evt_9".into()) };
    let account = Account {
        credentials: BTreeMap::from([(super::super::SECRET_KEY.to_owned(), "sk_test_x".to_owned().into())]),
        ..account()
    };
    assert_eq!(
        list(&account, &spec).unwrap().path,
        "/v1/events?limit=50&created[gte]=5&created[lt]=10&starting_after=evt_9"
    );
    let event = event("checkout.session.completed", session("complete", "paid"));
    let reply = |status, body: Value| HttpResponse {
        status,
        headers: http::HeaderMap::new(),
        body: Bytes::from(body.to_string()),
    };
    let Ok(Wire::Done(Outcome::Events { items, cursor })) =
        listed(&reply(200, json!({"data": [event], "has_more": true})))
    else {
        panic!("no events")
    };
    assert_eq!((items.len(), cursor.as_deref()), (1, Some("evt_1")));
    assert!(!read(&account, &items[0].body).unwrap().observation.news.is_empty());
    assert!(listed(&reply(500, json!({}))).is_err());
    assert!(listed(&reply(200, json!({"data": [{}]}))).is_ok());
    assert!(listed(&reply(200, json!({"data": [{}], "has_more": true}))).is_err(), "it is not known where to go on");
}

#[test]
fn a_session_that_another_shop_opened_says_nothing() {
    let mut theirs = session("complete", "paid");
    theirs["client_reference_id"] = json!("order-7");
    theirs["metadata"] = json!({"order": "7"});
    let seen = read_event(&event("checkout.session.completed", theirs.clone()));
    assert_eq!((seen.attempt, seen.observation), (None, nothing(1_000_000)));
    // Without a reference in the session, the session's own id may become known.
    theirs["client_reference_id"] = Value::Null;
    let seen = read_event(&event("checkout.session.completed", theirs));
    assert_eq!(seen.observation.refs.session.as_deref(), Some("cs_1"));
}
