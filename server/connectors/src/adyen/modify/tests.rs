use std::collections::BTreeMap;

use bytes::Bytes;
use domain::id::{AttemptId, ModificationId, ProviderAccountId};
use domain::payment::{Capture, Refs};
use http::HeaderMap;
use secrecy::SecretString;
use serde_json::Value;

use super::*;
use crate::connector::Target;

fn account() -> Account {
    let credential = |name: &str, value: &str| (name.to_owned(), SecretString::from(value));
    Account {
        id: ProviderAccountId::from_random([1; 16]),
        base_url: String::new(),
        live: false,
        credentials: BTreeMap::from([credential("api_key", "AQE_key"), credential("merchant_account", "TestMerchant")]),
        webhook_secrets: vec![],
        tls: None,
    }
}

fn spec(kind: ModificationKind, payment: Option<&str>) -> ModifySpec {
    let target = Target {
        attempt: AttemptId::from_random([7; 16]),
        refs: Refs { session: Some("PL1".into()), payment: payment.map(str::to_owned) },
        amount: Money::new(1000, "EUR".parse().unwrap()),
        capture: Capture::Manual,
        created: 0,
    };
    ModifySpec { target, modification: ModificationId::from_random([3; 16]), kind, capture: None, created: 0 }
}

fn resumed(kind: ModificationKind, status: u16, body: &str) -> Result<Wire, Fail> {
    let reply = HttpResponse { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) };
    received(&spec(kind, Some("993617895204576J")), &reply)
}

const REFUND_400: ModificationKind = ModificationKind::Refund { amount: 400 };
const CAPTURE_400: ModificationKind = ModificationKind::Capture { amount: 400, last: true };

#[test]
fn each_modification_carries_our_reference_its_key_and_its_amount() {
    for (kind, path, amount) in [
        (CAPTURE_400, "captures", Some(400)),
        (ModificationKind::Void, "cancels", None),
        (REFUND_400, "refunds", Some(400)),
    ] {
        let spec = spec(kind, Some("993617895204576J"));
        let request = begin(&account(), &spec, "the-key").unwrap();
        assert_eq!(request.path, format!("/v72/payments/993617895204576J/{path}"));
        assert!(request.headers.contains(&("Idempotency-Key".into(), "the-key".to_owned())));
        let mut expected = json!({"merchantAccount": "TestMerchant", "reference": spec.modification.as_str()});
        if let Some(value) = amount {
            expected["amount"] = json!({"value": value, "currency": "EUR"});
        }
        assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap(), expected);
    }
}

#[test]
fn nothing_is_sent_before_the_payment_is_known() {
    for payment in [None, Some("../links"), Some("")] {
        let request = begin(&account(), &spec(REFUND_400, payment), "k");
        assert!(matches!(request, Err(Fail::Unsupported(_))));
    }
}

#[test]
fn a_reply_says_only_that_the_request_was_received() {
    let ours = ModificationId::from_random([3; 16]);
    let body = format!(
        r#"{{"merchantAccount":"TestMerchant","paymentPspReference":"993617895204576J","pspReference":"QVF1","reference":"{ours}","status":"received","amount":{{"value":400,"currency":"EUR"}}}}"#
    );
    for kind in [CAPTURE_400, ModificationKind::Void, REFUND_400] {
        let Ok(Wire::Done(Outcome::Accepted { reference })) = resumed(kind, 201, &body) else { panic!("not accepted") };
        assert_eq!(reference.as_deref(), Some("QVF1"));
    }
    for other in [body.replace("received", "new"), body.replace(ours.as_str(), "mod_other"), "{}".into()] {
        assert!(matches!(resumed(REFUND_400, 201, &other), Err(Fail::Unsure(_))));
    }
}

#[test]
fn only_a_definite_refusal_is_one() {
    let error =
        r#"{"status":422,"errorCode":"167","message":"Original pspReference required","errorType":"validation"}"#;
    assert!(matches!(resumed(REFUND_400, 422, error), Err(Fail::Refused(_))));
    assert!(matches!(resumed(REFUND_400, 403, error), Err(Fail::Unauthorized(_))));
    let progress = error.replace("167", "704");
    for (status, body) in [(422, progress.as_str()), (500, error), (422, "<html>"), (504, "")] {
        assert!(!resumed(REFUND_400, status, body).unwrap_err().is_definite(), "{status} {body}");
    }
}
