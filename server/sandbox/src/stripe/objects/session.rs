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
    /// The status of a session.
    SessionStatus {
        /// The shopper may pay.
        Open = "open",
        /// The shopper has submitted the payment; the money may still be pending.
        Complete = "complete",
        /// The session's time is over.
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
    /// The status.
    pub status: SessionStatus,
    /// Whether the money is captured.
    pub paid: bool,
    /// Lower-case ISO 4217.
    pub currency: String,
    /// Minor units, the sum of the lines.
    pub amount: i64,
    /// The order's lines.
    pub lines: Vec<Line>,
    /// The merchant's own data.
    pub metadata: Metadata,
    /// The address to which the shopper returns after paying.
    pub success_url: String,
    /// The address to which the shopper returns after giving up.
    pub cancel_url: Option<String>,
    /// The merchant's own reference.
    pub client_reference_id: Option<String>,
    /// The e-mail address that the merchant prefilled.
    pub customer_email: Option<String>,
    /// The offered methods: `card`, `us_bank_account`.
    pub methods: Vec<String>,
    /// Whether the merchant named the methods in the current parameter.
    pub allowed_methods: bool,
    /// The intent, which exists once the shopper has submitted a payment.
    pub intent: Option<String>,
    /// The values for the future intent.
    pub intent_data: IntentData,
    /// Accepted parameters that change nothing here. Replies show them as they were sent.
    pub extra: Map<String, Value>,
    /// The amount in the shopper's own currency, if the shopper is asked for one.
    #[serde(default)]
    pub presented: Option<Presented>,
    /// The shopper's own details from the page.
    pub customer: Option<Customer>,
    /// A card that waits for 3-D Secure.
    pub authenticating: Option<Authenticating>,
    /// The number of payments the shopper has submitted.
    pub attempts: u32,
    /// The page's message about the last attempt.
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
    /// The number of pieces.
    pub quantity: i64,
    /// The merchant's own data.
    pub metadata: Metadata,
    /// The tax behaviour as sent.
    pub tax_behavior: Option<String>,
}

/// `payment_intent_data`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct IntentData {
    /// Whether the money is captured later instead of at once.
    pub manual: bool,
    /// The metadata of the intent and its charges. The session's own metadata is separate.
    pub metadata: Metadata,
    /// The merchant's description of the payment.
    pub description: Option<String>,
    /// The address for the receipt.
    pub receipt_email: Option<String>,
    /// The text on the shopper's statement.
    pub statement_descriptor: Option<String>,
    /// The text on the shopper's statement after the merchant's prefix.
    pub statement_descriptor_suffix: Option<String>,
    /// The group of transfers.
    pub transfer_group: Option<String>,
    /// The later use for which the method is kept, if any.
    pub setup_future_usage: Option<String>,
    /// The address as sent.
    pub shipping: Option<Value>,
}

/// The shopper's own details from the page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Customer {
    /// The name, as on the card.
    pub name: Option<String>,
    /// The e-mail address for the receipt.
    pub email: Option<String>,
}

/// A card between the payment form and the bank's page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Authenticating {
    /// The parts of the card that may be stored.
    pub face: Face,
    /// The outcome after a successful authentication.
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

    /// The address to which the shopper returns after paying.
    pub fn return_url(&self) -> String {
        self.success_url.replace("{CHECKOUT_SESSION_ID}", &self.id).replace("%7BCHECKOUT_SESSION_ID%7D", &self.id)
    }

    /// The shop's name on the page, if the merchant gave one.
    pub fn shop(&self) -> &str {
        let branded = self.extra.get("branding_settings").and_then(|branding| branding["display_name"].as_str());
        branded.unwrap_or("Demo shop")
    }

    /// The session as replies and events show it, without its lines.
    pub fn wire(&self, view: &View<'_>) -> Value {
        let extra = |key: &str| self.extra.get(key).cloned().unwrap_or_default();
        let or = |key: &str, default: Value| self.extra.get(key).cloned().unwrap_or(default);
        let open = self.status == SessionStatus::Open;
        // The value changed with 2026-03-25.dahlia.
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
        // The currency is settled when the shopper pays.
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
    /// The line's total in minor units.
    pub fn total(&self) -> i64 {
        self.unit_amount.saturating_mul(self.quantity)
    }

    /// The line as replies show it.
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
