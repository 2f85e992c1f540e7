//! The parts of Stripe's objects that Till reads. Unknown fields and values are tolerated everywhere.

use std::collections::BTreeMap;

use domain::currency::Currency;
use domain::id::{AttemptId, ModificationId};
use domain::money::Money;
use serde::Deserialize;

use super::amount::from_stripe;

/// Where our reference stands in metadata.
pub(super) const ATTEMPT: &str = "till_attempt";
/// Where our reference to a capture or refund stands in metadata.
pub(super) const MODIFICATION: &str = "till_modification";
/// Marks a session whose money is taken later.
pub(super) const CAPTURE: &str = "till_capture";

pub(super) type Metadata = BTreeMap<String, String>;

/// A reference that is an id or, when expanded, the object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Expandable<T> {
    Id(String),
    Object(T),
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Session {
    pub id: String,
    pub url: Option<String>,
    pub status: Option<String>,
    pub payment_status: Option<String>,
    pub payment_intent: Option<Expandable<Intent>>,
    pub amount_total: Option<i64>,
    pub currency: Option<String>,
    pub client_reference_id: Option<String>,
    pub expires_at: Option<i64>,
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Intent {
    pub id: String,
    pub status: Option<String>,
    pub amount: Option<i64>,
    #[serde(default)]
    pub amount_received: i64,
    #[serde(default)]
    pub amount_capturable: i64,
    pub currency: Option<String>,
    pub last_payment_error: Option<PaymentError>,
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PaymentError {
    pub code: Option<String>,
    pub decline_code: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Charge {
    pub payment_intent: Option<String>,
    pub amount: Option<i64>,
    #[serde(default)]
    pub amount_captured: i64,
    pub currency: Option<String>,
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    pub id: String,
    pub payment_intent: Option<String>,
    pub amount: i64,
    pub currency: String,
    pub status: Option<String>,
    #[serde(default)]
    pub failure_reason: Option<String>,
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dispute {
    pub id: String,
    pub payment_intent: Option<String>,
    pub amount: i64,
    pub currency: String,
    pub status: String,
    pub reason: Option<String>,
    #[serde(default)]
    pub payment_method_details: Option<DisputeMethod>,
    #[serde(default)]
    pub evidence_details: Option<EvidenceDetails>,
}

#[derive(Debug, Deserialize)]
pub(super) struct EvidenceDetails {
    /// Unix seconds until which evidence can be handed in.
    pub due_by: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DisputeMethod {
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// An amount with its currency, if both are there and make sense.
pub(super) fn money(amount: Option<i64>, currency: Option<&str>) -> Option<Money> {
    let currency: Currency = currency?.parse().ok()?;
    Some(Money::new(from_stripe(amount?, currency)?, currency))
}

impl Session {
    /// Whether it names an amount that makes no sense. Then nothing it says about money may be used, nor overlooked.
    pub(super) fn has_odd_amount(&self) -> bool {
        self.amount_total.is_some() && money(self.amount_total, self.currency.as_deref()).is_none()
    }
}

impl Intent {
    /// See [`Session::has_odd_amount`].
    pub(super) fn has_odd_amount(&self) -> bool {
        let odd = |amount| money(Some(amount), self.currency.as_deref()).is_none();
        self.amount.is_some_and(odd) || odd(self.amount_received) || odd(self.amount_capturable)
    }
}

/// Our reference to a capture or refund in metadata.
pub(super) fn own_modification(metadata: Option<&Metadata>) -> Option<ModificationId> {
    metadata?.get(MODIFICATION)?.parse().ok()
}

/// Our reference in metadata.
pub(super) fn own_reference(metadata: Option<&Metadata>) -> Option<AttemptId> {
    metadata?.get(ATTEMPT)?.parse().ok()
}
