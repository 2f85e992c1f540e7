use http::{HeaderValue, Method};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const KEPT: Kept = Kept {
    fields: &["id", "status", "amount.value", "currency", "expand", "created.gte", "error.code"],
    headers: &["request-id"],
};

fn shown(body: &Value) -> String {
    KEPT.body(body.to_string().as_bytes())
}

#[test]
fn what_the_list_names_is_kept_and_nothing_else() {
    let body = json!({"id": "tr_1", "access_token": "A21", "status": "paid", "amount": {"value": 5, "note": "x"}, "value": 7,
        "payer": {"email": "jo@example.com", "id": 9}, "error": {"code": "E1", "message": "jo@example.com"}, "code": "c"});
    let expected = json!({"id": "tr_1", "access_token": "***", "status": "paid", "amount": {"value": 5, "note": "***"},
        "value": "***", "payer": {"email": "***", "id": 9}, "error": {"code": "E1", "message": "***"}, "code": "***"});
    assert_eq!(serde_json::from_str::<Value>(&shown(&body)).unwrap(), expected);
    assert_eq!(shown(&json!(["A21", 5, {"id": ["a", "b"]}])), r#"["***","***",{"id":["a","b"]}]"#);
    assert_eq!(shown(&json!({"jo@example.com": {"id": null}})), r#"{"***":{"id":null}}"#);
}

#[test]
fn forms_and_queries_are_held_to_the_same_list() {
    let form = KEPT
        .body(b"id=1&created[gte]=5&created=6&expand[0]=x&items[0][amount][value]=7&items[0][name]=Jo+Doe&jo%40x=1");
    assert_eq!(
        form,
        "id=1&created[gte]=5&created=***&expand[0]=x&items[0][amount][value]=7&items[0][name]=***&***=***"
    );
    let request = HttpRequest {
        name: "test",
        method: Method::GET,
        path: "/v1/things/1?id=2&session=secret".to_owned(),
        credential_header: "authorization",
        credential: "Bearer key".into(),
        headers: vec![("X-Secret".into(), "hidden".to_owned())],
        body: String::new(),
    };
    assert_eq!(KEPT.request(&request), "GET /v1/things/1?id=2&session=***");
}

#[test]
fn other_bodies_are_known_by_their_size() {
    for body in [&b"<id>5</id>"[..], b"jo@example.com", b"my token is=abc", &[0xff, b'=', 1], b"a=<b>"] {
        assert_eq!(KEPT.body(body), format!("({} bytes)", body.len()));
    }
    assert_eq!(KEPT.body(b""), "");
    let soap = br#"<?xml version="1.0"?><Password>test</Password>"#;
    assert_eq!(KEPT.body(soap), format!("({} bytes)", soap.len()));
}

#[test]
fn a_reply_keeps_the_providers_id_of_the_request() {
    let mut headers = HeaderMap::new();
    headers.insert("request-id", HeaderValue::from_static("req_1"));
    headers.insert("set-cookie", HeaderValue::from_static("session=1"));
    let reply = HttpResponse { status: 200, headers, body: r#"{"id":"x"}"#.into() };
    assert_eq!(KEPT.reply(&reply), r#"request-id: req_1 {"id":"x"}"#);
}

#[test]
fn everything_is_bounded() {
    let long = "x".repeat(100_000);
    for body in [json!({"id": long}), json!({"id": vec![json!("y"); 10_000]}), json!({"a": {"b": long}})] {
        assert!(shown(&body).chars().count() <= CHARS_MAX);
    }
    assert!(KEPT.body(format!("id={long}").as_bytes()).len() < 2 * VALUE_CHARS_MAX);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(KEPT.body(deep.as_bytes()), "(200000 bytes)");
}

/// Any JSON, with marks in every text and number that the log must not show.
fn bodies() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!("secret-mark")),
        Just(json!(90_909_090)),
        "[a-z]{0,5}".prop_map(|text| json!(format!("secret-mark{text}"))),
    ];
    let names =
        || prop_oneof![Just("token".to_owned()), Just("value".to_owned()), Just("code".to_owned()), "[a-zA-Z_]{1,12}"];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(names(), inner, 0..5).prop_map(|fields| json!(fields)),
        ]
    })
}

proptest! {
    #[test]
    fn unknown_fields_are_hidden(body in bodies()) {
        // This list names none of the generated fields.
        let kept = Kept { fields: &["id.of.something", "amount_of_it"], headers: &[] };
        let shown = kept.body(body.to_string().as_bytes());
        prop_assert!(!shown.contains("secret-mark") && !shown.contains("90909090"), "{}", shown);
    }

    #[test]
    fn unknown_fields_of_forms_are_hidden(names in proptest::collection::vec("[a-z]{1,8}(\\[[a-z0-9]{1,5}\\])?", 1..5)) {
        let pairs: Vec<_> = names.iter().map(|name| format!("{name}=secret-mark")).collect();
        let kept = Kept { fields: &["id_of_something"], headers: &[] };
        let shown = kept.body(pairs.join("&").as_bytes());
        prop_assert!(!shown.contains("secret-mark"), "{}", shown);
    }

    #[test]
    fn any_bytes_can_be_looked_at(body: Vec<u8>) {
        prop_assert!(KEPT.body(&body).chars().count() <= CHARS_MAX);
    }
}
