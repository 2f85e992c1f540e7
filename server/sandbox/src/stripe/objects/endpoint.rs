//! Webhook endpoints (Stripe API reference, Webhook Endpoints).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{store::Keyed, stripe::params::Metadata};

/// An endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoint {
    /// `we_…`.
    pub id: String,
    /// The address of deliveries.
    pub url: String,
    /// `whsec_…`, which only the reply to the creation shows.
    pub secret: String,
    /// Event types, or `*`.
    pub enabled_events: Vec<String>,
    /// Whether the endpoint is disabled and gets no deliveries.
    pub disabled: bool,
    /// The merchant's description of the endpoint.
    pub description: Option<String>,
    /// The merchant's own data.
    pub metadata: Metadata,
    /// The API version of the endpoint's events. `None` means the account's version.
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
    /// Whether the endpoint wants this type of event.
    pub fn wants(&self, kind: &str) -> bool {
        !self.disabled && self.enabled_events.iter().any(|enabled| enabled == "*" || enabled == kind)
    }

    /// The endpoint as replies show it, without its secret.
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
