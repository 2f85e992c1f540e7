//! Captures, voids and refunds (Adyen API reference, Checkout, Modifications).
//!
//! Adyen replies only that it has received the request. A webhook reports the result, with our reference to the modification as
//! `merchantReference`. If a reply is lost, Adyen gives it again to a repetition with the same key.

use domain::money::Money;
use domain::payment::ModificationKind;
use serde::Deserialize;
use serde_json::json;

use super::amount::to_adyen;
use super::api::{merchant_account, post, segment, success};
use crate::connector::{Account, Fail, ModifySpec, Outcome, Wire};
use crate::http::{HttpRequest, HttpResponse};

const CAPTURE: &str = "payments.captures";
const CANCEL: &str = "payments.cancels";
const REFUND: &str = "payments.refunds";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Received {
    psp_reference: Option<String>,
    status: Option<String>,
    reference: Option<String>,
}

pub(super) fn begin(account: &Account, spec: &ModifySpec, key: &str) -> Result<HttpRequest, Fail> {
    let (name, kind, amount) = match spec.kind {
        // A setting of the merchant account, and not the request, decides whether the rest stays capturable after a capture.
        ModificationKind::Capture { amount, .. } => (CAPTURE, "captures", Some(amount)),
        ModificationKind::Void => (CANCEL, "cancels", None),
        ModificationKind::Refund { amount } => (REFUND, "refunds", Some(amount)),
    };
    let mut body = json!({
        "merchantAccount": merchant_account(account)?,
        "reference": spec.modification.as_str(),
    });
    if let Some(minor) = amount {
        let currency = spec.target.amount.currency;
        body["amount"] = json!({"value": to_adyen(Money::new(minor, currency))?, "currency": currency.code()});
    }
    post(account, name, format!("/payments/{}/{kind}", payment_ref(spec)?), &body, key)
}

pub(super) fn received(spec: &ModifySpec, reply: &HttpResponse) -> Result<Wire, Fail> {
    let received: Received = success(reply)?;
    if received.status.as_deref() != Some("received") {
        return Err(Fail::Unsure("the reply does not say that the request was received".to_owned()));
    }
    if received.reference.is_some_and(|reference| reference != spec.modification.as_str()) {
        return Err(Fail::Unsure("the reply is about another request".to_owned()));
    }
    Ok(Wire::Done(Outcome::Accepted { reference: received.psp_reference.filter(|reference| !reference.is_empty()) }))
}

fn payment_ref(spec: &ModifySpec) -> Result<&str, Fail> {
    let reference = spec.target.refs.payment.as_deref();
    let missing = || Fail::Unsupported("Adyen has not yet told the payment's reference; its webhook does".to_owned());
    segment(reference.ok_or_else(missing)?)
}

#[cfg(test)]
mod tests;
