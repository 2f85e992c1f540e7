//! Adyen's webhooks: splits a delivery for the inbox, and reads events into observations.
//!
//! Only signed fields move money: the references, the merchant account, the amount, the event code and its success.

use bytes::Bytes;
use domain::Millis;
use domain::id::ModificationId;
use domain::money::Money;
use domain::payment::{Capture, EntryState, Movement, News, Observation, Refs, Step};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::decline::{decline, text};
use super::item::{Envelope, Notification};
use super::reference::{self, Ours};
use super::{MERCHANT_ACCOUNT, dispute, signature};
use crate::connector::Account;
use crate::delivery::{Foreign, Incoming, Item, Reject, Unreadable};
use crate::text::{EVENT_ID_CHARS_MAX, event_id, nameless, plain};

/// An event as it is stored, with the mode of its delivery, which is outside the event.
#[derive(Deserialize)]
struct Stored<'a> {
    live: Option<String>,
    #[serde(borrow)]
    item: &'a RawValue,
}

/// Splits a delivery into one item for each event. A repetition of an event has the same code, reference and success; a repetition of a
/// dispute event also has the same amount and date.
pub(super) fn split(body: &Bytes) -> Result<Vec<Item>, Reject> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_| Reject::Unreadable)?;
    let live = serde_json::to_string(&envelope.live).map_err(|_| Reject::Unreadable)?;
    envelope.items.iter().map(|wrapper| stored(wrapper.item, &live)).collect()
}

fn stored(raw: &RawValue, live: &str) -> Result<Item, Reject> {
    let item: Notification = serde_json::from_str(raw.get()).map_err(|_| Reject::Unreadable)?;
    Ok(Item { event: id(&item), body: Bytes::from(format!(r#"{{"live":{live},"item":{}}}"#, raw.get())) })
}

/// The event's id. An event whose signature would also fit other fields is stored under a digest of its signed text, so that it cannot take
/// the place of the event that was meant.
fn id(item: &Notification) -> String {
    let (code, reference) = (item.event_code(), item.psp_reference());
    if code.is_empty() || reference.is_empty() || !signature::is_plain(item) {
        return nameless(signature::signed_text(item).as_bytes());
    }
    let success = item.success.as_deref().unwrap_or_default();
    if dispute::is_dispute(code) {
        return event_id(&format!("{code}:{reference}:{success}:{}", dispute::mark(item)));
    }
    event_id(&format!("{code}:{reference}:{success}"))
}

pub(super) fn read(account: &Account, stored: &[u8], received: Millis) -> Result<Incoming, Unreadable> {
    let unreadable = |error: serde_json::Error| Unreadable(error.to_string());
    let stored: Stored<'_> = serde_json::from_slice(stored).map_err(unreadable)?;
    let item: Notification = serde_json::from_str(stored.item.get()).map_err(unreadable)?;
    let kind = plain(item.event_code().chars().take(EVENT_ID_CHARS_MAX).collect());
    let nothing = Observation { at: received, ..Observation::default() };
    let ours = item.merchant_reference.as_deref().and_then(|reference| reference::read(reference, &account.id));
    let foreign = foreign(account, &item, stored.live.as_deref()).or_else(|| elsewhere(ours.as_ref()));
    if foreign.is_some() {
        return Ok(Incoming { kind, foreign, doubt: None, attempt: None, observation: nothing });
    }
    let attempt = match &ours {
        Some(Ours::Attempt(attempt, _)) => Some(attempt.clone()),
        _ => None,
    };
    let (doubt, observation) = match certain(&item, ours.as_ref(), nothing.clone()) {
        Ok(observation) => (None, observation),
        // The references say whether the event concerns a payment of ours.
        Err(Doubt(why)) => {
            let refs = Refs { session: None, payment: item.original_reference() };
            (Some(why), Observation { refs, ..nothing })
        }
    };
    Ok(Incoming { kind, foreign: None, doubt, attempt, observation })
}

/// The reason why an event must not be applied.
struct Doubt(String);

impl Doubt {
    fn new(why: &str) -> Doubt {
        Doubt(why.to_owned())
    }
}

/// The observation of an event whose content is certain.
fn certain(item: &Notification, ours: Option<&Ours>, nothing: Observation) -> Result<Observation, Doubt> {
    if !moves(item.event_code()) {
        return Ok(nothing);
    }
    if !signature::is_plain(item) {
        return Err(Doubt::new("its signature would also fit other fields; look at the payment at Adyen"));
    }
    let success = item.success().ok_or_else(|| Doubt::new("success is neither true nor false"))?;
    observe(item, success, ours, nothing)
}

/// Whether events of this name say anything about a payment of ours.
fn moves(code: &str) -> bool {
    const PAYMENT: &[&str] = &["AUTHORISATION", "PENDING", "EXPIRE", "CANCEL_OR_REFUND"];
    const MODIFICATION: &[&str] = &[
        "CAPTURE",
        "CAPTURE_FAILED",
        "CANCELLATION",
        "TECHNICAL_CANCEL",
        "REFUND",
        "REFUND_FAILED",
        "REFUNDED_REVERSED",
    ];
    PAYMENT.contains(&code) || MODIFICATION.contains(&code) || dispute::is_dispute(code)
}

/// Whether the event belongs to another merchant account: one HMAC key can serve a company with several. The mode is not signed, so it can
/// only exclude an event.
fn foreign(account: &Account, item: &Notification, live: Option<&str>) -> Option<Foreign> {
    let ours = account.credentials.get(MERCHANT_ACCOUNT).map(ExposeSecret::expose_secret);
    let theirs = item.merchant_account_code.as_deref();
    if theirs.is_none() || theirs != ours {
        let name = plain(theirs.unwrap_or("none").chars().take(80).collect());
        return Some(Foreign::neighbour(format!("the event belongs to merchant account {name}")));
    }
    let other = if account.live { "false" } else { "true" };
    (live == Some(other)).then(|| Foreign::other_mode(account.live))
}

/// Whether the payment belongs to another account of Till. Several accounts, also of several installations, can share a merchant account.
fn elsewhere(ours: Option<&Ours>) -> Option<Foreign> {
    let Some(Ours::Elsewhere(mark)) = ours else { return None };
    Some(Foreign::neighbour(format!("the payment belongs to an account of Till whose id ends in {mark}")))
}

fn observe(
    item: &Notification,
    success: bool,
    ours: Option<&Ours>,
    nothing: Observation,
) -> Result<Observation, Doubt> {
    match (item.event_code(), ours) {
        // A payment is ours if its reference is. Other payments on the same merchant account are not.
        ("AUTHORISATION", Some(Ours::Attempt(_, capture))) => authorisation(item, success, *capture, nothing),
        ("PENDING", Some(Ours::Attempt(..))) if success => {
            Ok(Observation { news: vec![News::Step(Step::Processing)], ..nothing })
        }
        ("CAPTURE" | "CAPTURE_FAILED", _) => modified(item, ours, nothing, capture(item, success, ours)?),
        ("CANCELLATION" | "TECHNICAL_CANCEL", _) => modified(item, ours, nothing, cancellation(item, success, ours)?),
        ("REFUND" | "REFUND_FAILED" | "REFUNDED_REVERSED", _) => modified(item, ours, nothing, refund(item, success)?),
        ("EXPIRE", _) if success => modified(item, ours, nothing, released(item, ours)?),
        ("CANCEL_OR_REFUND", Some(_)) if success => Err(Doubt(cancel_or_refund(item))),
        (event, _) if success && dispute::is_dispute(event) => {
            let movement = dispute::movement(item, money(item)?.minor);
            modified(item, ours, nothing, movement.map(News::Moved).into_iter().collect())
        }
        // Among these events is OFFER_CLOSED: the shopper gave up a try on a page where another try may be under way. The page's own status
        // says what becomes of the page.
        _ => Ok(nothing),
    }
}

/// A failed authorisation has a `pspReference` of its own. Only the reference of the successful one is the payment's.
fn authorisation(
    item: &Notification,
    success: bool,
    capture: Capture,
    nothing: Observation,
) -> Result<Observation, Doubt> {
    if !success {
        return Ok(Observation { news: vec![News::Step(Step::Declined(decline(item)))], ..nothing });
    }
    let debt = money(item)?;
    let refs = Refs { session: None, payment: Some(item.own_reference()) };
    Ok(Observation { refs, debt: Some(debt), news: taken(debt, capture), ..nothing })
}

/// The money that a successful payment moves. Adyen captures at once unless the request says otherwise, and then sends no event for the
/// capture.
pub(super) fn taken(debt: Money, capture: Capture) -> Vec<News> {
    let authorised = News::Moved(Movement::Authorised { total: debt.minor });
    match capture {
        Capture::Automatic => vec![authorised, News::Moved(Movement::Captured { total: debt.minor })],
        Capture::Manual => vec![authorised],
    }
}

/// A modification of a payment, with the references around it. The event's amount is not the amount to pay; only the currency is the same.
fn modified(
    item: &Notification,
    ours: Option<&Ours>,
    nothing: Observation,
    news: Vec<News>,
) -> Result<Observation, Doubt> {
    let currency = if news.is_empty() { None } else { Some(money(item)?.currency) };
    let mut news = news;
    if news.iter().any(is_failure) {
        news.extend(text(item.reason.as_ref()).map(|reason| News::Explained { reason }));
    }
    let refs = Refs { session: None, payment: item.original_reference() };
    Ok(Observation { refs, currency, modification: modification(ours).cloned(), news, ..nothing })
}

/// Whether a capture or refund failed, or was undone.
fn is_failure(news: &News) -> bool {
    matches!(news, News::Moved(Movement::Capture { state, .. } | Movement::Refund { state, .. }) if state.is_failure())
}

fn modification(ours: Option<&Ours>) -> Option<&ModificationId> {
    match ours {
        Some(Ours::Modification(modification)) => Some(modification),
        _ => None,
    }
}

/// The news of a capture. A capture's id is its `pspReference`, which the reply to the request names first and `CAPTURE_FAILED` repeats.
fn capture(item: &Notification, success: bool, ours: Option<&Ours>) -> Result<Vec<News>, Doubt> {
    let state = match (item.event_code(), success) {
        // The card scheme rejected the capture later. Only this event says so.
        ("CAPTURE_FAILED", _) => EntryState::Failed,
        (_, true) => EntryState::Succeeded,
        // A refused capture that was not requested by Till takes nothing from earlier captures.
        (_, false) if modification(ours).is_none() => return Ok(vec![]),
        // The same event can be sent again with another result.
        (_, false) => EntryState::Refused,
    };
    let (reference, amount) = (item.own_reference(), money(item)?.minor);
    Ok(vec![News::Moved(Movement::Capture { reference, amount, state })])
}

/// The news of a refund. A refund's id is its `pspReference`, which the reply to the request names first and later events repeat.
fn refund(item: &Notification, success: bool) -> Result<Vec<News>, Doubt> {
    let state = match (item.event_code(), success) {
        ("REFUND", true) => EntryState::Succeeded,
        // The same event can be sent again with another result.
        ("REFUND", false) => EntryState::Refused,
        // A failed reversal leaves the refund as it is.
        ("REFUNDED_REVERSED", false) => return Ok(vec![]),
        _ => EntryState::Failed,
    };
    let (reference, amount) = (item.own_reference(), money(item)?.minor);
    Ok(vec![News::Moved(Movement::Refund { reference, amount, state })])
}

fn cancellation(item: &Notification, success: bool, ours: Option<&Ours>) -> Result<Vec<News>, Doubt> {
    if !success {
        let reason = text(item.reason.as_ref()).unwrap_or_else(|| "refused by Adyen".to_owned());
        let refused = modification(ours).map(|_| News::NotModified { reason });
        return Ok(refused.into_iter().collect());
    }
    released(item, ours)
}

/// The authorisation is gone. A payment with automatic capture counts as captured. If it is cancelled or expires instead, that capture is
/// taken back, unless a capture, refund or dispute proves that the money was captured.
fn released(item: &Notification, ours: Option<&Ours>) -> Result<Vec<News>, Doubt> {
    let mut news = vec![News::Moved(Movement::Voided)];
    if let Some(Ours::Attempt(_, Capture::Automatic)) = ours {
        news.push(News::Moved(Movement::Uncaptured { amount: money(item)?.minor }));
    }
    Ok(news)
}

/// The doubt for a reversal, which Till never asks for: somebody did so at Adyen. The signed fields do not say whether the payment was
/// cancelled or refunded. A person must look, because a guess about money would be worse.
fn cancel_or_refund(item: &Notification) -> String {
    let payment = item.original_reference().unwrap_or_default();
    let payment: String = payment.chars().take(40).collect();
    format!("payment {payment} was cancelled or refunded at Adyen, and the signed part does not say which; look there")
}

fn money(item: &Notification) -> Result<Money, Doubt> {
    item.money().ok_or_else(|| Doubt::new("the amount or the currency makes no sense"))
}

#[cfg(test)]
mod tests;
