//! The parts of a webhook that Till reads. Unknown fields and events are tolerated. A field given twice is refused, because two readers
//! could see two values.

use domain::money::Money;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::amount::from_adyen;
use crate::text;

/// A delivery. Adyen sends one event in each JSON delivery; the size limit of a delivery bounds the number of events.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    /// `true` or `false`, as text. Not signed.
    #[serde(default, deserialize_with = "word")]
    pub live: Option<String>,
    #[serde(rename = "notificationItems", borrow)]
    pub items: Vec<Wrapper<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Wrapper<'a> {
    #[serde(rename = "NotificationRequestItem", borrow)]
    pub item: &'a RawValue,
}

/// One event. The signed fields come first; the other fields move no money.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notification {
    pub psp_reference: Option<String>,
    pub original_reference: Option<String>,
    pub merchant_account_code: Option<String>,
    pub merchant_reference: Option<String>,
    pub amount: Option<Amount>,
    pub event_code: Option<String>,
    #[serde(default, deserialize_with = "word")]
    pub success: Option<String>,

    /// The time of the event by Adyen's clock. Not signed.
    pub event_date: Option<Value>,
    /// The reason, in words. Not signed.
    pub reason: Option<Value>,
    /// Additional data. It holds the signature itself and is not signed.
    pub additional_data: Option<AdditionalData>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Amount {
    /// The value as it was written. The signature covers this text, even if it is no count.
    pub value: Option<Box<RawValue>>,
    pub currency: Option<String>,
}

impl Amount {
    /// The value, if it is a count.
    pub(super) fn count(&self) -> Option<i64> {
        self.value_text().parse().ok()
    }

    /// The value as the signature covers it. Empty if there is none.
    pub(super) fn value_text(&self) -> &str {
        self.value.as_ref().map_or("", |value| value.get().trim_matches('"'))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdditionalData {
    pub hmac_signature: Option<String>,
    pub refusal_reason_code: Option<Value>,
    pub defense_period_ends_at: Option<Value>,
}

/// Reads `"true"` or `true`. Both mean the same, and the signature covers the same text.
fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Word {
        Text(String),
        Flag(bool),
    }
    Ok(Option::<Word>::deserialize(deserializer)?.map(|word| match word {
        Word::Text(text) => text,
        Word::Flag(flag) => flag.to_string(),
    }))
}

impl Notification {
    pub(super) fn event_code(&self) -> &str {
        self.event_code.as_deref().unwrap_or_default()
    }

    pub(super) fn psp_reference(&self) -> &str {
        self.psp_reference.as_deref().unwrap_or_default()
    }

    /// The event's own reference, in a form that can be stored.
    pub(super) fn own_reference(&self) -> String {
        text::plain(self.psp_reference().to_owned())
    }

    /// The reference of the payment that a modification or dispute is about.
    pub(super) fn original_reference(&self) -> Option<String> {
        self.original_reference.clone().filter(|reference| !reference.is_empty()).map(text::plain)
    }

    /// The amount, if it is present and makes sense.
    pub(super) fn money(&self) -> Option<Money> {
        let amount = self.amount.as_ref()?;
        from_adyen(amount.count()?, amount.currency.as_deref()?)
    }

    /// Whether the event's action succeeded. `None` if the field has neither value.
    pub(super) fn success(&self) -> Option<bool> {
        match self.success.as_deref() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        }
    }
}
