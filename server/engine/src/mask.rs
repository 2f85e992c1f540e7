//! Hiding secrets and personal data before an exchange is written down.

use serde_json::Value;
use url::form_urlencoded;

/// Fields that say nothing about money and may identify a person or open a door.
const HIDDEN: &[&str] = &[
    "email",
    "customer_email",
    "receipt_email",
    "name",
    "phone",
    "address",
    "billing_details",
    "shipping",
    "shipping_details",
    "customer_details",
    "client_secret",
    "secret",
    "url",
    "success_url",
    "cancel_url",
    "return_url",
    "returnUrl",
    "receipt_url",
    "ip",
    "last4",
    "fingerprint",
    "holder",
    "card",
];
/// What stands in their place.
const MASK: &str = "***";
/// Characters of one text that are kept.
const CHARS_MAX: usize = 4_000;

/// A body as it may be kept: JSON and forms with the hidden fields masked, anything else only by its size.
pub(crate) fn body(text: &[u8]) -> String {
    if text.is_empty() {
        return String::new();
    }
    if let Ok(mut value) = serde_json::from_slice::<Value>(text) {
        json(&mut value);
        return cut(&value.to_string());
    }
    match std::str::from_utf8(text) {
        Ok(form) if form.contains('=') && !form.contains('<') => cut(&form_body(form)),
        _ => format!("({} bytes)", text.len()),
    }
}

fn json(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                if HIDDEN.contains(&key.as_str()) && !field.is_null() {
                    *field = Value::from(MASK);
                } else {
                    json(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(json),
        _ => {}
    }
}

fn form_body(form: &str) -> String {
    let masked = form_urlencoded::parse(form.as_bytes()).map(|(key, value)| {
        let last = key.trim_end_matches(']').rsplit(['[', ']']).next().unwrap_or_default().to_owned();
        let value = if HIDDEN.contains(&last.as_str()) { MASK.to_owned() } else { value.into_owned() };
        format!("{key}={value}")
    });
    masked.collect::<Vec<_>>().join("&")
}

fn cut(text: &str) -> String {
    text.chars().take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_persons_are_hidden_and_money_is_not() {
        let masked = body(br#"{"amount":5,"url":"https://x/y","returnUrl":"https://x/c/t","a":[{"email":"e@x"}],"b":{"card":{"last4":"4242"}}}"#);
        assert!(masked.contains(r#""amount":5"#));
        for hidden in ["https", "e@x", "4242"] {
            assert!(!masked.contains(hidden), "{masked}");
        }
        let form = body(b"success_url=https%3A%2F%2Fx&line_items[0][price_data][product_data][name]=Jo&amount=5");
        assert_eq!(form, "success_url=***&line_items[0][price_data][product_data][name]=***&amount=5");
        assert_eq!(body(b"<html>e@x</html>"), "(16 bytes)");
    }
}
