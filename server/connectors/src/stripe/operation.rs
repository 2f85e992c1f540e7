//! Operations on Checkout Sessions, and the meaning of their replies.

use domain::payment::{Handoff, Refs};
use domain::{MINUTE, Millis, SECOND};
use http::Method;

use super::api::{post, request, success};
use super::object::{Expandable, List, Session};
use super::{event, modify, news, open};
use crate::connector::{Account, Fail, Operation, Outcome, Target, Wire};
use crate::http::{HttpRequest, HttpResponse};

const CREATE: &str = "checkout.sessions.create";
const RETRIEVE: &str = "checkout.sessions.retrieve";
const EXPIRE: &str = "checkout.sessions.expire";
const LIST: &str = "checkout.sessions.list";
/// The most by which Stripe's clock may lag ours in a search for sessions.
const SEARCH_MARGIN: Millis = 5 * MINUTE;

pub(super) fn begin(account: &Account, operation: &Operation, key: &str) -> Result<HttpRequest, Fail> {
    match operation {
        Operation::Open(spec) => {
            post(account, CREATE, "/v1/checkout/sessions".to_owned(), open::form(account, spec)?, Some(key))
        }
        Operation::Fetch(target) => retrieve(account, target),
        Operation::Close(target) => {
            let path = format!("/v1/checkout/sessions/{}/expire", session_ref(target)?);
            // A second expiry does no harm. With an idempotency key Stripe would repeat a stored error for a day.
            post(account, EXPIRE, path, String::new(), None)
        }
        Operation::Find(target) => search(account, target, None),
        Operation::Modify(spec) => modify::begin(account, spec, key),
        Operation::FindModification(spec) => modify::find(account, spec),
        Operation::Events(spec) => event::list(account, spec),
    }
}

pub(super) fn resume(
    account: &Account,
    operation: &Operation,
    sent: &HttpRequest,
    reply: &HttpResponse,
    now: Millis,
) -> Result<Wire, Fail> {
    match operation {
        Operation::Modify(spec) => return modify::resume(account, spec, sent, reply, now),
        Operation::FindModification(spec) => return modify::found(spec, reply, now),
        Operation::Events(_) => return event::listed(reply),
        Operation::Find(target) if sent.name == LIST => return found(account, target, reply),
        _ => {}
    }
    if let (Operation::Close(target), EXPIRE, 400 | 404 | 409 | 500..) = (operation, sent.name, reply.status) {
        // The session is no longer open, or the reply proves nothing, so the session's current status decides.
        return retrieve(account, target).map(Wire::Send);
    }
    let session: Session = success(reply)?;
    if matches!(operation, Operation::Find(_)) && session.status.as_deref() == Some("open") {
        return opened(session).map(Wire::Done);
    }
    let intent_is_odd = matches!(&session.payment_intent, Some(Expandable::Object(intent)) if intent.has_odd_amount());
    if session.has_odd_amount() || intent_is_odd {
        return Err(Fail::Unsure("the amount or the currency makes no sense".to_owned()));
    }
    if matches!(operation, Operation::Close(_)) && session.status.as_deref() == Some("open") {
        return Err(Fail::Unsure("the page is still open".to_owned()));
    }
    match operation {
        Operation::Open(_) => opened(session),
        _ => Ok(Outcome::Observed(news::of_session(&session, now))),
    }
    .map(Wire::Done)
}

fn opened(session: Session) -> Result<Outcome, Fail> {
    let url = session.url.ok_or_else(|| Fail::Unsure("the session has no url".to_owned()))?;
    let until = session.expires_at.and_then(|seconds| seconds.checked_mul(SECOND));
    let refs = Refs { session: Some(session.id), payment: None };
    Ok(Outcome::Opened { refs, handoff: Handoff::Redirect { url }, until })
}

/// The longest time between the attempt and the creation of its session, far longer than its request is repeated. Without this limit, the
/// later sessions of a busy account would make the search ever longer.
const SEARCH_SPAN: Millis = 15 * MINUTE;

/// Lists the sessions made around the time of the attempt, newest first. Stripe's clock may differ from ours by some minutes.
fn search(account: &Account, target: &Target, after: Option<&str>) -> Result<HttpRequest, Fail> {
    let since = (target.created - SEARCH_MARGIN) / SECOND;
    let until = (target.created + SEARCH_SPAN + SEARCH_MARGIN) / SECOND;
    let cursor = after.map_or_else(String::new, |id| format!("&starting_after={id}"));
    let path = format!("/v1/checkout/sessions?limit=100&created[gte]={since}&created[lte]={until}{cursor}");
    request(account, LIST, Method::GET, path, String::new())
}

fn found(account: &Account, target: &Target, reply: &HttpResponse) -> Result<Wire, Fail> {
    let page: List<Session> = success(reply)?;
    let ours = |session: &&Session| session.client_reference_id.as_deref() == Some(target.attempt.as_str());
    if let Some(session) = page.data.iter().find(ours) {
        let refs = Refs { session: Some(session.id.clone()), payment: None };
        return retrieve(account, &Target { refs, ..target.clone() }).map(Wire::Send);
    }
    match page.data.last().filter(|_| page.has_more) {
        Some(last) => search(account, target, Some(&last.id)).map(Wire::Send),
        None => Ok(Wire::Done(Outcome::NotFound)),
    }
}

fn session_ref(target: &Target) -> Result<&str, Fail> {
    let reference = target.refs.session.as_deref();
    reference.ok_or_else(|| Fail::Unsupported("the attempt has no Checkout Session yet".to_owned()))
}

fn retrieve(account: &Account, target: &Target) -> Result<HttpRequest, Fail> {
    let path = format!("/v1/checkout/sessions/{}?expand[]=payment_intent", session_ref(target)?);
    request(account, RETRIEVE, Method::GET, path, String::new())
}

#[cfg(test)]
mod tests;
