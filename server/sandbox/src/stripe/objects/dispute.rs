//! Disputes (Stripe API reference, Disputes).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::charge::tail;
use crate::{store::Keyed, words::words};

words! {
    /// The status of a dispute.
    DisputeStatus {
        /// The merchant may respond.
        NeedsResponse = "needs_response",
        /// The merchant keeps the money.
        Won = "won",
        /// The shopper keeps the money.
        Lost = "lost",
    }
}

/// A dispute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dispute {
    /// `du_…`.
    pub id: String,
    /// Minor units.
    pub amount: i64,
    /// Lower-case ISO 4217.
    pub currency: String,
    /// The disputed charge.
    pub charge: String,
    /// The charge's intent.
    pub intent: String,
    /// Unix seconds.
    pub created: i64,
    /// `fraudulent`, `insufficient_funds`, …
    pub reason: String,
    /// The status.
    pub status: DisputeStatus,
    /// `card` or `us_bank_account`.
    pub method: String,
    /// The card's network.
    pub brand: String,
}

/// The provider's fee for a dispute, minor units.
const FEE_MINOR: i64 = 1500;

/// The time in which a merchant may respond: nine days.
const ANSWER_SECONDS: i64 = 9 * 24 * 3600;

const EVIDENCE: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

impl Keyed for Dispute {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Dispute {
    /// The dispute as replies and events show it.
    pub fn wire(&self) -> Value {
        let mut evidence: Map<String, Value> = EVIDENCE.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
        evidence.insert("enhanced_evidence".into(), json!({}));
        let details = if self.method == "card" {
            json!({"type": "card", "card": {"brand": self.brand, "case_type": "chargeback", "network_reason_code": "10.4"}})
        } else {
            json!({"type": self.method, (self.method.as_str()): {}})
        };
        json!({
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": self.transactions(),
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": evidence,
            "evidence_details": {
                "due_by": self.created + ANSWER_SECONDS, "enhanced_eligibility": {}, "has_evidence": false,
                "past_due": false, "submission_count": 0, "submission_method": null,
            },
            "intended_submission_method": null,
            "is_charge_refundable": false,
            "livemode": false,
            "metadata": {},
            "network_reason_code": if self.method == "card" { Some("10.4") } else { None },
            "payment_intent": self.intent,
            "payment_method_details": details,
            "reason": self.reason,
            "status": self.status,
        })
    }

    /// The balance transactions: the amount is withdrawn at once, and reinstated when the merchant wins.
    fn transactions(&self) -> Vec<Value> {
        let row = |suffix: &str, amount: i64, fee: i64, category: &str| {
            json!({
                "id": format!("txn_{}{suffix}", tail(&self.id)), "object": "balance_transaction", "amount": amount,
                "available_on": self.created, "balance_type": "payments", "created": self.created,
                "currency": self.currency, "description": format!("Chargeback for {}", self.charge),
                "exchange_rate": null, "fee": fee,
                "fee_details": if fee == 0 { json!([]) } else {
                    json!([{"amount": fee, "application": null, "currency": self.currency, "description": "Dispute fee", "type": "stripe_fee"}])
                },
                "net": amount - fee, "reporting_category": category, "source": self.id, "status": "available",
                "type": "adjustment",
            })
        };
        let mut rows = vec![row("w", -self.amount, FEE_MINOR, "dispute")];
        if self.status == DisputeStatus::Won {
            rows.push(row("r", self.amount, 0, "dispute_reversal"));
        }
        rows
    }
}
