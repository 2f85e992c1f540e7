//! Events (Stripe API reference, Events; Stripe, Webhooks).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    store::Keyed,
    stripe::{version, webhooks::Audience},
};

/// An event, with its object as it was at the time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// `evt_…`.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// The event's type, for example `checkout.session.completed`.
    pub kind: String,
    /// The object at the time of the event.
    pub object: Value,
    /// The object as old versions show it, if that differs.
    #[serde(default)]
    pub old: Option<Value>,
    /// The endpoints that the event goes to.
    #[serde(default)]
    pub audience: Audience,
    /// The earlier values of changed fields, for updates.
    pub previous: Option<Value>,
    /// The API call that caused the event.
    pub cause: Cause,
    /// The number of deliveries that are not yet acknowledged.
    pub pending: u32,
}

/// The API call that caused a change.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Cause {
    /// `req_…`.
    pub request: Option<String>,
    /// The call's idempotency key, if it had one.
    pub idempotency_key: Option<String>,
}

impl Keyed for Event {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Event {
    /// The event as deliveries and replies show it.
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
