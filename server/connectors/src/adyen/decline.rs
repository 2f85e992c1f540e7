//! Adyen's refusal reasons in Till's vocabulary (Adyen documentation, Refusal reasons). The reasons are not signed, and they move no money.

use domain::decline::{Decline, DeclineClass};
use serde_json::Value;

use super::item::Notification;

/// The most characters kept of a reason.
const REASON_CHARS_MAX: usize = 64;

/// The code, text and class of each refusal reason.
#[rustfmt::skip]
const REASONS: &[(&str, &str, DeclineClass)] = &[
    ("2", "Refused", DeclineClass::Generic),
    ("3", "Referral", DeclineClass::Generic),
    ("4", "Acquirer Error", DeclineClass::TryAgainLater),
    ("5", "Blocked Card", DeclineClass::DoNotRetry),
    ("6", "Expired Card", DeclineClass::ExpiredCard),
    ("7", "Invalid Amount", DeclineClass::ProviderError),
    ("8", "Invalid Card Number", DeclineClass::DataError),
    ("9", "Issuer Unavailable", DeclineClass::TryAgainLater),
    ("10", "Not supported", DeclineClass::Generic),
    ("11", "3D Not Authenticated", DeclineClass::AuthenticationRequired),
    ("12", "Not enough balance", DeclineClass::InsufficientFunds),
    ("14", "Acquirer Fraud", DeclineClass::SuspectedFraud),
    ("15", "Cancelled", DeclineClass::CancelledByPayer),
    ("16", "Shopper Cancelled", DeclineClass::CancelledByPayer),
    ("17", "Invalid Pin", DeclineClass::DataError),
    ("18", "Pin tries exceeded", DeclineClass::Generic),
    ("19", "Pin validation not possible", DeclineClass::Generic),
    ("20", "FRAUD", DeclineClass::SuspectedFraud),
    ("21", "Not Submitted", DeclineClass::ProviderError),
    ("22", "FRAUD-CANCELLED", DeclineClass::SuspectedFraud),
    ("23", "Transaction Not Permitted", DeclineClass::Generic),
    ("24", "CVC Declined", DeclineClass::DataError),
    ("25", "Restricted Card", DeclineClass::Generic),
    ("26", "Revocation Of Auth", DeclineClass::DoNotRetry),
    ("27", "Declined Non Generic", DeclineClass::Generic),
    ("28", "Withdrawal amount exceeded", DeclineClass::InsufficientFunds),
    ("29", "Withdrawal count exceeded", DeclineClass::InsufficientFunds),
    ("31", "Issuer Suspected Fraud", DeclineClass::SuspectedFraud),
    ("32", "AVS Declined", DeclineClass::DataError),
    ("38", "Authentication required", DeclineClass::AuthenticationRequired),
    ("39", "RReq not received", DeclineClass::AuthenticationRequired),
    ("41", "CVM required", DeclineClass::AuthenticationRequired),
    ("42", "3DS Authentication Error", DeclineClass::AuthenticationRequired),
    ("46", "Blocked by Adyen to prevent excessive retry fees", DeclineClass::DoNotRetry),
];

/// The reason of a refusal: by its code where there is one, else by its text.
pub(super) fn decline(item: &Notification) -> Decline {
    let more = item.additional_data.as_ref();
    let code = more.and_then(|more| text(more.refusal_reason_code.as_ref()));
    let reason = text(item.reason.as_ref());
    let known = REASONS.iter().find(|(known, ..)| code.as_deref() == Some(*known)).or_else(|| {
        let reason = reason.as_deref().map(plain)?;
        REASONS.iter().find(|(_, known, _)| plain(known) == reason)
    });
    let shown = known.map(|(_, text, _)| (*text).to_owned()).or(reason).or(code);
    let class = known.map_or(DeclineClass::Generic, |(.., class)| *class);
    Decline { class, code: shown.unwrap_or_else(|| "unknown".to_owned()) }
}

/// The text of an unsigned field, for a person to read.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let kept: String = text.chars().filter(|char| !char.is_control()).take(REASON_CHARS_MAX).collect();
    Some(kept).filter(|kept| !kept.trim().is_empty())
}

/// A reason in one spelling, because Adyen writes the same reason in several ways.
fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(item: Value) -> Decline {
        decline(&serde_json::from_value(item).unwrap())
    }

    #[test]
    fn codes_and_texts_are_understood() {
        let class = |reason: &str| of(json!({"reason": reason})).class;
        assert_eq!(class("NOT_ENOUGH_BALANCE"), DeclineClass::InsufficientFunds);
        assert_eq!(class("Expired Card"), DeclineClass::ExpiredCard);
        assert_eq!(class("3D Not Authenticated"), DeclineClass::AuthenticationRequired);
        assert_eq!(class("FRAUD").shown(), DeclineClass::Generic);
        assert_eq!(class("something new"), DeclineClass::Generic);
        let coded = of(json!({"reason": "Refused", "additionalData": {"refusalReasonCode": "24"}}));
        assert_eq!((coded.class, coded.code.as_str()), (DeclineClass::DataError, "CVC Declined"));
        let number = of(json!({"additionalData": {"refusalReasonCode": 6}}));
        assert_eq!(number.class, DeclineClass::ExpiredCard);
    }

    #[test]
    fn odd_reasons_are_bounded() {
        assert_eq!(of(json!({})).code, "unknown");
        assert_eq!(of(json!({"reason": {"a": 1}})).code, "unknown");
        assert_eq!(of(json!({"reason": "a\u{0}b".repeat(100)})).code.chars().count(), REASON_CHARS_MAX);
    }
}
