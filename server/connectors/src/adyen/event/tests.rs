use std::collections::BTreeMap;

use domain::decline::DeclineClass;
use domain::id::{AttemptId, ProviderAccountId};
use domain::payment::{Book, DisputeState};
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;

mod disputes;

use disputes::DISPUTES;

const NOW: Millis = 1_000_000;

fn account(live: bool) -> Account {
    Account {
        id: ProviderAccountId::from_random([1; 16]),
        base_url: String::new(),
        live,
        credentials: BTreeMap::from([("merchant_account".to_owned(), SecretString::from("TestMerchant"))]),
        webhook_secrets: vec![],
        tls: None,
    }
}

fn attempt() -> AttemptId {
    AttemptId::from_random([7; 16])
}

fn modification_id() -> ModificationId {
    ModificationId::from_random([3; 16])
}

fn manual() -> String {
    format!("{}-m", attempt())
}

/// An event about the payment `PAY` with a reference of its own, `OWN`.
fn item(code: &str, success: bool, reference: &str) -> Value {
    json!({"eventCode": code, "success": success.to_string(), "pspReference": "OWN", "originalReference": "PAY",
        "merchantAccountCode": "TestMerchant", "merchantReference": reference,
        "amount": {"value": 400, "currency": "EUR"}, "reason": "", "something": {"new": 1}, "operations": ["REFUND"],
        "additionalData": {"hmacSignature": "x", "unknown": "y"}})
}

fn payment(success: bool, reference: &str) -> Value {
    let mut item = item("AUTHORISATION", success, reference);
    item["amount"]["value"] = json!(1099);
    item["originalReference"] = json!("");
    item
}

fn read_stored(live: &str, item: &Value) -> Result<Incoming, Unreadable> {
    read(&account(false), json!({"live": live, "item": item}).to_string().as_bytes(), NOW)
}

fn read_item(item: &Value) -> Incoming {
    read_stored("false", item).unwrap()
}

fn seen(code: &str, success: bool, reference: &str) -> Observation {
    read_item(&item(code, success, reference)).observation
}

fn book_of<'a>(all: impl IntoIterator<Item = &'a Observation>) -> Book {
    let mut book = Book::default();
    for news in all.into_iter().flat_map(|seen| &seen.news) {
        if let News::Moved(movement) = news {
            book.join(movement);
        }
    }
    book
}

#[test]
fn an_authorisation_is_a_capture_unless_the_reference_says_otherwise() {
    let automatic = read_item(&payment(true, attempt().as_str()));
    let authorised = News::Moved(Movement::Authorised { total: 1099 });
    assert_eq!(automatic.attempt, Some(attempt()));
    assert_eq!(automatic.observation.debt, Some(Money::new(1099, "EUR".parse().unwrap())));
    assert_eq!(automatic.observation.refs, Refs { session: None, payment: Some("OWN".into()) });
    assert_eq!(automatic.observation.at, NOW);
    let captured = News::Moved(Movement::Captured { total: 1099 });
    assert_eq!(automatic.observation.news, vec![authorised.clone(), captured]);
    let manual = read_item(&payment(true, &manual()));
    assert_eq!((manual.attempt, manual.observation.news), (Some(attempt()), vec![authorised]));
}

#[test]
fn a_failed_try_tells_why_and_leaves_no_reference() {
    let mut refused = payment(false, attempt().as_str());
    refused["reason"] = json!("Not enough balance");
    let seen = read_item(&refused);
    assert_eq!((seen.attempt, seen.observation.refs), (Some(attempt()), Refs::default()));
    let [News::Step(Step::Declined(decline))] = &seen.observation.news[..] else { panic!("no decline") };
    assert_eq!((decline.class, decline.code.as_str()), (DeclineClass::InsufficientFunds, "Not enough balance"));
}

#[test]
fn unsigned_fields_move_no_money() {
    let mut forged = payment(true, attempt().as_str());
    let plain = read_item(&forged).observation;
    forged["eventDate"] = json!("1999-01-01T00:00:00Z");
    forged["reason"] = json!({"any": "thing"});
    forged["paymentMethod"] = json!("ach");
    forged["additionalData"] = json!({"hmacSignature": "x", "paymentLinkId": "PLother", "authorisedAmountValue": "1",
        "modification.action": "refund", "merchantReference": "att_other", "refusalReasonCode": [], "metadata.a": 1});
    assert_eq!(read_item(&forged).observation, plain);
}

#[test]
fn payments_of_others_on_the_same_merchant_account_say_nothing() {
    for reference in ["order-7", "", "att_x", &format!("{}-x", attempt())] {
        let seen = read_item(&payment(true, reference));
        assert_eq!((seen.attempt, seen.observation.news, seen.observation.refs), (None, vec![], Refs::default()));
    }
}

#[test]
fn a_capture_of_ours_is_told_with_its_modification() {
    for (code, success, state) in [
        ("CAPTURE", true, EntryState::Succeeded),
        ("CAPTURE", false, EntryState::Refused),
        ("CAPTURE_FAILED", true, EntryState::Failed),
    ] {
        let seen = seen(code, success, modification_id().as_str());
        assert_eq!(seen.modification, Some(modification_id()));
        assert_eq!((seen.refs.payment.as_deref(), seen.debt), (Some("PAY"), None));
        assert_eq!(seen.currency, "EUR".parse().ok());
        let expected = Movement::Capture { reference: "OWN".into(), amount: 400, state };
        assert_eq!(seen.news, vec![News::Moved(expected)]);
    }
}

#[test]
fn a_capture_asked_for_elsewhere_counts_when_it_happened() {
    let reference = manual();
    let done = read_item(&item("CAPTURE", true, &reference));
    assert_eq!((done.attempt, done.observation.modification.clone()), (Some(attempt()), None));
    assert_eq!(book_of([&done.observation]).captured_net(), 400);
    assert_eq!(seen("CAPTURE", false, &reference).news, vec![]);
    let automatic = read_item(&payment(true, attempt().as_str())).observation;
    let again = seen("CAPTURE", false, attempt().as_str());
    assert_eq!(book_of([&automatic, &again]).captured_net(), 1099);
}

#[test]
fn a_capture_that_fails_afterwards_is_taken_back_in_any_order() {
    let told = [seen("CAPTURE", true, &manual()), seen("CAPTURE_FAILED", true, &manual())];
    assert_eq!((book_of(&told).captured_net(), book_of(told.iter().rev()).captured_net()), (0, 0));
    let mut failed = item("CAPTURE_FAILED", true, attempt().as_str());
    failed["amount"]["value"] = json!(1099);
    let automatic = [read_item(&payment(true, attempt().as_str())).observation, read_item(&failed).observation];
    assert_eq!((book_of(&automatic).captured_net(), book_of(automatic.iter().rev()).captured_net()), (0, 0));
}

#[test]
fn a_cancellation_releases_the_authorisation_or_is_refused() {
    for code in ["CANCELLATION", "TECHNICAL_CANCEL"] {
        let done = seen(code, true, modification_id().as_str());
        assert_eq!(
            (done.modification.clone(), done.news),
            (Some(modification_id()), vec![News::Moved(Movement::Voided)])
        );
        assert_eq!(seen(code, true, &manual()).news, vec![News::Moved(Movement::Voided)]);
        assert_eq!(seen(code, false, &manual()).news, vec![]);
        let mut refused = item(code, false, modification_id().as_str());
        refused["reason"] = json!("Transaction hasn't been authorised");
        let expected = News::NotModified { reason: "Transaction hasn't been authorised".into() };
        assert_eq!(read_item(&refused).observation.news, vec![expected]);
    }
}

#[test]
fn a_payment_that_was_cancelled_instead_of_captured_has_no_money() {
    let mut cancelled = item("TECHNICAL_CANCEL", true, attempt().as_str());
    cancelled["amount"]["value"] = json!(1099);
    let told = [read_item(&payment(true, attempt().as_str())).observation, read_item(&cancelled).observation];
    for book in [book_of(&told), book_of(told.iter().rev())] {
        assert_eq!((book.captured_net(), book.voided), (0, true));
    }
}

#[test]
fn refunds_are_told_by_their_own_reference() {
    for (code, success, state) in [
        ("REFUND", true, EntryState::Succeeded),
        ("REFUND", false, EntryState::Refused),
        ("REFUND_FAILED", true, EntryState::Failed),
        ("REFUND_FAILED", false, EntryState::Failed),
        ("REFUNDED_REVERSED", true, EntryState::Failed),
    ] {
        let seen = seen(code, success, modification_id().as_str());
        let expected = Movement::Refund { reference: "OWN".into(), amount: 400, state };
        assert_eq!((seen.modification.clone(), seen.news), (Some(modification_id()), vec![News::Moved(expected)]));
        assert_eq!(seen.refs.payment.as_deref(), Some("PAY"));
    }
    assert_eq!(seen("REFUNDED_REVERSED", false, attempt().as_str()).news, vec![]);
    let told = [seen("REFUND", true, attempt().as_str()), seen("REFUND_FAILED", true, attempt().as_str())];
    for book in [book_of(&told), book_of(told.iter().rev())] {
        assert_eq!(book.refunds_in(EntryState::Succeeded), 0);
    }
}

#[test]
fn what_was_cancelled_or_refunded_elsewhere_is_pointed_out_and_not_guessed() {
    let mut either = item("CANCEL_OR_REFUND", true, attempt().as_str());
    either["additionalData"]["modification.action"] = json!("refund");
    let doubtful = read_item(&either);
    assert!(doubtful.doubt.is_some_and(|why| why.contains("PAY")));
    assert_eq!((doubtful.attempt, doubtful.observation.news), (Some(attempt()), vec![]));
    assert_eq!(seen("CANCEL_OR_REFUND", false, attempt().as_str()).news, vec![]);
    assert_eq!(seen("CANCEL_OR_REFUND", true, "order-7").news, vec![]);
}

#[test]
fn an_authorisation_that_runs_out_is_gone() {
    assert_eq!(seen("EXPIRE", true, &manual()).news, vec![News::Moved(Movement::Voided)]);
    assert_eq!(seen("EXPIRE", false, &manual()).news, vec![]);
    // The payment counted as captured, but was not.
    let automatic = seen("EXPIRE", true, attempt().as_str()).news;
    assert_eq!(automatic, vec![News::Moved(Movement::Voided), News::Moved(Movement::Uncaptured { amount: 400 })]);
}

/// The book of a payment captured at once, with the events in every order. All orders must give the same book.
fn in_any_order(events: &[Value]) -> Book {
    let all: Vec<_> = events.iter().map(|event| read_item(event).observation).collect();
    let book = book_of(&all);
    for first in 0..all.len() {
        let turned = all[first..].iter().chain(&all[..first]);
        assert_eq!(book, book_of(turned.clone()), "{first}");
        assert_eq!(book, book_of(turned.rev()), "{first}");
    }
    book
}

#[test]
fn an_authorisation_that_runs_out_does_not_undo_what_has_gone_back_since() {
    let paid = payment(true, attempt().as_str());
    for gone in ["EXPIRE", "CANCELLATION", "TECHNICAL_CANCEL"] {
        let mut ended = item(gone, true, attempt().as_str());
        ended["amount"]["value"] = json!(1099);
        let nothing = in_any_order(&[paid.clone(), ended.clone()]);
        assert_eq!((nothing.captured_net(), nothing.voided), (0, true), "{gone}");
        // A part that went back proves that the payment was captured, and with automatic capture that means the whole amount.
        for proof in ["REFUND", "REFUND_FAILED", "REFUNDED_REVERSED", "CHARGEBACK", "CHARGEBACK_REVERSED", "CAPTURE"] {
            let mut proof = item(proof, true, attempt().as_str());
            proof["pspReference"] = json!("PROOF");
            if proof["eventCode"] == "CAPTURE" {
                proof["amount"]["value"] = json!(1099);
            }
            let book = in_any_order(&[paid.clone(), proof.clone(), ended.clone()]);
            assert_eq!((book.captured_net(), book.voided), (1099, true), "{gone} after {}", proof["eventCode"]);
        }
        for nothing in ["REFUND", "CHARGEBACK", "CAPTURE"] {
            let refused = item(nothing, false, attempt().as_str());
            assert_eq!(in_any_order(&[paid.clone(), refused, ended.clone()]).captured_net(), 0, "{nothing} in vain");
        }
        let asked = item("NOTIFICATION_OF_CHARGEBACK", true, attempt().as_str());
        assert_eq!(in_any_order(&[paid.clone(), asked, ended.clone()]).captured_net(), 0, "it moves no money");
    }
}

#[test]
fn a_part_that_runs_out_leaves_the_rest() {
    let (paid, mut ended) = (payment(true, attempt().as_str()), item("EXPIRE", true, attempt().as_str()));
    ended["amount"]["value"] = json!(99);
    assert_eq!(in_any_order(&[paid, ended]).captured_net(), 1000);
}

#[test]
fn a_payment_under_way_is_processing_and_a_try_given_up_closes_no_page() {
    assert_eq!(seen("PENDING", true, attempt().as_str()).news, vec![News::Step(Step::Processing)]);
    assert_eq!(seen("OFFER_CLOSED", true, attempt().as_str()).news, vec![]);
}

/// Asserts that the event names its payment, and that its content is not applied.
fn is_doubtful(event: &Value) {
    let seen = read_item(event);
    assert!(seen.doubt.is_some(), "{event}");
    let refs = Refs { session: None, payment: Some("PAY".into()) };
    let expected = Observation { at: NOW, refs, ..Observation::default() };
    assert_eq!((seen.foreign, seen.attempt, seen.observation), (None, Some(attempt()), expected), "{event}");
}

#[test]
fn an_event_that_reads_in_two_ways_is_in_doubt_if_it_is_about_a_payment() {
    for (field, value) in [("pspReference", "OWN:X"), ("eventCode", "REFUND:x")] {
        let mut two = item("REFUND", true, attempt().as_str());
        two[field] = json!(value);
        let (seen, about) = (read_item(&two), field == "pspReference");
        assert_eq!((seen.doubt.is_some(), seen.observation.news), (about, vec![]), "{field}");
    }
    let mut report = item("REPORT_AVAILABLE", true, "");
    report["pspReference"] = json!("settlement_2026-11-29T10:15:00.csv");
    assert_eq!(read_item(&report).doubt, None);
}

#[test]
fn payments_of_another_account_of_till_are_marked() {
    let other = reference::of_attempt(&attempt(), Capture::Manual, &ProviderAccountId::from_random([2; 16]));
    let ours = reference::of_attempt(&attempt(), Capture::Manual, &account(false).id);
    let seen = read_item(&payment(true, &other));
    assert!(seen.foreign.is_some_and(|theirs| !theirs.misdirected));
    assert_eq!((seen.attempt, seen.observation.news), (None, vec![]));
    assert_eq!(read_item(&payment(true, &ours)), read_item(&payment(true, &manual())));
}

#[test]
fn unknown_events_say_nothing_and_broken_ones_are_errors() {
    for code in ["REPORT_AVAILABLE", "NOTIFICATION_OF_FRAUD", "AN_EVENT_OF_NEXT_YEAR", ""] {
        let seen = read_item(&item(code, true, attempt().as_str()));
        assert_eq!((seen.kind.as_str(), seen.foreign, seen.observation.news), (code, None, vec![]));
    }
    for success in [json!("yes"), json!(""), Value::Null] {
        let mut odd = item("REFUND", true, attempt().as_str());
        odd["success"] = success.clone();
        is_doubtful(&odd);
        odd["eventCode"] = json!("REPORT_AVAILABLE");
        assert_eq!(read_item(&odd).doubt, None);
    }
    let mut flag = item("REFUND", true, attempt().as_str());
    let told = read_item(&flag);
    flag["success"] = json!(true);
    assert_eq!(read_item(&flag), told);
    assert!(read(&account(false), b"{}", NOW).is_err());
}

#[test]
fn an_amount_that_makes_no_sense_is_an_error() {
    for amount in [
        json!({"value": 1, "currency": "ZZZ"}),
        json!({"value": -1, "currency": "EUR"}),
        json!({"value": 50_001, "currency": "ISK"}),
        Value::Null,
    ] {
        for code in ["AUTHORISATION", "CAPTURE", "CAPTURE_FAILED", "CANCELLATION", "REFUND", "EXPIRE", "CHARGEBACK"] {
            let mut odd = item(code, true, attempt().as_str());
            odd["amount"] = amount.clone();
            is_doubtful(&odd);
        }
    }
}

#[test]
fn events_of_others_are_marked() {
    let mut other = payment(true, attempt().as_str());
    other["merchantAccountCode"] = json!("OtherMerchant");
    let seen = read_item(&other);
    assert!(seen.foreign.is_some_and(|theirs| theirs.reason.contains("OtherMerchant") && !theirs.misdirected));
    assert_eq!((seen.attempt, seen.observation.news), (None, vec![]));
    other["merchantAccountCode"] = Value::Null;
    assert!(read_item(&other).foreign.is_some());
    let own = payment(true, attempt().as_str());
    assert!(read_stored("true", &own).unwrap().foreign.is_some_and(|theirs| theirs.misdirected));
    let live =
        |said: Value| read(&account(true), json!({"live": said, "item": own}).to_string().as_bytes(), NOW).unwrap();
    assert!(live(json!("false")).foreign.is_some());
    assert_eq!((live(json!("true")).foreign, live(Value::Null).foreign), (None, None));
}

#[test]
fn a_delivery_is_taken_apart_and_reads_back() {
    let items = [payment(true, attempt().as_str()), item("REFUND", false, modification_id().as_str())];
    let wrapped: Vec<_> = items.iter().map(|item| json!({"NotificationRequestItem": item})).collect();
    let body = Bytes::from(json!({"live": "true", "notificationItems": wrapped}).to_string());
    let parts = split(&body).unwrap();
    let events: Vec<_> = parts.iter().map(|part| part.event.as_str()).collect();
    assert_eq!(events, ["AUTHORISATION:OWN:true", "REFUND:OWN:false"]);
    let seen = read(&account(true), &parts[0].body, NOW).unwrap();
    assert_eq!((seen.foreign, seen.attempt), (None, Some(attempt())));
    assert!(read(&account(false), &parts[1].body, NOW).unwrap().foreign.is_some());
    // A repetition has the same id, whatever else has changed in the delivery.
    let mut repeated = items[0].clone();
    repeated["eventDate"] = json!("2026-01-02T00:00:00Z");
    let body = json!({"notificationItems": [{"NotificationRequestItem": repeated}]}).to_string();
    assert_eq!(split(&Bytes::from(body)).unwrap()[0].event, events[0]);
}

/// The id under which an event is stored.
fn stored_id(event: &Value) -> String {
    split(&Bytes::from(json!({"notificationItems": [{"NotificationRequestItem": event}]}).to_string())).unwrap()[0]
        .event
        .clone()
}

#[test]
fn an_event_with_an_odd_id_is_stored_once_under_an_id_of_its_own() {
    let id = |field: &str, value: &Value| {
        let mut odd = payment(true, "r");
        odd[field] = value.clone();
        let body = json!({"notificationItems": [{"NotificationRequestItem": odd}]}).to_string();
        split(&Bytes::from(body)).unwrap()[0].event.clone()
    };
    let long = |last: char| json!(format!("{}{last}", "x".repeat(300)));
    let odd = [
        ("eventCode", json!("")),
        ("pspReference", Value::Null),
        ("pspReference", long('a')),
        ("pspReference", long('b')),
        ("pspReference", json!("a:b")),
        ("pspReference", json!("a\0")),
    ];
    let ids: std::collections::BTreeSet<_> = odd.iter().map(|(field, value)| id(field, value)).collect();
    assert_eq!(ids.len(), odd.len(), "{ids:?}");
    assert!(ids.iter().all(|id| id.chars().count() <= EVENT_ID_CHARS_MAX && !id.contains('\0')), "{ids:?}");
    assert_eq!(odd.iter().map(|(field, value)| id(field, value)).collect::<std::collections::BTreeSet<_>>(), ids);
}

#[test]
fn a_text_cut_elsewhere_does_not_have_the_id_of_the_event_that_was_meant() {
    let meant = item("REFUND", true, "a:b");
    let mut cut = meant.clone();
    cut["originalReference"] = json!("PAY:TestMerchant");
    cut["merchantAccountCode"] = json!("a");
    cut["merchantReference"] = json!("b");
    let wrapped = [&meant, &cut].map(|item| json!({"NotificationRequestItem": item}));
    let parts = split(&Bytes::from(json!({"notificationItems": wrapped}).to_string())).unwrap();
    assert_eq!(parts[0].event, "REFUND:OWN:true");
    assert_ne!(parts[1].event, parts[0].event);
}

proptest! {
    #[test]
    fn the_order_of_a_disputes_events_does_not_matter(
        (told, shuffled) in proptest::collection::vec(proptest::sample::select(DISPUTES), 1..12)
            .prop_flat_map(|all| (Just(all.clone()), Just([all.clone(), all].concat()).prop_shuffle()))
    ) {
        let book = |codes: &[(&str, DisputeState)]| {
            let all: Vec<_> = codes.iter().map(|(code, _)| seen(code, true, attempt().as_str())).collect();
            book_of(&all)
        };
        let (one, other) = (book(&told), book(&shuffled));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(one.disputes.len(), 1);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = split(&Bytes::from(bytes.clone()));
        let _ = read(&account(false), &bytes, NOW);
    }

    #[test]
    fn no_event_panics(
        code in prop_oneof![".{0,30}", proptest::sample::select(DISPUTES).prop_map(|(code, _)| code.to_owned()),
            "AUTHORISATION|CAPTURE|REFUND|CANCELLATION|EXPIRE"],
        success: bool, value: i64, psp in ".{0,40}", reference in ".{0,40}", reason in ".{0,40}",
    ) {
        let mut odd = item(&code, success, &reference);
        odd["amount"]["value"] = json!(value);
        odd["pspReference"] = json!(psp);
        odd["reason"] = json!(reason);
        let _ = read_stored("false", &odd);
        let _ = split(&Bytes::from(json!({"notificationItems": [{"NotificationRequestItem": odd}]}).to_string()));
    }
}
