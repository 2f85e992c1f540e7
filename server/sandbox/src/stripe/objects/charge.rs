//! Charges (Stripe API reference, Charges).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::View;
use crate::{
    store::Keyed,
    stripe::{
        cards::{Decline, Face, Outcome},
        params::Metadata,
        version,
    },
    words::words,
};

words! {
    /// The status of a charge.
    ChargeStatus {
        /// Authorised or captured.
        Succeeded = "succeeded",
        /// The bank has not yet confirmed.
        Pending = "pending",
        /// Refused.
        Failed = "failed",
    }
}

/// A charge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Charge {
    /// `ch_…` (cards) or `py_…` (bank debits).
    pub id: String,
    /// The intent of the charge.
    pub intent: String,
    /// Unix seconds.
    pub created: i64,
    /// Minor units.
    pub amount: i64,
    /// Minor units captured.
    pub captured: i64,
    /// Minor units refunded or being refunded.
    pub refunded: i64,
    /// Minor units that were authorised and released.
    #[serde(default)]
    pub released: i64,
    /// Lower-case ISO 4217.
    pub currency: String,
    /// The status.
    pub status: ChargeStatus,
    /// The reason for the failure.
    pub decline: Option<Decline>,
    /// The test card's outcome, including later events.
    pub outcome: Outcome,
    /// Whether the holder has disputed the charge.
    pub disputed: bool,
    /// `card` or `us_bank_account`.
    pub method: String,
    /// `pm_…`.
    pub payment_method: String,
    /// The parts of the card or account that may be stored.
    pub face: Face,
    /// Whether 3-D Secure was passed.
    pub authenticated: bool,
    /// The intent's metadata when the charge was made.
    pub metadata: Metadata,
    /// The intent's description.
    pub description: Option<String>,
    /// The address for the receipt.
    pub receipt_email: Option<String>,
    /// The text on the shopper's statement.
    pub statement_descriptor_suffix: Option<String>,
}

impl Keyed for Charge {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Charge {
    /// Minor units that may still be refunded.
    pub fn refundable(&self) -> i64 {
        if self.status == ChargeStatus::Succeeded { self.captured - self.refunded } else { 0 }
    }

    /// The balance transaction of a captured charge.
    pub fn transaction(&self) -> Option<String> {
        (self.captured > 0 && self.status == ChargeStatus::Succeeded).then(|| format!("txn_{}", tail(&self.id)))
    }

    /// The charge as replies and events show it.
    pub fn wire(&self, view: &View<'_>) -> Value {
        let words = self.decline.map(Decline::words);
        // An old version counts released money as refunded, and shows no captured amount for a release without a capture.
        let released = if version::shows_releases(view.version) { self.released } else { 0 };
        let captured = (self.captured > 0 || released == 0).then_some(self.captured);
        let refunded = self.refunded + released;
        json!({
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": captured,
            "amount_refunded": refunded,
            "application": null,
            "application_fee": null,
            "application_fee_amount": null,
            "balance_transaction": self.transaction(),
            "billing_details": billing_details(&self.face),
            "calculated_statement_descriptor": "SANDBOX SHOP",
            "captured": self.captured > 0,
            "created": self.created,
            "currency": self.currency,
            "customer": null,
            "description": self.description,
            "disputed": self.disputed,
            "failure_balance_transaction": null,
            "failure_code": words.map(|words| words.code),
            "failure_message": words.map(|words| words.message),
            "fraud_details": {},
            "livemode": false,
            "metadata": self.metadata,
            "on_behalf_of": null,
            "outcome": self.outcome_wire(),
            "paid": self.status == ChargeStatus::Succeeded,
            "payment_intent": self.intent,
            "payment_method": self.payment_method,
            "payment_method_details": {"type": self.method, (self.method.as_str()): self.details()},
            "radar_options": {},
            "receipt_email": self.receipt_email,
            "receipt_number": null,
            "receipt_url": (self.status == ChargeStatus::Succeeded).then(|| format!("{}/", view.base)),
            "refunded": refunded > 0 && refunded == self.captured + released,
            "review": null,
            "shipping": null,
            "source": null,
            "source_transfer": null,
            "statement_descriptor": null,
            "statement_descriptor_suffix": self.statement_descriptor_suffix,
            "status": self.status,
            "transfer_data": null,
            "transfer_group": null,
        })
    }

    fn outcome_wire(&self) -> Value {
        let (kind, network, reason, level, score, seller) = match self.decline {
            None => ("authorized", "approved_by_network", None, "normal", 12, "Payment complete."),
            Some(Decline::Blocked) => (
                "blocked",
                "not_sent_to_network",
                Some("highest_risk_level"),
                "highest",
                92,
                "The payment was blocked as too risky.",
            ),
            Some(Decline::NotATestCard) => (
                "invalid",
                "not_sent_to_network",
                Some("test_mode_live_card"),
                "normal",
                12,
                "A non-test card was used.",
            ),
            Some(decline) => (
                "issuer_declined",
                "declined_by_network",
                decline.words().decline_code,
                "normal",
                12,
                "The bank did not return any further details with this decline.",
            ),
        };
        let words = self.decline.map(Decline::words);
        json!({
            "advice_code": words.and_then(|words| words.advice),
            "network_advice_code": null,
            "network_decline_code": words.and_then(|words| words.network),
            "network_status": network,
            "reason": reason,
            "risk_level": level,
            "risk_score": score,
            "seller_message": seller,
            "type": kind,
        })
    }

    fn details(&self) -> Value {
        let mut details = method_summary(&self.method, &self.face);
        if self.method != "card" {
            return details;
        }
        let approved = self.status == ChargeStatus::Succeeded;
        let three_d_secure = self.authenticated.then(|| {
            json!({
                "authentication_flow": "challenge", "electronic_commerce_indicator": "05", "exemption_indicator": null,
                "result": "authenticated", "result_reason": null, "transaction_id": null, "version": "2.2.0",
            })
        });
        let cvc = if self.decline == Some(Decline::IncorrectCvc) { "fail" } else { "pass" };
        for (key, value) in [
            ("amount_authorized", if approved { self.amount.into() } else { Value::Null }),
            ("authorization_code", if approved { "123456".into() } else { Value::Null }),
            ("three_d_secure", three_d_secure.unwrap_or_default()),
            ("checks", json!({"address_line1_check": null, "address_postal_code_check": null, "cvc_check": cvc})),
            ("network_transaction_id", if approved { "104102978678771".into() } else { Value::Null }),
        ] {
            details[key] = value;
        }
        details
    }
}

/// The holder's details from the page.
pub fn billing_details(face: &Face) -> Value {
    json!({
        "address": {"city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null},
        "email": face.email, "name": face.name, "phone": null, "tax_id": null,
    })
}

/// The public details of a card or account.
pub fn method_summary(method: &str, face: &Face) -> Value {
    if method == "card" {
        return json!({
            "amount_authorized": null, "authorization_code": null, "brand": face.brand, "checks": null, "country": "US",
            "electronic_commerce_indicator": null, "exp_month": face.exp_month, "exp_year": face.exp_year,
            "fingerprint": format!("sandbox{}", face.last4), "funding": "credit", "installments": null,
            "last4": face.last4, "mandate": null, "network": face.brand, "network_token": {"used": false},
            "network_transaction_id": null, "regulated_status": "unregulated", "three_d_secure": null,
            "transaction_link_id": null, "wallet": null,
        });
    }
    json!({
        "account_holder_type": "individual", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
        "fingerprint": format!("sandbox{}", face.last4), "last4": face.last4, "mandate": null,
        "payment_reference": null, "routing_number": "110000000",
    })
}

/// An id without its prefix.
pub fn tail(id: &str) -> &str {
    id.rsplit('_').next().unwrap_or(id)
}
