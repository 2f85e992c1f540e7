//! Refunds (Stripe API reference, Refunds).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::charge::tail;
use crate::{
    store::Keyed,
    stripe::{params::Metadata, version},
    words::words,
};

words! {
    /// The status of a refund.
    RefundStatus {
        /// The refund is pending.
        Pending = "pending",
        /// The money was refunded.
        Succeeded = "succeeded",
        /// The refund failed, and the money came back to the merchant.
        Failed = "failed",
        /// The refund was cancelled while it was pending.
        Canceled = "canceled",
    }
}

/// A refund.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refund {
    /// `re_…`.
    pub id: String,
    /// Minor units.
    pub amount: i64,
    /// Lower-case ISO 4217.
    pub currency: String,
    /// The refunded charge.
    pub charge: String,
    /// The charge's intent.
    pub intent: String,
    /// Unix seconds.
    pub created: i64,
    /// The status.
    pub status: RefundStatus,
    /// The merchant's reason.
    pub reason: Option<String>,
    /// The merchant's own data.
    pub metadata: Metadata,
    /// The reason for the failure.
    pub failure_reason: Option<String>,
    /// `card` or `us_bank_account`.
    pub method: String,
    /// Whether this is a release of authorised money, which old API versions show as a refund.
    #[serde(default)]
    pub release: bool,
}

impl Keyed for Refund {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Refund {
    /// The balance transaction of the refund. A release moves no money and has none.
    pub fn transaction(&self) -> Option<String> {
        (!self.release).then(|| format!("txn_{}", tail(&self.id)))
    }

    /// Whether readers on this version see the refund.
    pub fn is_shown(&self, version: &str) -> bool {
        !self.release || version::shows_releases(version)
    }

    /// The refund as replies and events show it.
    pub fn wire(&self) -> Value {
        let destination = if self.method == "card" {
            json!({"type": "card", "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}})
        } else {
            json!({"type": self.method, (self.method.as_str()): {}})
        };
        let mut wire = json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": self.transaction(),
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "customer": null,
            "customer_account": null,
            "destination_details": destination,
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "payment_method": null,
            "reason": self.reason,
            "receipt_number": null,
            "source_transfer_reversal": null,
            "status": self.status,
            "transfer_reversal": null,
        });
        if self.status == RefundStatus::Pending {
            wire["pending_reason"] = "processing".into();
        }
        if let Some(reason) = &self.failure_reason {
            wire["failure_reason"] = reason.clone().into();
            wire["failure_balance_transaction"] = format!("txn_f{}", tail(&self.id)).into();
        }
        wire
    }
}
