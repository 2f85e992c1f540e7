//! Webhooks, driven without a network.

use serde_json::Value;

use crate::{
    delivery::{Sends, Try, outbox::CONCURRENT},
    provider::Common,
    stripe::{
        objects::{endpoint::Endpoint, event::Cause},
        state::Account,
    },
};

fn account() -> Account {
    let mut account = Account::empty(Common::default());
    account.endpoints.insert(Endpoint {
        id: "we_1".into(),
        url: "http://127.0.0.1:1/".into(),
        secret: "whsec_x".into(),
        enabled_events: vec!["charge.failed".into()],
        disabled: false,
        description: None,
        metadata: Default::default(),
        api_version: Some("2025-01-01.acacia".into()),
        created: 0,
    });
    account
}

fn failed(at_ms: i64) -> Try {
    Try { at_ms, took_ms: 1, http_status: Some(302), error: None }
}

#[test]
fn only_wanted_events_are_delivered_in_the_endpoints_version() {
    let mut account = account();
    account.emit(0, "charge.succeeded", Value::Null, None, &Cause::default());
    assert!(account.due(0).is_empty());
    account.emit(0, "charge.failed", Value::Null, None, &Cause::default());
    let parcels = account.due(0);
    let body: Value = serde_json::from_slice(&parcels[0].body).unwrap();
    assert_eq!((parcels.len(), &body["api_version"]), (1, &Value::from("2025-01-01.acacia")));
}

#[test]
fn a_redirect_is_a_failure_and_tries_end_with_fresh_signatures() {
    let mut account = account();
    account.emit(0, "charge.failed", Value::Null, None, &Cause::default());
    let (mut at, mut signatures) = (0, Vec::new());
    for wait in [5_000, 30_000, 120_000] {
        let parcel = account.due(at).remove(0);
        account.tried(&parcel, &failed(at), at);
        signatures.push(parcel.headers.into_iter().find(|(name, _)| *name == "stripe-signature"));
        assert!(account.due(at + wait - 1).is_empty());
        at += wait;
    }
    let last = account.due(at).remove(0);
    account.tried(&last, &failed(at), at);
    assert_eq!(account.next_due_ms(0), None);
    signatures.dedup();
    assert_eq!(signatures.len(), 3);
}

#[test]
fn held_deliveries_leave_in_order_or_reversed() {
    let mut account = account();
    account.common.rules.hold = true;
    let first = account.emit(0, "charge.failed", Value::Null, None, &Cause::default());
    account.emit(0, "charge.failed", Value::Null, None, &Cause::default());
    assert!(account.due(9).is_empty() && account.deliveries().oldest().all(|delivery| delivery.status.is_open()));
    assert_eq!(account.release(10, true), 2);
    let mut leaves = |at_ms| {
        let parcel = account.due(at_ms).remove(0);
        account.deliveries().get(&parcel.deliveries[0]).unwrap().event.clone()
    };
    assert!(leaves(110) != first && leaves(210) == first);
}

#[test]
fn deliveries_in_the_air_are_bounded() {
    let mut account = account();
    for _ in 0..CONCURRENT + 4 {
        account.emit(0, "charge.failed", Value::Null, None, &Cause::default());
    }
    let parcels = account.due(0);
    assert_eq!(parcels.len(), CONCURRENT);
    account.tried(&parcels[0], &Try { http_status: Some(204), ..failed(0) }, 0);
    assert_eq!(account.due(0).len(), 1);
}
