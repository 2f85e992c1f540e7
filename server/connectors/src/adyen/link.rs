//! Payment links: the pages shoppers pay on (Adyen API reference, Checkout, Payment links).
//!
//! A link tells whether it was paid, but not by which payment. The payment's reference comes with its `AUTHORISATION` webhook, and captures
//! and refunds are impossible before.

use domain::Millis;
use domain::method::Method as PaymentMethod;
use domain::payment::{Capture, CloseReason, Handoff, News, Observation, Refs, Step};
use domain::time;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::amount::{from_adyen, to_adyen};
use super::api::{merchant_account, post, request, segment, success};
use super::reference::{self, Ours};
use super::{event, item};
use crate::connector::{Account, Fail, OpenSpec, Outcome, Target, Wire};
use crate::http::{HttpRequest, HttpResponse};

const CREATE: &str = "payment_links.create";
const RETRIEVE: &str = "payment_links.retrieve";
const EXPIRE: &str = "payment_links.expire";

/// The languages of Adyen's page that we may ask for (Adyen documentation, Pay by Link, languages). Without a language the page is in
/// English.
#[rustfmt::skip]
const LOCALES: &[(&str, &str)] = &[
    ("ar", "ar"), ("bg", "bg-BG"), ("ca", "ca-ES"), ("cs", "cs-CZ"), ("da", "da-DK"), ("de", "de-DE"), ("el", "el-GR"),
    ("en", "en-US"), ("es", "es-ES"), ("et", "et-EE"), ("fi", "fi-FI"), ("fr", "fr-FR"), ("hr", "hr-HR"), ("hu", "hu-HU"),
    ("is", "is-IS"), ("it", "it-IT"), ("ja", "ja-JP"), ("ko", "ko-KR"), ("lt", "lt-LT"), ("lv", "lv-LV"), ("nb", "no-NO"),
    ("nl", "nl-NL"), ("no", "no-NO"), ("pl", "pl-PL"), ("pt", "pt-PT"), ("ro", "ro-RO"), ("ru", "ru-RU"), ("sk", "sk-SK"),
    ("sl", "sl-SI"), ("sv", "sv-SE"), ("uk", "uk-UA"), ("zh", "zh-CN"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    id: String,
    url: Option<String>,
    status: Option<String>,
    reference: Option<String>,
    amount: Option<item::Amount>,
    expires_at: Option<String>,
    updated_at: Option<String>,
}

pub(super) fn open(account: &Account, spec: &OpenSpec, key: &str) -> Result<HttpRequest, Fail> {
    post(account, CREATE, "/paymentLinks".to_owned(), &body(account, spec)?, key)
}

fn body(account: &Account, spec: &OpenSpec) -> Result<Value, Fail> {
    let currency = spec.amount.currency.code();
    let lines: Result<Vec<_>, Fail> = spec
        .lines
        .iter()
        .map(|line| {
            let unit = to_adyen(line.unit)?;
            Ok(json!({"description": line.name, "quantity": line.quantity, "amountIncludingTax": unit}))
        })
        .collect();
    let mut body = json!({
        "merchantAccount": merchant_account(account)?,
        "reference": reference::of_attempt(&spec.attempt, spec.capture, &account.id),
        "amount": {"value": to_adyen(spec.amount)?, "currency": currency},
        "reusable": false,
        "expiresAt": time::format(spec.until),
        "returnUrl": spec.return_url,
        "allowedPaymentMethods": [method_name(spec.method)?],
        "lineItems": lines?,
        "metadata": {"till_attempt": spec.attempt.as_str()},
    });
    // The capture mode is always sent, so that the merchant account's own setting cannot contradict our reference.
    match spec.capture {
        Capture::Automatic => body["captureDelayHours"] = json!(0),
        Capture::Manual => body["manualCapture"] = json!(true),
    }
    let lang = spec.lang.as_deref().and_then(|lang| lang.split('-').next());
    if let Some((_, locale)) = LOCALES.iter().find(|(known, _)| Some(*known) == lang) {
        body["shopperLocale"] = json!(locale);
    }
    Ok(body)
}

fn method_name(method: PaymentMethod) -> Result<&'static str, Fail> {
    match method {
        PaymentMethod::Card => Ok("scheme"),
        PaymentMethod::BankDebit => Err(Fail::Unsupported("bank debits are not offered through Adyen".to_owned())),
    }
}

pub(super) fn opened(account: &Account, spec: &OpenSpec, reply: &HttpResponse) -> Result<Wire, Fail> {
    let link: Link = success(reply)?;
    check_ours(account, &link, &Ours::Attempt(spec.attempt.clone(), spec.capture))?;
    segment(&link.id).map_err(|_| Fail::Unsure("the link's id has an unknown form".to_owned()))?;
    let url = link.url.ok_or_else(|| Fail::Unsure("the link has no url".to_owned()))?;
    let until = link.expires_at.as_deref().and_then(time::parse);
    let refs = Refs { session: Some(link.id), payment: None };
    Ok(Wire::Done(Outcome::Opened { refs, handoff: Handoff::Redirect { url }, until }))
}

pub(super) fn retrieve(account: &Account, target: &Target) -> Result<HttpRequest, Fail> {
    request(account, RETRIEVE, Method::GET, path(target)?, None)
}

pub(super) fn expire(account: &Account, target: &Target) -> Result<HttpRequest, Fail> {
    // A second expiry does no harm. With an idempotency key Adyen would repeat an answer that may be outdated.
    request(account, EXPIRE, Method::PATCH, path(target)?, Some(&json!({"status": "expired"})))
}

fn path(target: &Target) -> Result<String, Fail> {
    let link = target.refs.session.as_deref();
    let link = link.ok_or_else(|| Fail::Unsupported("the attempt has no payment link yet".to_owned()))?;
    Ok(format!("/paymentLinks/{}", segment(link)?))
}

pub(super) fn fetched(account: &Account, target: &Target, reply: &HttpResponse, now: Millis) -> Result<Wire, Fail> {
    let link: Link = success(reply)?;
    Ok(Wire::Done(Outcome::Observed(seen(account, target, &link, now)?)))
}

pub(super) fn closed(
    account: &Account,
    target: &Target,
    sent: &HttpRequest,
    reply: &HttpResponse,
    now: Millis,
) -> Result<Wire, Fail> {
    if sent.name == EXPIRE && matches!(reply.status, 400 | 404 | 409 | 422 | 500..) {
        // The page is no longer open, or the reply proves nothing, so the link's current status decides.
        return retrieve(account, target).map(Wire::Send);
    }
    let link: Link = success(reply)?;
    if link.status.as_deref() == Some("active") {
        return Err(Fail::Unsure("the page is still open".to_owned()));
    }
    Ok(Wire::Done(Outcome::Observed(seen(account, target, &link, now)?)))
}

/// The observation of a link's status.
fn seen(account: &Account, target: &Target, link: &Link, now: Millis) -> Result<Observation, Fail> {
    check_ours(account, link, &Ours::Attempt(target.attempt.clone(), target.capture))?;
    let odd = || Fail::Unsure("the amount or the currency makes no sense".to_owned());
    let amount = link.amount.as_ref().ok_or_else(odd)?;
    let debt = amount.count().zip(amount.currency.as_deref()).and_then(|(value, code)| from_adyen(value, code));
    let debt = debt.ok_or_else(odd)?;
    let changed = link.updated_at.as_deref().and_then(time::parse);
    let (at, news) = match link.status.as_deref() {
        // The time since which the page waits: the last change of its status, or the start of the attempt. A refusal reported meanwhile is
        // newer.
        Some("active") => (changed.unwrap_or(target.created), vec![News::Step(Step::Waiting)]),
        Some("paymentPending") => (changed.unwrap_or(now), vec![News::Step(Step::Processing)]),
        Some("paid" | "completed") => (now, event::taken(debt, target.capture)),
        Some("expired") => (now, vec![News::Closed(CloseReason::Expired)]),
        _ => (now, vec![]),
    };
    let refs = Refs { session: Some(link.id.clone()), payment: None };
    Ok(Observation { at, refs, debt: Some(debt), news, ..Observation::default() })
}

fn check_ours(account: &Account, link: &Link, expected: &Ours) -> Result<(), Fail> {
    match link.reference.as_deref() {
        Some(other) if reference::read(other, &account.id).as_ref() != Some(expected) => {
            Err(Fail::Unsure("the link carries another reference".to_owned()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
