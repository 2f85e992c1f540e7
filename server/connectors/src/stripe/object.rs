//! The parts of Stripe's objects that Till reads. Unknown fields and values are tolerated everywhere.

use std::collections::BTreeMap;

use domain::currency::Currency;
use domain::id::{AttemptId, ModificationId};
use domain::money::Money;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::amount::from_stripe;
use crate::text::{maybe_reference, reference};

/// The metadata key of our reference to an attempt.
pub(super) const ATTEMPT: &str = "till_attempt";
/// The metadata key of our reference to a capture or refund.
pub(super) const MODIFICATION: &str = "till_modification";
/// The metadata key of the account of Till for which an object was made. Several accounts can share one account at Stripe.
pub(super) const ACCOUNT: &str = "till_account";
/// The metadata key that marks a session with later capture.
pub(super) const CAPTURE: &str = "till_capture";

pub(super) type Metadata = BTreeMap<String, String>;

/// A reference that is an id or, when expanded, the object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Expandable<T> {
    Id(#[serde(deserialize_with = "reference")] String),
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
    #[serde(deserialize_with = "reference")]
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
    #[serde(deserialize_with = "reference")]
    pub id: String,
    pub status: Option<String>,
    pub amount: Option<i64>,
    #[serde(default, deserialize_with = "none_is_zero")]
    pub amount_received: i64,
    #[serde(default, deserialize_with = "none_is_zero")]
    pub amount_capturable: i64,
    pub currency: Option<String>,
    pub last_payment_error: Option<PaymentError>,
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

/// Reads an amount, and reads null as zero.
fn none_is_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Debug, Deserialize)]
pub(super) struct PaymentError {
    pub code: Option<String>,
    pub decline_code: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Charge {
    #[serde(default, deserialize_with = "maybe_reference")]
    pub payment_intent: Option<String>,
    pub amount: Option<i64>,
    /// Absent or null where an older API version reports a charge that was not captured.
    pub amount_captured: Option<i64>,
    pub amount_refunded: Option<i64>,
    /// API versions before 2022-11-15 show the refunds inside the charge.
    pub refunds: Option<List<Refund>>,
    pub currency: Option<String>,
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    #[serde(deserialize_with = "reference")]
    pub id: String,
    #[serde(default, deserialize_with = "maybe_reference")]
    pub payment_intent: Option<String>,
    pub amount: i64,
    pub currency: String,
    pub status: Option<String>,
    pub reason: Option<String>,
    /// Absent, null or present. Null means that the refund has moved no money, or none yet.
    #[serde(default, deserialize_with = "given")]
    pub balance_transaction: Option<Option<IgnoredAny>>,
    #[serde(default)]
    pub failure_reason: Option<String>,
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

/// Reads a field that is present, even if it is null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<IgnoredAny>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Debug, Deserialize)]
pub(super) struct Dispute {
    #[serde(deserialize_with = "reference")]
    pub id: String,
    #[serde(default, deserialize_with = "maybe_reference")]
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
    /// The deadline for evidence, in Unix seconds.
    pub due_by: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DisputeMethod {
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// An amount with its currency, if both are present and make sense.
pub(super) fn money(amount: Option<i64>, currency: Option<&str>) -> Option<Money> {
    let currency: Currency = currency?.parse().ok()?;
    Some(Money::new(from_stripe(amount?, currency)?, currency))
}

impl Session {
    /// Whether the session names an amount that makes no sense. The session's words about money may then be neither used nor overlooked.
    pub(super) fn has_odd_amount(&self) -> bool {
        self.amount_total.is_some() && money(self.amount_total, self.currency.as_deref()).is_none()
    }
}

impl Intent {
    /// Whether the intent names an amount that makes no sense, see [`Session::has_odd_amount`].
    pub(super) fn has_odd_amount(&self) -> bool {
        let odd = |amount| money(Some(amount), self.currency.as_deref()).is_none();
        self.amount.is_some_and(odd) || odd(self.amount_received) || odd(self.amount_capturable)
    }
}

/// Our reference to a capture or refund in metadata.
pub(super) fn own_modification(metadata: Option<&Metadata>) -> Option<ModificationId> {
    metadata?.get(MODIFICATION)?.parse().ok()
}

/// The account of Till in metadata.
pub(super) fn own_account(metadata: Option<&Metadata>) -> Option<&String> {
    metadata?.get(ACCOUNT)
}

/// Our reference in metadata.
pub(super) fn own_reference(metadata: Option<&Metadata>) -> Option<AttemptId> {
    metadata?.get(ATTEMPT)?.parse().ok()
}
