//! Payment intents (Stripe API reference, PaymentIntents).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::View;
use crate::{
    store::Keyed,
    stripe::{
        cards::{Decline, Face},
        objects::charge,
        params::Metadata,
        pricing::Presented,
        version,
    },
    words::words,
};

words! {
    /// The status of an intent.
    IntentStatus {
        /// There was no attempt yet, or the last attempt failed.
        RequiresPaymentMethod = "requires_payment_method",
        /// The shopper is on the bank's page.
        RequiresAction = "requires_action",
        /// The bank has not yet confirmed.
        Processing = "processing",
        /// Authorised and not yet captured.
        RequiresCapture = "requires_capture",
        /// Abandoned or voided.
        Canceled = "canceled",
        /// Captured.
        Succeeded = "succeeded",
    }
}

/// An intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Intent {
    /// `pi_…`.
    pub id: String,
    /// The session of the intent.
    pub session: String,
    /// Unix seconds.
    pub created: i64,
    /// Minor units.
    pub amount: i64,
    /// Minor units that may still be captured.
    pub capturable: i64,
    /// Minor units captured.
    pub received: i64,
    /// Lower-case ISO 4217.
    pub currency: String,
    /// The status.
    pub status: IntentStatus,
    /// Whether the money is captured by a call of its own.
    pub manual: bool,
    /// The methods that may be used.
    pub methods: Vec<String>,
    /// The metadata from `payment_intent_data`.
    pub metadata: Metadata,
    /// The merchant's description of the payment.
    pub description: Option<String>,
    /// The address for the receipt.
    pub receipt_email: Option<String>,
    /// The text on the shopper's statement.
    pub statement_descriptor: Option<String>,
    /// The end of the text on the shopper's statement.
    pub statement_descriptor_suffix: Option<String>,
    /// The group of transfers.
    pub transfer_group: Option<String>,
    /// The later use for which the method is kept, if any.
    pub setup_future_usage: Option<String>,
    /// The address as sent.
    pub shipping: Option<Value>,
    /// The last charge, including a failed one.
    pub latest_charge: Option<String>,
    /// `pm_…` of the last attempt.
    pub payment_method: Option<String>,
    /// The failure of the last attempt.
    pub last_error: Option<Failure>,
    /// Unix seconds.
    pub canceled_at: Option<i64>,
    /// The reason for the cancellation.
    pub cancellation_reason: Option<String>,
    /// The amount in the shopper's own currency, if the shopper is asked for one.
    #[serde(default)]
    pub presented: Option<Presented>,
}

/// A failed attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failure {
    /// The reason for the decline.
    pub decline: Decline,
    /// The charge, if one was made.
    pub charge: Option<String>,
    /// `pm_…` of the attempt.
    pub payment_method: String,
    /// `card` or `us_bank_account`.
    pub method: String,
    /// The parts of the card or account that may be stored.
    pub face: Face,
    /// Unix seconds.
    pub at: i64,
}

impl Keyed for Intent {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Intent {
    /// The reason for a cancellation, as a version names it. Before 2025-03-31 an expired authorisation had the same reason as an expired
    /// session.
    fn reason_for(&self, version: &str) -> Option<&str> {
        let reason = self.cancellation_reason.as_deref();
        if reason == Some("expired") && version::shows_releases(version) { Some("automatic") } else { reason }
    }

    /// The intent as replies and events show it.
    pub fn wire(&self, view: &View<'_>) -> Value {
        let next_action = (self.status == IntentStatus::RequiresAction).then(|| {
            json!({
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": null, "url": format!("{}/c/pay/{}/3ds", view.base, self.session)},
            })
        });
        let failed = matches!(self.status, IntentStatus::RequiresPaymentMethod);
        let mut wire = json!({
            "id": self.id,
            "object": "payment_intent",
            "allowed_payment_method_types": null,
            "amount": self.amount,
            "amount_capturable": self.capturable,
            "amount_details": {"tip": {}},
            "amount_received": self.received,
            "application": null,
            "application_fee_amount": null,
            "automatic_payment_methods": null,
            "canceled_at": self.canceled_at,
            "cancellation_reason": self.reason_for(view.version),
            "capture_method": if self.manual { "manual" } else { "automatic_async" },
            "client_secret": format!("{}_secret_{}", self.id, self.id.chars().rev().take(24).collect::<String>()),
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": null,
            "customer_account": null,
            "description": self.description,
            "excluded_payment_method_types": null,
            "last_payment_error": self.last_error.as_ref().map(Failure::wire),
            "latest_charge": self.latest_charge,
            "livemode": false,
            "managed_payments": null,
            "metadata": self.metadata,
            "next_action": next_action,
            "on_behalf_of": null,
            // The method is detached again after a failed attempt.
            "payment_method": if failed { None } else { self.payment_method.as_ref() },
            "payment_method_configuration_details": null,
            "payment_method_options": {"card": {"installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic"}},
            "payment_method_types": self.methods,
            "payment_record": null,
            "processing": (self.status == IntentStatus::Processing).then(|| json!({"type": "us_bank_account"})),
            "receipt_email": self.receipt_email,
            "review": null,
            "setup_future_usage": self.setup_future_usage,
            "shipping": self.shipping,
            "source": null,
            "statement_descriptor": self.statement_descriptor,
            "statement_descriptor_suffix": self.statement_descriptor_suffix,
            "status": self.status,
            "transfer_data": null,
            "transfer_group": self.transfer_group,
        });
        if let Some(presented) = &self.presented {
            presented.show(&mut wire, &["amount", "amount_capturable", "amount_received"], view.version);
        }
        wire
    }
}

impl Failure {
    /// `last_payment_error` with only the keys that apply, like the provider's.
    fn wire(&self) -> Value {
        let words = self.decline.words();
        let kind = if self.decline == Decline::AuthenticationFailed { "invalid_request_error" } else { "card_error" };
        let mut error = json!({
            "code": words.code,
            "doc_url": format!("https://stripe.com/docs/error-codes/{}", words.code.replace('_', "-")),
            "message": words.message,
            "payment_method": {
                "id": self.payment_method, "object": "payment_method", "allow_redisplay": "limited",
                "billing_details": charge::billing_details(&self.face), "created": self.at, "customer": null,
                "livemode": false, "metadata": {}, "type": self.method,
                (self.method.as_str()): charge::method_summary(&self.method, &self.face),
            },
            "type": kind,
        });
        for (key, value) in [
            ("charge", self.charge.as_deref()),
            ("decline_code", words.decline_code),
            ("advice_code", words.advice),
            ("network_decline_code", words.network),
        ] {
            if let Some(value) = value {
                error[key] = value.into();
            }
        }
        error
    }
}
