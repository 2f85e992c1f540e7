use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Keys and signatures that the official library made and checked (PyPI `Adyen` 16.0.0: `generate_notification_sig`,
/// `is_valid_hmac_notification`). The first one is from that library's own tests.
const KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
const OTHER_KEY: &str = "0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F";
const PUBLISHED: &str = "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=";
const WITH_OTHER_KEY: &str = "++t3QVM7Q/b4pzWmzBIgO47aOVvBZ4FL5um88GE1xR0=";
const UMLAUTS: &str = "5/iqy0B3fuSe7AMTQcBCiMIO7r0uzq0De+vZqNIEImw=";
const COLONS: &str = "wI/XUFu3ammh+7taXw9zfNqhxADXGl5uxaiqXYNKH9Y=";

fn item(reference: &str, signature: &str) -> Value {
    json!({"pspReference": "7914073381342284", "originalReference": "", "merchantAccountCode": "TestMerchant",
        "merchantReference": reference, "amount": {"value": 1130, "currency": "EUR"}, "eventCode": "AUTHORISATION",
        "success": "true", "eventDate": "2026-01-01T00:00:00+01:00", "paymentMethod": "visa", "something": {"new": [1]},
        "additionalData": {"hmacSignature": signature, "more": "text"}})
}

fn published() -> Value {
    item("TestPayment-1407325143704", PUBLISHED)
}

fn refund() -> Value {
    json!({"pspReference": "8412534564722331", "originalReference": "8313547924770610",
        "merchantAccountCode": "TestMerchant", "merchantReference": "order:7:x",
        "amount": {"value": 0, "currency": "JPY"}, "eventCode": "REFUND", "success": "false",
        "additionalData": {"hmacSignature": COLONS}})
}

fn delivery(items: &[Value]) -> Vec<u8> {
    let items: Vec<_> = items.iter().map(|item| json!({"NotificationRequestItem": item})).collect();
    json!({"live": "false", "notificationItems": items}).to_string().into_bytes()
}

fn check_with(keys: &[&str], body: &[u8]) -> Result<(), Reject> {
    let secrets: Vec<_> = keys.iter().map(|key| SecretString::from(*key)).collect();
    verify(&secrets, body)
}

fn check(items: &[Value]) -> Result<(), Reject> {
    check_with(&[KEY], &delivery(items))
}

#[test]
fn known_signatures_are_accepted_with_any_active_key() {
    assert_eq!(check(&[published()]), Ok(()));
    assert_eq!(check(&[item("Bestellung Ä€", UMLAUTS)]), Ok(()));
    assert_eq!(check(&[refund()]), Ok(()));
    let rotated = delivery(&[item("att_x", WITH_OTHER_KEY)]);
    assert_eq!(check_with(&[KEY, OTHER_KEY], &rotated), Ok(()));
    assert_eq!(check_with(&[&KEY.to_lowercase(), "not a key"], &delivery(&[published()])), Ok(()));
    let mut without = published();
    without.as_object_mut().unwrap().remove("originalReference");
    assert_eq!(check(&[without]), Ok(()));
}

#[test]
fn a_signed_amount_that_is_no_count_is_accepted_too() {
    for value in ["1.5", "\"1130\"", "10000000000000000000000000"] {
        let plain = value.trim_matches('"');
        let text = format!("7914073381342284::TestMerchant:TestPayment-1407325143704:{plain}:EUR:AUTHORISATION:true");
        let signature = STANDARD.encode(mac(&key(KEY).unwrap(), &text));
        let body = String::from_utf8(delivery(&[item("TestPayment-1407325143704", &signature)])).unwrap();
        let body = body.replace("\"value\":1130", &format!("\"value\":{value}"));
        assert_eq!(check_with(&[KEY], body.as_bytes()), Ok(()), "{value}");
    }
}

#[test]
fn a_wrong_key_or_a_forged_field_is_not() {
    assert_eq!(check_with(&[OTHER_KEY], &delivery(&[published()])), Err(Reject::Wrong));
    assert_eq!(check_with(&[], &delivery(&[published()])), Err(Reject::Wrong));
    for (field, value) in [
        ("pspReference", json!("7914073381342285")),
        ("originalReference", json!("7914073381342284")),
        ("merchantAccountCode", json!("OtherMerchant")),
        ("merchantReference", json!("TestPayment-1407325143705")),
        ("amount", json!({"value": 1131, "currency": "EUR"})),
        ("amount", json!({"value": 1130, "currency": "USD"})),
        ("amount", json!({"currency": "EUR"})),
        ("eventCode", json!("REFUND")),
        ("success", json!("false")),
        ("success", Value::Null),
    ] {
        let mut forged = published();
        forged[field] = value;
        assert_eq!(check(&[forged.clone()]), Err(Reject::Wrong), "{forged}");
    }
}

#[test]
fn one_bad_event_spoils_the_whole_delivery() {
    let mut tampered = refund();
    tampered["amount"]["value"] = json!(1);
    assert_eq!(check(&[published(), refund()]), Ok(()));
    assert_eq!(check(&[published(), tampered.clone()]), Err(Reject::Wrong));
    assert_eq!(check(&[tampered, published()]), Err(Reject::Wrong));
}

#[test]
fn a_missing_or_malformed_signature_is_named() {
    let with = |more: Value| {
        let mut unsigned = published();
        unsigned["additionalData"] = more;
        check(&[published(), unsigned])
    };
    assert_eq!(with(Value::Null), Err(Reject::Missing));
    assert_eq!(with(json!({})), Err(Reject::Missing));
    assert_eq!(with(json!({"hmacSignature": ""})), Err(Reject::Missing));
    assert_eq!(with(json!({"hmacSignature": "%%%"})), Err(Reject::Malformed));
    assert_eq!(with(json!({"hmacSignature": "AAAA"})), Err(Reject::Wrong));
}

#[test]
fn the_signed_text_cannot_be_cut_elsewhere() {
    // The same eight fields are joined; only their borders have moved.
    let mut moved = refund();
    moved["originalReference"] = json!("8313547924770610:TestMerchant");
    moved["merchantAccountCode"] = json!("order");
    moved["merchantReference"] = json!("7:x");
    // The event is signed, so it is acknowledged, but its fields are not certain.
    assert_eq!(check(&[moved.clone()]), Ok(()));
    let plain = |item: Value| is_plain(&serde_json::from_value(item).unwrap());
    assert!(plain(refund()) && plain(published()) && !plain(moved));
    let mut longer = refund();
    longer["merchantReference"] = json!("order:7");
    longer["amount"] = json!({"value": 0, "currency": "x:0:JPY"});
    assert!(check(&[longer]).is_err());
}

#[test]
fn a_delivery_has_any_number_of_events_and_no_field_twice() {
    assert_eq!(check(&[]), Err(Reject::Missing));
    assert_eq!(check(&vec![published(); 500]), Ok(()));
    let mut flag = published();
    flag["success"] = json!(true);
    assert_eq!(check(&[flag]), Ok(()));
    for body in
        ["", "[]", "{}", r#"{"notificationItems":[{}]}"#, r#"{"notificationItems":[{"NotificationRequestItem":7}]}"#]
    {
        assert_eq!(check_with(&[KEY], body.as_bytes()), Err(Reject::Unreadable), "{body}");
    }
    for nothing in [
        r#"{"live":"false","notificationItems":[]}"#,
        r#"{"notificationItems":[],"additionalData":{"hmacSignature":"x"}}"#,
    ] {
        assert_eq!(check_with(&[KEY], nothing.as_bytes()), Err(Reject::Missing), "nothing is signed: {nothing}");
    }
    let twice = published().to_string().replacen('{', r#"{"success":"false","#, 1);
    let body = format!(r#"{{"notificationItems":[{{"NotificationRequestItem":{twice}}}]}}"#);
    assert_eq!(check_with(&[KEY], body.as_bytes()), Err(Reject::Unreadable));
}

proptest! {
    #[test]
    fn no_bytes_are_accepted(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(check_with(&[KEY], &bytes).is_err());
    }

    #[test]
    fn no_forged_event_is_accepted(psp in ".{0,20}", value: i64, code in ".{0,20}", signature in ".{0,60}") {
        let mut forged = item("x", &signature);
        forged["pspReference"] = json!(psp);
        forged["amount"]["value"] = json!(value);
        forged["eventCode"] = json!(code);
        prop_assert!(check(&[forged]).is_err());
    }
}
