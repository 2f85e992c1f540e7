//! The wire: objects as JSON, errors, and forms.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::engine::provider::{Provider, Reply};

impl Provider {
    pub(super) fn session(&self, at: usize, expanded: bool) -> Value {
        let one = &self.pages[at];
        let intent = one.intent.filter(|_| one.status == "complete");
        let paid = intent.is_some_and(|intent| self.intents[intent].received > 0);
        json!({
            "id": one.id, "object": "checkout.session", "status": one.status,
            "url": (one.status == "open").then(|| format!("https://pay.example/{}", one.id)),
            "payment_status": if paid { "paid" } else { "unpaid" },
            "payment_intent": intent.map(|intent| {
                if expanded { self.intent(intent) } else { Value::from(self.intents[intent].id.clone()) }
            }),
            "amount_total": one.amount, "currency": "usd", "client_reference_id": one.attempt,
            "expires_at": one.until / 1_000,
            "metadata": if one.manual {
                json!({ "till_attempt": one.attempt, "till_capture": "manual" })
            } else {
                json!({ "till_attempt": one.attempt })
            },
        })
    }

    pub(super) fn intent(&self, at: usize) -> Value {
        let one = &self.intents[at];
        let mut metadata = json!({ "till_attempt": self.pages[one.page].attempt });
        if let Some(modification) = &one.modification {
            metadata["till_modification"] = Value::from(modification.clone());
        }
        json!({
            "id": one.id, "object": "payment_intent", "status": one.status, "amount": one.amount,
            "amount_received": one.received, "amount_capturable": one.capturable, "currency": "usd",
            "last_payment_error": one.declined.then(|| json!({ "code": "card_declined", "decline_code": "insufficient_funds" })),
            "metadata": metadata,
        })
    }

    pub(super) fn refund(&self, at: usize) -> Value {
        let one = &self.refunds[at];
        let attempt = &self.pages[self.intents[one.intent].page].attempt;
        let mut metadata = json!({ "till_attempt": attempt });
        if let Some(modification) = &one.modification {
            metadata["till_modification"] = Value::from(modification.clone());
        }
        json!({
            "id": one.id, "object": "refund", "payment_intent": self.intents[one.intent].id, "amount": one.amount,
            "currency": "usd", "status": one.status, "metadata": metadata,
        })
    }
}

pub(super) fn missing() -> Reply {
    (404, r#"{"error":{"code":"resource_missing","message":"no such object"}}"#.to_owned())
}

pub(super) fn refused(code: &str) -> Reply {
    (400, json!({ "error": { "code": code, "message": "refused" } }).to_string())
}

/// Reads a form and decodes the percent escapes.
pub(super) fn form(text: &str) -> BTreeMap<String, String> {
    let plain = |part: &str| {
        let (mut bytes, mut rest) = (Vec::with_capacity(part.len()), part.as_bytes());
        while let [first, tail @ ..] = rest {
            rest = tail;
            match (first, tail) {
                (b'%', [high, low, after @ ..]) => {
                    let digits = [*high, *low];
                    let mut byte = [0];
                    if hex::decode_to_slice(digits, &mut byte).is_ok() {
                        bytes.push(byte[0]);
                        rest = after;
                    } else {
                        bytes.push(b'%');
                    }
                }
                (b'+', _) => bytes.push(b' '),
                (byte, _) => bytes.push(*byte),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (plain(name), plain(value))).collect()
}
