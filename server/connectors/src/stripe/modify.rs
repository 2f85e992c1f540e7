//! Captures, voids and refunds (Stripe API reference: Payment Intents, Refunds).
//!
//! Stripe's reply shows the result, so the reply is an observation. Our reference goes into metadata, so that the effect of a request with
//! a lost reply can be looked up, and our modifications can be distinguished from others.

use domain::Millis;
use domain::money::Money;
use domain::payment::{ModificationKind, Observation};
use http::Method;

use super::amount::to_stripe;
use super::api::{post, request, success};
use super::event::refund_news;
use super::form::Form;
use super::news;
use super::object::{ATTEMPT, Intent, List, MODIFICATION, Refund};
use crate::connector::{Account, Fail, ModifySpec, Outcome, Wire};
use crate::http::{HttpRequest, HttpResponse};

const CAPTURE: &str = "payment_intents.capture";
const CANCEL: &str = "payment_intents.cancel";
const RETRIEVE: &str = "payment_intents.retrieve";
const REFUND: &str = "refunds.create";
const REFUNDS: &str = "refunds.list";

pub(super) fn begin(account: &Account, spec: &ModifySpec, key: &str) -> Result<HttpRequest, Fail> {
    let intent = intent_ref(spec)?;
    let ours = |form: Form| form.set(&format!("metadata[{MODIFICATION}]"), spec.modification.as_str());
    let (name, path, form) = match spec.kind {
        ModificationKind::Capture { amount, .. } => {
            let form = ours(Form::new().set("amount_to_capture", count(spec, amount)?));
            (CAPTURE, format!("/v1/payment_intents/{intent}/capture"), form)
        }
        ModificationKind::Void => (CANCEL, format!("/v1/payment_intents/{intent}/cancel"), Form::new()),
        ModificationKind::Refund { amount } => {
            let form = Form::new().set("payment_intent", intent).set("amount", count(spec, amount)?);
            let form = ours(form).set(&format!("metadata[{ATTEMPT}]"), spec.target.attempt.as_str());
            (REFUND, "/v1/refunds".to_owned(), form)
        }
    };
    post(account, name, path, form.finish(), Some(key))
}

/// Looks for the effect of a request whose reply was lost.
pub(super) fn find(account: &Account, spec: &ModifySpec) -> Result<HttpRequest, Fail> {
    let intent = intent_ref(spec)?;
    match spec.kind {
        ModificationKind::Refund { .. } => {
            let path = format!("/v1/refunds?payment_intent={intent}&limit=100");
            request(account, REFUNDS, Method::GET, path, String::new())
        }
        _ => retrieve(account, intent),
    }
}

pub(super) fn resume(
    account: &Account,
    spec: &ModifySpec,
    sent: &HttpRequest,
    reply: &HttpResponse,
    now: Millis,
) -> Result<Wire, Fail> {
    match (spec.kind, sent.name) {
        (ModificationKind::Refund { .. }, _) => {
            let refund: Refund = success(reply)?;
            Ok(Wire::Done(Outcome::Observed(of_refund(spec, &refund, now)?)))
        }
        // The payment may be cancelled already, so its current status decides.
        (ModificationKind::Void, CANCEL) if reply.status == 400 => retrieve(account, intent_ref(spec)?).map(Wire::Send),
        (ModificationKind::Void, _) => {
            let intent: Intent = success(reply)?;
            let status = intent.status.clone().unwrap_or_default();
            if status != "canceled" {
                return Err(Fail::Refused(format!("the payment cannot be voided, it is {status}")));
            }
            Ok(Wire::Done(Outcome::Observed(of_intent(spec, &intent, now)?)))
        }
        (ModificationKind::Capture { .. }, _) => {
            let intent: Intent = success(reply)?;
            if intent.status.as_deref() != Some("succeeded") {
                let status = intent.status.unwrap_or_default();
                return Err(Fail::Unsure(format!("the capture is answered with a payment that is {status:?}")));
            }
            Ok(Wire::Done(Outcome::Observed(of_intent(spec, &intent, now)?)))
        }
    }
}

pub(super) fn found(spec: &ModifySpec, reply: &HttpResponse, now: Millis) -> Result<Wire, Fail> {
    let ours = |metadata: Option<&super::object::Metadata>| {
        metadata.and_then(|all| all.get(MODIFICATION)).is_some_and(|id| id == spec.modification.as_str())
    };
    let seen = match spec.kind {
        ModificationKind::Refund { .. } => {
            let page: List<Refund> = success(reply)?;
            let found = page.data.iter().find(|refund| ours(refund.metadata.as_ref()));
            if found.is_none() && page.has_more {
                return Ok(Wire::Done(Outcome::Inconclusive));
            }
            found.map(|refund| of_refund(spec, refund, now)).transpose()?
        }
        ModificationKind::Capture { .. } => {
            let intent: Intent = success(reply)?;
            Some(&intent)
                .filter(|intent| ours(intent.metadata.as_ref()))
                .map(|intent| of_intent(spec, intent, now))
                .transpose()?
        }
        ModificationKind::Void => {
            let intent: Intent = success(reply)?;
            let gone = Some(&intent).filter(|intent| intent.status.as_deref() == Some("canceled"));
            gone.map(|intent| of_intent(spec, intent, now)).transpose()?
        }
    };
    Ok(Wire::Done(seen.map_or(Outcome::NotFound, Outcome::Observed)))
}

fn retrieve(account: &Account, intent: &str) -> Result<HttpRequest, Fail> {
    request(account, RETRIEVE, Method::GET, format!("/v1/payment_intents/{intent}"), String::new())
}

fn of_intent(spec: &ModifySpec, intent: &Intent, now: Millis) -> Result<Observation, Fail> {
    if intent.has_odd_amount() {
        return Err(odd());
    }
    let mut seen = news::of_intent(intent, now);
    seen.modification = Some(spec.modification.clone());
    Ok(seen)
}

fn of_refund(spec: &ModifySpec, refund: &Refund, now: Millis) -> Result<Observation, Fail> {
    let mut seen = refund_news(refund, now).map_err(|_| odd())?;
    seen.modification = Some(spec.modification.clone());
    Ok(seen)
}

fn odd() -> Fail {
    Fail::Unsure("the amount or the currency makes no sense".to_owned())
}

fn count(spec: &ModifySpec, amount: i64) -> Result<i64, Fail> {
    to_stripe(Money::new(amount, spec.target.amount.currency))
}

fn intent_ref(spec: &ModifySpec) -> Result<&str, Fail> {
    let reference = spec.target.refs.payment.as_deref();
    reference.ok_or_else(|| Fail::Unsupported("the attempt has no PaymentIntent yet".to_owned()))
}

#[cfg(test)]
mod tests;
