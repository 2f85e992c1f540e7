//! Stripe's events: taken apart for the inbox, and read into observations.

use bytes::Bytes;
use domain::payment::{DisputeState, EntryState, Movement, News, Observation, Refs};
use domain::{Millis, SECOND};
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::api::{request, succeeded};
use super::news;
use super::object::{Charge, Dispute, Intent, Refund, Session, money, own_modification, own_reference};
use crate::connector::{Account, EventsSpec, Fail, Incoming, Item, Outcome, Reject, Unreadable, Wire};
use crate::http::{HttpRequest, HttpResponse};

/// Characters of an event id at most.
const EVENT_ID_CHARS_MAX: usize = 255;

#[derive(Deserialize)]
struct Head {
    id: String,
}

#[derive(Deserialize)]
struct Event<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    livemode: bool,
    account: Option<String>,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
}

/// A delivery is one event.
pub(super) fn split(body: &Bytes) -> Result<Vec<Item>, Reject> {
    let head: Head = serde_json::from_slice(body).map_err(|_| Reject::Unreadable)?;
    Ok(vec![item(head.id, body)?])
}

fn item(id: String, body: &Bytes) -> Result<Item, Reject> {
    if id.is_empty() || id.len() > EVENT_ID_CHARS_MAX {
        return Err(Reject::Unreadable);
    }
    Ok(Item { event: id, body: body.clone() })
}

/// The same, read on the way: most of the time it takes goes into finding where the parts of an event end.
pub(super) fn split_and_read(account: &Account, body: &Bytes) -> Result<Vec<(Item, Option<Incoming>)>, Reject> {
    let Ok(event) = serde_json::from_slice::<Event<'_>>(body) else {
        return Ok(split(body)?.into_iter().map(|item| (item, None)).collect());
    };
    let item = item(event.id.clone(), body)?;
    Ok(vec![(item, interpret(account, event).ok())])
}

/// Events that were made since a time, newest first. Stripe keeps them for thirty days (API reference, Events).
pub(super) fn list(account: &Account, spec: &EventsSpec) -> Result<HttpRequest, Fail> {
    let since = spec.since / SECOND;
    let cursor = spec.cursor.as_ref().map_or_else(String::new, |id| format!("&starting_after={id}"));
    // The last second counts in full.
    let until = spec.until / SECOND + 1;
    let path = format!("/v1/events?limit=50&created[gte]={since}&created[lt]={until}{cursor}");
    request(account, "events.list", Method::GET, path, String::new())
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    #[serde(default)]
    has_more: bool,
}

pub(super) fn listed(reply: &HttpResponse) -> Result<Wire, Fail> {
    succeeded(reply)?;
    let unreadable = |error: &dyn std::fmt::Display| Fail::Unsure(format!("unreadable events: {error}"));
    let page: Page<'_> = serde_json::from_slice(&reply.body).map_err(|error| unreadable(&error))?;
    let items = page.data.iter().map(|event| split(&Bytes::copy_from_slice(event.get().as_bytes())));
    let items = items.collect::<Result<Vec<_>, _>>().map_err(|error| unreadable(&error))?.concat();
    let cursor = items.last().filter(|_| page.has_more).map(|last| last.event.clone());
    Ok(Wire::Done(Outcome::Events { items, cursor }))
}

pub(super) fn read(account: &Account, item: &[u8]) -> Result<Incoming, Unreadable> {
    let event = serde_json::from_slice(item).map_err(|error| Unreadable(error.to_string()))?;
    interpret(account, event)
}

fn interpret(account: &Account, event: Event<'_>) -> Result<Incoming, Unreadable> {
    let at = event.created.checked_mul(SECOND).ok_or_else(|| Unreadable("impossible time".to_owned()))?;
    if let Some(reason) = foreign(account, &event) {
        return Ok(Incoming { kind: event.kind, foreign: Some(reason), attempt: None, observation: nothing(at) });
    }
    let (attempt, observation) = match object_name(&event.kind) {
        "checkout.session" => session(&event, at)?,
        "payment_intent" => intent(&event, at)?,
        "charge" => charge(&event, at)?,
        "refund" => {
            let refund: Refund = parse(&event)?;
            (own_reference(refund.metadata.as_ref()), refund_news(&refund, at)?)
        }
        "dispute" => (None, dispute(&parse(&event)?, at)?),
        _ => (None, nothing(at)),
    };
    Ok(Incoming { foreign: None, kind: event.kind, attempt, observation })
}

fn object_name(kind: &str) -> &str {
    match kind {
        kind if kind.starts_with("charge.dispute.") => "dispute",
        // The same refund as in refund.updated, under its older name.
        "charge.refund.updated" => "refund",
        kind => kind.rsplit_once('.').map_or(kind, |(object, _)| object),
    }
}

/// An event of a connected account, or of the other mode, does not concern this account.
fn foreign(account: &Account, event: &Event<'_>) -> Option<String> {
    if let Some(other) = &event.account {
        return Some(format!("the event belongs to account {other}"));
    }
    let mode = |live| if live { "live" } else { "test" };
    let (theirs, ours) = (mode(event.livemode), mode(account.live));
    (theirs != ours).then(|| format!("a {theirs} mode event for a {ours} mode account"))
}

fn parse<T: DeserializeOwned>(event: &Event<'_>) -> Result<T, Unreadable> {
    serde_json::from_str(event.data.object.get()).map_err(|error| Unreadable(format!("{}: {error}", event.kind)))
}

type Read = (Option<domain::id::AttemptId>, Observation);

fn session(event: &Event<'_>, at: Millis) -> Result<Read, Unreadable> {
    let session: Session = parse(event)?;
    if session.has_odd_amount() {
        return Err(odd_amount());
    }
    let own = own_reference(session.metadata.as_ref());
    let attempt = own.or_else(|| session.client_reference_id.as_deref()?.parse().ok());
    let mut seen = news::of_session(&session, at);
    if event.kind == "checkout.session.async_payment_failed" {
        seen.news = news::async_failure();
    }
    Ok((attempt, seen))
}

fn intent(event: &Event<'_>, at: Millis) -> Result<Read, Unreadable> {
    let intent: Intent = parse(event)?;
    if intent.has_odd_amount() {
        return Err(odd_amount());
    }
    Ok((own_reference(intent.metadata.as_ref()), news::of_intent(&intent, at)))
}

fn odd_amount() -> Unreadable {
    Unreadable("the amount or the currency makes no sense".to_owned())
}

fn charge(event: &Event<'_>, at: Millis) -> Result<Read, Unreadable> {
    let charge: Charge = parse(event)?;
    let captured = money(Some(charge.amount_captured), charge.currency.as_deref());
    let news = match (event.kind.as_str(), captured) {
        ("charge.captured", None) => return Err(odd_amount()),
        ("charge.captured", Some(captured)) => vec![News::Moved(Movement::Captured { total: captured.minor })],
        _ => vec![],
    };
    let debt = money(charge.amount, charge.currency.as_deref());
    let refs = Refs { session: None, payment: charge.payment_intent };
    Ok((
        own_reference(charge.metadata.as_ref()),
        Observation { at, refs, debt, currency: None, modification: None, news },
    ))
}

/// What a refund says, in an event or in a reply.
pub(super) fn refund_news(refund: &Refund, at: Millis) -> Result<Observation, Unreadable> {
    let state = match refund.status.as_deref() {
        Some("succeeded") => EntryState::Succeeded,
        Some("failed" | "canceled") => EntryState::Failed,
        _ => EntryState::Pending,
    };
    let seen = moved(refund.payment_intent.clone(), refund.amount, &refund.currency, at, |amount| Movement::Refund {
        reference: refund.id.clone(),
        amount,
        state,
    })?;
    let mut seen = Observation { modification: own_modification(refund.metadata.as_ref()), ..seen };
    if state.is_failure() {
        seen.news.extend(refund.failure_reason.clone().map(|reason| News::Explained { reason }));
    }
    Ok(seen)
}

/// Bank debits that fail after success arrive as disputes with these reasons (Stripe documentation, ACH Direct Debit).
const BANK_RETURNS: &[&str] =
    &["insufficient_funds", "incorrect_account_details", "bank_cannot_process", "debit_not_authorized"];

fn dispute(dispute: &Dispute, at: Millis) -> Result<Observation, Unreadable> {
    let bank = dispute.payment_method_details.as_ref().and_then(|method| method.kind.as_deref()) != Some("card");
    let returned = bank && dispute.reason.as_deref().is_some_and(|reason| BANK_RETURNS.contains(&reason));
    let state = match dispute.status.as_str() {
        "won" | "warning_closed" | "prevented" => DisputeState::Won,
        "lost" => DisputeState::Lost,
        "warning_needs_response" | "warning_under_review" => DisputeState::Inquiry,
        _ => DisputeState::Open,
    };
    let due = dispute.evidence_details.as_ref().and_then(|details| details.due_by?.checked_mul(SECOND));
    moved(dispute.payment_intent.clone(), dispute.amount, &dispute.currency, at, |amount| {
        let reference = dispute.id.clone();
        if returned {
            Movement::Returned { reference, amount }
        } else {
            Movement::Dispute { reference, amount, state, at, due }
        }
    })
}

fn moved(
    payment: Option<String>,
    amount: i64,
    currency: &str,
    at: Millis,
    movement: impl FnOnce(i64) -> Movement,
) -> Result<Observation, Unreadable> {
    let money = money(Some(amount), Some(currency)).ok_or_else(odd_amount)?;
    let news = vec![News::Moved(movement(money.minor))];
    let refs = Refs { session: None, payment };
    Ok(Observation { at, refs, debt: None, currency: Some(money.currency), modification: None, news })
}

fn nothing(at: Millis) -> Observation {
    Observation { at, refs: Refs::default(), debt: None, currency: None, modification: None, news: vec![] }
}

#[cfg(test)]
mod tests;
