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

/// What an event says. It must not matter whether it is taken apart first and read then, or both in one pass.
fn same_in_one_pass(body: Bytes) -> Result<Incoming, Unreadable> {
    let reading = read(&account(), &body);
    let both = split(&body).map(|items| items.into_iter().map(|item| (item, reading.clone().ok())).collect());
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
    assert!(read_event(&other).foreign.is_some());
    let mut live = event("checkout.session.completed", session("complete", "paid"));
    live["livemode"] = json!(true);
    assert!(read_event(&live).foreign.is_some());
    assert_eq!(read_event(&event("a.b", json!({}))).foreign, None);
}

#[test]
fn an_amount_that_makes_no_sense_is_an_error() {
    for (amount, currency) in [(50_050, "isk"), (1_099, "zzz")] {
        let mut object = session("complete", "paid");
        object["amount_total"] = json!(amount);
        object["currency"] = json!(currency);
        let event = event("checkout.session.completed", object).to_string();
        assert!(same_in_one_pass(event.into()).is_err());
        let mut object = intent("succeeded");
        object["amount_received"] = json!(amount);
        object["currency"] = json!(currency);
        let event = self::event("payment_intent.succeeded", object).to_string();
        assert!(same_in_one_pass(event.into()).is_err());
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
    assert_eq!(split(&Bytes::from_static(b"[]")), Err(Reject::Unreadable));
    assert_eq!(split(&Bytes::from_static(br#"{"id":""}"#)), Err(Reject::Unreadable));
    let item = &split(&Bytes::from_static(br#"{"id":"evt_9"}"#)).unwrap()[0];
    assert_eq!(item.event, "evt_9");
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
    assert!(listed(&reply(200, json!({"data": [{}]}))).is_err());
}
