//! Checkout sessions (Stripe API reference, Checkout Sessions).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::View;
use crate::{
    store::Keyed,
    stripe::{
        cards::{Face, Outcome},
        params::Metadata,
        pricing::Presented,
    },
    words::words,
};

words! {
    /// Where a session stands.
    SessionStatus {
        /// The shopper may pay.
        Open = "open",
        /// The shopper is done; money may still be on its way.
        Complete = "complete",
        /// Too late.
        Expired = "expired",
    }
}

/// A session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// `cs_test_…`.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub expires_at: i64,
    /// Where it stands.
    pub status: SessionStatus,
    /// Whether the money is there.
    pub paid: bool,
    /// Lower-case ISO 4217.
    pub currency: String,
    /// Minor units, the sum of the lines.
    pub amount: i64,
    /// What is bought.
    pub lines: Vec<Line>,
    /// The merchant's own data.
    pub metadata: Metadata,
    /// Where a shopper who paid goes.
    pub success_url: String,
    /// Where a shopper who gives up goes.
    pub cancel_url: Option<String>,
    /// The merchant's own reference.
    pub client_reference_id: Option<String>,
    /// Prefilled by the merchant.
    pub customer_email: Option<String>,
    /// `card`, `us_bank_account`.
    pub methods: Vec<String>,
    /// Whether the merchant named the methods in today's parameter.
    pub allowed_methods: bool,
    /// Exists once the shopper has submitted a payment.
    pub intent: Option<String>,
    /// What the intent will be made of.
    pub intent_data: IntentData,
    /// Accepted parameters that change nothing here, shown again as sent.
    pub extra: Map<String, Value>,
    /// What the shopper is asked for in a currency of their own.
    #[serde(default)]
    pub presented: Option<Presented>,
    /// What the shopper typed about themselves.
    pub customer: Option<Customer>,
    /// A card that waits for 3-D Secure.
    pub authenticating: Option<Authenticating>,
    /// How often the shopper has submitted a payment.
    pub attempts: u32,
    /// What the page says about the last attempt.
    pub last_message: Option<String>,
}

/// One line of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// `li_…`.
    pub id: String,
    /// `price_…`, made for this line.
    pub price: String,
    /// `prod_…`, made for this line.
    pub product: String,
    /// Shown to the shopper.
    pub name: String,
    /// Shown below the name.
    pub description: Option<String>,
    /// Minor units.
    pub unit_amount: i64,
    /// How many.
    pub quantity: i64,
    /// The merchant's own data.
    pub metadata: Metadata,
    /// The tax behaviour as sent.
    pub tax_behavior: Option<String>,
}

/// `payment_intent_data`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct IntentData {
    /// Capture later instead of at once.
    pub manual: bool,
    /// Goes to the intent and its charges; the session's own metadata does not.
    pub metadata: Metadata,
    /// The merchant's words for it.
    pub description: Option<String>,
    /// Where the receipt goes.
    pub receipt_email: Option<String>,
    /// On the shopper's statement.
    pub statement_descriptor: Option<String>,
    /// On the shopper's statement, after the merchant's prefix.
    pub statement_descriptor_suffix: Option<String>,
    /// Groups transfers.
    pub transfer_group: Option<String>,
    /// Whether the method is kept.
    pub setup_future_usage: Option<String>,
    /// The address as sent.
    pub shipping: Option<Value>,
}

/// What the shopper typed about themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Customer {
    /// As on the card.
    pub name: Option<String>,
    /// For the receipt.
    pub email: Option<String>,
}

/// A card between the payment form and the bank's page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Authenticating {
    /// What may be kept of the card.
    pub face: Face,
    /// What happens after a successful authentication.
    pub outcome: Outcome,
}

impl Keyed for Session {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Session {
    /// Whether the shopper may still pay at this time (Unix seconds).
    pub fn payable(&self, now: i64) -> bool {
        self.status == SessionStatus::Open && now < self.expires_at
    }

    /// Where the shopper goes after paying.
    pub fn return_url(&self) -> String {
        self.success_url.replace("{CHECKOUT_SESSION_ID}", &self.id).replace("%7BCHECKOUT_SESSION_ID%7D", &self.id)
    }

    /// The shop's name on the page, if the merchant gave one.
    pub fn shop(&self) -> &str {
        let branded = self.extra.get("branding_settings").and_then(|branding| branding["display_name"].as_str());
        branded.unwrap_or("Demo shop")
    }

    /// The session on the wire, without its lines.
    pub fn wire(&self, view: &View<'_>) -> Value {
        let extra = |key: &str| self.extra.get(key).cloned().unwrap_or_default();
        let or = |key: &str, default: Value| self.extra.get(key).cloned().unwrap_or(default);
        let open = self.status == SessionStatus::Open;
        // The word changed with 2026-03-25.dahlia.
        let ui_mode = if view.version < "2026-03-25" { "hosted" } else { "hosted_page" };
        let mut wire = json!({
            "id": self.id,
            "object": "checkout.session",
            "adaptive_pricing": or("adaptive_pricing", json!({"enabled": false})),
            "after_expiration": extra("after_expiration"),
            "allow_promotion_codes": extra("allow_promotion_codes"),
            "allowed_payment_method_types": if self.allowed_methods { json!(self.methods) } else { Value::Null },
            "amount_subtotal": self.amount,
            "amount_total": self.amount,
            "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
            "billing_address_collection": extra("billing_address_collection"),
            "branding_settings": extra("branding_settings"),
            "cancel_url": self.cancel_url,
            "client_reference_id": self.client_reference_id,
            "client_secret": null,
            "collected_information": self.customer.as_ref().map(|_| json!({"business_name": null, "individual_name": null, "shipping_details": null})),
            "consent": null,
            "consent_collection": extra("consent_collection"),
            "created": self.created,
            "currency": self.currency,
            "currency_conversion": null,
            "custom_fields": or("custom_fields", json!([])),
            "custom_text": self.custom_text(),
            "customer": null,
            "customer_account": null,
            "customer_creation": or("customer_creation", json!("if_required")),
            "customer_details": self.customer_details(),
            "customer_email": self.customer_email,
            "discounts": [],
            "excluded_payment_method_types": or("excluded_payment_method_types", json!([])),
            "expires_at": self.expires_at,
            "integration_identifier": extra("integration_identifier"),
            "invoice": null,
            "invoice_creation": {"enabled": false, "invoice_data": {"account_tax_ids": null, "custom_fields": null, "description": null, "footer": null, "issuer": null, "metadata": {}, "rendering_options": null}},
            "livemode": false,
            "locale": extra("locale"),
            "managed_payments": {"enabled": false},
            "metadata": self.metadata,
            "mode": "payment",
            "name_collection": extra("name_collection"),
            "optional_items": [],
            "origin_context": extra("origin_context"),
            "payment_intent": self.intent,
            "payment_link": null,
            "payment_method_collection": "if_required",
            "payment_method_configuration_details": null,
            "payment_method_options": or("payment_method_options", json!({"card": {"request_three_d_secure": "automatic"}})),
            "payment_method_types": self.methods,
            "payment_status": if self.paid { "paid" } else { "unpaid" },
            "permissions": null,
            "phone_number_collection": or("phone_number_collection", json!({"enabled": false})),
            "recovered_from": null,
            "saved_payment_method_options": null,
            "setup_intent": null,
            "shipping_address_collection": extra("shipping_address_collection"),
            "shipping_cost": null,
            "shipping_options": [],
            "status": self.status,
            "submit_type": extra("submit_type"),
            "subscription": null,
            "success_url": self.success_url,
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            "ui_mode": ui_mode,
            "url": open.then(|| format!("{}/c/pay/{}", view.base, self.id)),
            "wallet_options": extra("wallet_options"),
        });
        // It is settled when the shopper pays.
        if let Some(presented) = self.presented.as_ref().filter(|_| self.intent.is_some()) {
            presented.show(&mut wire, &["amount_total", "amount_subtotal"], view.version);
        }
        wire
    }

    fn custom_text(&self) -> Value {
        let text = self.extra.get("custom_text");
        let part = |key: &str| text.map(|text| text[key].clone()).unwrap_or_default();
        json!({
            "after_submit": part("after_submit"),
            "shipping_address": part("shipping_address"),
            "submit": part("submit"),
            "terms_of_service_acceptance": part("terms_of_service_acceptance"),
        })
    }

    fn customer_details(&self) -> Value {
        let typed = self.customer.as_ref();
        let email = typed.and_then(|customer| customer.email.as_ref()).or(self.customer_email.as_ref());
        let name = typed.and_then(|customer| customer.name.as_ref());
        if email.is_none() && name.is_none() {
            return Value::Null;
        }
        json!({
            "address": null, "business_name": null, "email": email, "individual_name": null, "name": name,
            "phone": null, "tax_exempt": "none", "tax_ids": [],
        })
    }
}

impl Line {
    /// Minor units of the whole line.
    pub fn total(&self) -> i64 {
        self.unit_amount.saturating_mul(self.quantity)
    }

    /// The line on the wire.
    pub fn wire(&self, session: &Session) -> Value {
        json!({
            "id": self.id,
            "object": "item",
            "adjustable_quantity": null,
            "amount_discount": 0,
            "amount_subtotal": self.total(),
            "amount_tax": 0,
            "amount_total": self.total(),
            "currency": session.currency,
            "description": self.name,
            "metadata": self.metadata,
            "price": {
                "id": self.price, "object": "price", "active": false, "billing_scheme": "per_unit",
                "created": session.created, "currency": session.currency, "custom_unit_amount": null,
                "livemode": false, "lookup_key": null, "metadata": {}, "nickname": null, "product": self.product,
                "recurring": null, "tax_behavior": self.tax_behavior.as_deref().unwrap_or("unspecified"),
                "tiers_mode": null, "transform_quantity": null, "type": "one_time",
                "unit_amount": self.unit_amount, "unit_amount_decimal": self.unit_amount.to_string(),
            },
            "quantity": self.quantity,
        })
    }
}
