//! Stripe's events: splits a delivery for the inbox, and reads events into observations.

use bytes::Bytes;
use domain::id::AttemptId;
use domain::payment::{DisputeState, EntryState, Movement, News, Observation, Refs};
use domain::{Millis, SECOND};
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::api::{request, succeeded};
use super::news;
use super::object::{
    Charge, Dispute, Intent, Metadata, Refund, Session, money, own_account, own_modification, own_reference,
};
use super::release::{self, Cause};
use crate::connector::{Account, EventsSpec, Fail, Outcome, Wire};
use crate::delivery::{Foreign, Incoming, Item, Unreadable};
use crate::http::{HttpRequest, HttpResponse};
use crate::text::{event_id, nameless, plain};

#[derive(Deserialize)]
struct Head {
    id: String,
}

/// An event that names its object without showing it, as newer parts of Stripe send them (Stripe documentation, Thin events). No thin event
/// is about a payment of Till.
#[derive(Deserialize)]
struct Thin {
    object: String,
    #[serde(rename = "type")]
    kind: String,
}

const THIN: &str = "v2.core.event";

#[derive(Deserialize)]
struct Event<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    livemode: bool,
    account: Option<String>,
    #[serde(default)]
    request: Cause,
    /// The API version of the event's shape: the endpoint's or the account's.
    api_version: Option<String>,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Splits a delivery, which is one event. It is authentic, so it is stored even if it is no event at all.
pub(super) fn split(body: &Bytes) -> Vec<Item> {
    vec![item(id(body).as_deref(), body)]
}

fn id(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Head>(body).ok().map(|head| head.id)
}

fn item(id: Option<&str>, body: &Bytes) -> Item {
    let event = id.filter(|id| !id.is_empty()).map_or_else(|| nameless(body), event_id);
    Item { event, body: body.clone() }
}

/// Splits a delivery and reads its event in one pass, because most of the time goes into finding where the parts of an event end.
pub(super) fn split_and_read(account: &Account, body: &Bytes) -> Vec<(Item, Option<Incoming>)> {
    let Ok(event) = serde_json::from_slice::<Event<'_>>(body) else {
        let read = |item: Item| {
            let reading = thin(&item.body);
            (item, reading)
        };
        return split(body).into_iter().map(read).collect();
    };
    let item = item(Some(&event.id), body);
    vec![(item, interpret(account, event).ok())]
}

/// Lists events since a time, newest first. Stripe keeps events for thirty days (API reference, Events).
pub(super) fn list(account: &Account, spec: &EventsSpec) -> Result<HttpRequest, Fail> {
    let since = spec.since / SECOND;
    let cursor = spec.cursor.as_ref().map_or_else(String::new, |id| format!("&starting_after={id}"));
    // The last second is included.
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
    let items = page.data.iter().flat_map(|event| split(&Bytes::copy_from_slice(event.get().as_bytes()))).collect();
    let last = page.data.last().filter(|_| page.has_more);
    let cursor = last.map(|last| id(last.get().as_bytes()).ok_or_else(|| unreadable(&"the last one has no id")));
    Ok(Wire::Done(Outcome::Events { items, cursor: cursor.transpose()? }))
}

pub(super) fn read(account: &Account, item: &[u8]) -> Result<Incoming, Unreadable> {
    match serde_json::from_slice(item) {
        Ok(event) => interpret(account, event),
        Err(error) => thin(item).ok_or_else(|| Unreadable(error.to_string())),
    }
}

fn thin(item: &[u8]) -> Option<Incoming> {
    let thin = serde_json::from_slice::<Thin>(item).ok().filter(|thin| thin.object == THIN)?;
    let observation = Observation::default();
    Some(Incoming { kind: plain(thin.kind), foreign: None, doubt: None, attempt: None, observation })
}

fn interpret(account: &Account, event: Event<'_>) -> Result<Incoming, Unreadable> {
    let at = event.created.checked_mul(SECOND).ok_or_else(|| Unreadable("impossible time".to_owned()))?;
    let mut foreign = foreign(account, &event);
    let seen = if foreign.is_some() { Seen::nothing(at) } else { see(&event, at)? };
    let kind = plain(event.kind);
    foreign = foreign.or_else(|| elsewhere(account, seen.account.as_deref()));
    if foreign.is_some() {
        let observation = nothing(at);
        return Ok(Incoming { kind, foreign, doubt: None, attempt: None, observation });
    }
    Ok(Incoming { kind, foreign: None, doubt: seen.doubt, attempt: seen.attempt, observation: seen.observation })
}

/// The content of an event.
struct Seen {
    attempt: Option<AttemptId>,
    /// The account of Till for which the object was made, if the object names one.
    account: Option<String>,
    doubt: Option<String>,
    observation: Observation,
}

impl Seen {
    fn nothing(at: Millis) -> Seen {
        Seen { attempt: None, account: None, doubt: None, observation: nothing(at) }
    }

    fn of(metadata: Option<&Metadata>, observation: Result<Observation, Doubt>) -> Seen {
        let (doubt, observation) = match observation {
            Ok(observation) => (None, observation),
            Err(doubt) => (Some(doubt.why), Observation { at: doubt.at, refs: doubt.refs, ..Observation::default() }),
        };
        Seen { attempt: own_reference(metadata), account: own_account(metadata).cloned(), doubt, observation }
    }
}

/// The reason why an event must not be applied, and the payment it is about.
pub(super) struct Doubt {
    pub why: String,
    at: Millis,
    refs: Refs,
}

fn see(event: &Event<'_>, at: Millis) -> Result<Seen, Unreadable> {
    Ok(match object_name(&event.kind) {
        "checkout.session" => session(event, at)?,
        "payment_intent" => intent(event, at)?,
        "charge" => charge(event, at)?,
        "refund" => {
            let refund: Refund = parse(event)?;
            Seen::of(refund.metadata.as_ref(), refunded(&refund, &event.request, at))
        }
        "dispute" => Seen::of(None, dispute(&parse(event)?, at)),
        _ => Seen::nothing(at),
    })
}

fn object_name(kind: &str) -> &str {
    match kind {
        kind if kind.starts_with("charge.dispute.") => "dispute",
        // The older name of refund.updated, with the same refund.
        "charge.refund.updated" => "refund",
        kind => kind.rsplit_once('.').map_or(kind, |(object, _)| object),
    }
}

/// Whether an event belongs to a connected account or to the other mode. Such an event does not concern this account.
fn foreign(account: &Account, event: &Event<'_>) -> Option<Foreign> {
    if let Some(other) = &event.account {
        return Some(Foreign::neighbour(format!("the event belongs to account {}", plain(other.clone()))));
    }
    (event.livemode != account.live).then(|| Foreign::other_mode(account.live))
}

/// Whether the payment belongs to another account of Till. Several accounts, also of several installations, can share a Stripe account.
fn elsewhere(account: &Account, named: Option<&str>) -> Option<Foreign> {
    let other = named.filter(|named| *named != account.id.as_str())?;
    let other = plain(other.chars().take(80).collect());
    Some(Foreign::neighbour(format!("the payment belongs to account {other} of Till")))
}

fn parse<T: DeserializeOwned>(event: &Event<'_>) -> Result<T, Unreadable> {
    serde_json::from_str(event.data.object.get()).map_err(|error| Unreadable(format!("{}: {error}", event.kind)))
}

fn session(event: &Event<'_>, at: Millis) -> Result<Seen, Unreadable> {
    let session: Session = parse(event)?;
    let mut observation = news::of_session(&session, at);
    if event.kind == "checkout.session.async_payment_failed" {
        observation.news = news::async_failure();
    }
    let observation = certain(session.has_odd_amount(), observation);
    let seen = Seen::of(session.metadata.as_ref(), observation);
    let named = session.client_reference_id.as_deref();
    let attempt = seen.attempt.clone().or_else(|| named?.parse().ok());
    // A session keeps the reference that it was opened with, so another shop opened this session.
    if attempt.is_none() && named.is_some() {
        return Ok(Seen { account: seen.account, ..Seen::nothing(at) });
    }
    Ok(Seen { attempt, ..seen })
}

fn intent(event: &Event<'_>, at: Millis) -> Result<Seen, Unreadable> {
    let intent: Intent = parse(event)?;
    Ok(Seen::of(intent.metadata.as_ref(), certain(intent.has_odd_amount(), news::of_intent(&intent, at))))
}

/// An observation, unless its amounts make no sense. With senseless amounts no part of the event may be used.
fn certain(odd: bool, seen: Observation) -> Result<Observation, Doubt> {
    if odd { Err(odd_amount(seen.at, seen.refs)) } else { Ok(seen) }
}

fn odd_amount(at: Millis, refs: Refs) -> Doubt {
    Doubt { why: "the amount or the currency makes no sense".to_owned(), at, refs }
}

fn charge(event: &Event<'_>, at: Millis) -> Result<Seen, Unreadable> {
    let charge: Charge = parse(event)?;
    let refs = Refs { session: None, payment: charge.payment_intent.clone() };
    let debt = money(charge.amount, charge.currency.as_deref());
    let seen = Observation { at, refs, debt, currency: None, modification: None, news: vec![] };
    let observation = match event.kind.as_str() {
        "charge.captured" => captured(&charge, seen),
        "charge.refunded" => refunds_within(event, &charge, seen),
        _ => Ok(seen),
    };
    Ok(Seen::of(charge.metadata.as_ref(), observation))
}

fn captured(charge: &Charge, seen: Observation) -> Result<Observation, Doubt> {
    let Some(captured) = charge.amount_captured else { return Ok(seen) };
    match money(Some(captured), charge.currency.as_deref()) {
        Some(captured) => {
            Ok(Observation { news: vec![News::Moved(Movement::Captured { total: captured.minor })], ..seen })
        }
        None => Err(odd_amount(seen.at, seen.refs)),
    }
}

/// From this API version on, each refund has events of its own (Stripe changelog 2024-10-28.acacia).
const REFUNDS_TOLD: &str = "2024-10-28";

/// The refunds in a charge's event. Before [`REFUNDS_TOLD`] only the charge reports a refund made in the dashboard: with the refunds
/// inside, or without naming them.
fn refunds_within(event: &Event<'_>, charge: &Charge, seen: Observation) -> Result<Observation, Doubt> {
    let version = event.api_version.as_deref().filter(|version| *version < REFUNDS_TOLD);
    let Some(version) = version else { return Ok(seen) };
    if let Some(refunds) = &charge.refunds {
        let mut news = vec![];
        for refund in &refunds.data {
            news.extend(refunded(refund, &event.request, seen.at)?.news);
        }
        return Ok(Observation { news, ..seen });
    }
    // The reply to our own request reports its result.
    if event.request.modification().is_some() {
        return Ok(seen);
    }
    let captured = charge.amount_captured.unwrap_or_default();
    let released = charge.amount.unwrap_or_default().saturating_sub(captured);
    if charge.amount_refunded.unwrap_or_default() <= released {
        return Ok(seen);
    }
    let version: String = plain(version.chars().take(40).collect());
    let why = format!(
        "with API version {version} Stripe does not say which refund it tells of; give the webhook endpoint version \
         2025-03-31.basil or a newer one"
    );
    Err(Doubt { why, at: seen.at, refs: seen.refs })
}

/// The observation of a refund in an event.
fn refunded(refund: &Refund, cause: &Cause, at: Millis) -> Result<Observation, Doubt> {
    let seen = refund_news(refund, at)?;
    Ok(if release::is_release(refund, cause) { Observation { news: release::news(refund), ..seen } } else { seen })
}

/// The observation of a refund, in an event or in a reply.
pub(super) fn refund_news(refund: &Refund, at: Millis) -> Result<Observation, Doubt> {
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

/// The reasons of disputes that report a bank debit's failure after success (Stripe documentation, ACH Direct Debit).
const BANK_RETURNS: &[&str] =
    &["insufficient_funds", "incorrect_account_details", "bank_cannot_process", "debit_not_authorized"];

fn dispute(dispute: &Dispute, at: Millis) -> Result<Observation, Doubt> {
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
            Movement::Dispute { reference, amount, state, at, due, part: false, dated: None }
        }
    })
}

fn moved(
    payment: Option<String>,
    amount: i64,
    currency: &str,
    at: Millis,
    movement: impl FnOnce(i64) -> Movement,
) -> Result<Observation, Doubt> {
    let refs = Refs { session: None, payment };
    let Some(money) = money(Some(amount), Some(currency)) else { return Err(odd_amount(at, refs)) };
    let news = vec![News::Moved(movement(money.minor))];
    Ok(Observation { at, refs, debt: None, currency: Some(money.currency), modification: None, news })
}

fn nothing(at: Millis) -> Observation {
    Observation { at, refs: Refs::default(), debt: None, currency: None, modification: None, news: vec![] }
}

#[cfg(test)]
mod tests;
