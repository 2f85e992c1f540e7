//! Webhook endpoints (Stripe API reference, Webhook Endpoints).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{store::Keyed, stripe::params::Metadata};

/// An endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoint {
    /// `we_…`.
    pub id: String,
    /// Where deliveries go.
    pub url: String,
    /// `whsec_…`; shown once, on creation.
    pub secret: String,
    /// Event types, or `*`.
    pub enabled_events: Vec<String>,
    /// Whether it gets nothing at present.
    pub disabled: bool,
    /// The merchant's words for it.
    pub description: Option<String>,
    /// The merchant's own data.
    pub metadata: Metadata,
    /// The version its events are rendered in; the account's when absent.
    pub api_version: Option<String>,
    /// Unix seconds.
    pub created: i64,
}

impl Keyed for Endpoint {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Endpoint {
    /// Whether it wants this type of event.
    pub fn wants(&self, kind: &str) -> bool {
        !self.disabled && self.enabled_events.iter().any(|enabled| enabled == "*" || enabled == kind)
    }

    /// The endpoint on the wire, without its secret.
    pub fn wire(&self) -> Value {
        json!({
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": null,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": false,
            "metadata": self.metadata,
            "status": if self.disabled { "disabled" } else { "enabled" },
            "url": self.url,
        })
    }
}
