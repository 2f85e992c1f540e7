//! Events (Stripe API reference, Events; Stripe, Webhooks).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    store::Keyed,
    stripe::{version, webhooks::Audience},
};

/// Something that happened, frozen as it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// `evt_…`.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// For example `checkout.session.completed`.
    pub kind: String,
    /// The object at the time.
    pub object: Value,
    /// As those on an old version see it, where that differs.
    #[serde(default)]
    pub old: Option<Value>,
    /// Who hears of it.
    #[serde(default)]
    pub audience: Audience,
    /// The values of changed fields before, for updates.
    pub previous: Option<Value>,
    /// The API call that caused it.
    pub cause: Cause,
    /// Deliveries not yet acknowledged.
    pub pending: u32,
}

/// The API call behind a change.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Cause {
    /// `req_…`.
    pub request: Option<String>,
    /// The caller's key, if it sent one.
    pub idempotency_key: Option<String>,
}

impl Keyed for Event {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Event {
    /// The event on the wire.
    pub fn wire(&self, api_version: &str) -> Value {
        let old = self.old.as_ref().filter(|_| version::shows_releases(api_version));
        let mut data = json!({ "object": old.unwrap_or(&self.object) });
        if let Some(previous) = &self.previous {
            data["previous_attributes"] = previous.clone();
        }
        json!({
            "id": self.id,
            "object": "event",
            "api_version": api_version,
            "created": self.created,
            "data": data,
            "livemode": false,
            "pending_webhooks": self.pending,
            "request": {"id": self.cause.request, "idempotency_key": self.cause.idempotency_key},
            "type": self.kind,
        })
    }
}
