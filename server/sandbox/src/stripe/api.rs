//! The way of every API request: key, version, route, fault, idempotency, operation, expansion, reply.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, Uri, header},
    response::Response,
};
use serde_json::Value;

use super::{
    auth,
    error::ApiError,
    expand, form, idempotency, ids,
    objects::{View, event::Cause},
    operation::{self, Ctx, Operation},
    params::Params,
    payment::Moment,
    reply::{Outgoing, cut, html, refuse, respond},
    state::{Account, Call},
    version,
    webhooks::{ENUMS, PROVIDER, early},
};
use crate::{
    clock,
    control::faults::{Fault, Kind, spoil},
    core::Core,
    idempotency::{Begin, Reply, fingerprint},
};

/// Bytes in a request body.
const BODY: usize = 256 * 1024;

/// One request as it came in.
#[derive(Debug)]
struct Incoming {
    request_id: String,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

/// Answers any request below `/v1`.
pub async fn handle(State(core): State<Arc<Core>>, request: Request) -> Response {
    let request_id = ids::fresh("req_", 14);
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY).await else {
        let error = ApiError::invalid("The request body is too large: at most 256 KB are taken.").status(413);
        return respond(
            &request_id,
            None,
            &HeaderMap::new(),
            &Reply { status: 413, body: error.body(&request_id) }.into(),
        );
    };
    let incoming =
        Incoming { request_id: request_id.clone(), method: parts.method, uri: parts.uri, headers: parts.headers, body };
    // A task of its own: an accepted operation goes on even if the caller hangs up.
    let task = tokio::spawn(async move { process(&core, incoming).await });
    task.await.unwrap_or_else(|_| {
        respond(
            &request_id,
            None,
            &HeaderMap::new(),
            &Reply { status: 500, body: ApiError::internal().body(&request_id) }.into(),
        )
    })
}

async fn process(core: &Core, incoming: Incoming) -> Response {
    let version = requested_version(&incoming.headers);
    let outgoing = match (&auth::key(&incoming.headers), &version) {
        (Err(error), _) | (Ok(_), Err(error)) => refuse(error, &incoming.request_id),
        (Ok(key), Ok(version)) => answer(core, &incoming, key, version).await,
    };
    match outgoing.fault {
        Some(kind) if kind.loses_reply() => cut(),
        Some(Kind::Html502 | Kind::Html200) => html(outgoing.reply.status, &incoming.request_id),
        _ => respond(&incoming.request_id, version.ok().as_deref(), &incoming.headers, &outgoing),
    }
}

/// The caller's version, or the account's.
fn requested_version(headers: &HeaderMap) -> Result<String, ApiError> {
    let Some(value) = headers.get("stripe-version") else {
        return Ok(version::DEFAULT.to_owned());
    };
    let text = value.to_str().unwrap_or_default();
    if version::well_formed(text) {
        return Ok(text.to_owned());
    }
    Err(ApiError::invalid(format!("Invalid Stripe API version: {}", text.chars().take(60).collect::<String>())))
}

/// Finds the operation, applies a fault, carries it out, and keeps a record of the call.
async fn answer(core: &Core, incoming: &Incoming, key: &str, version: &str) -> Outgoing {
    let path = incoming.uri.path().to_owned();
    let found = operation::find(incoming.method.as_str(), &path);
    let name = found.as_ref().map_or("", |(operation, _)| operation.name);
    let fault = if name.is_empty() { None } else { core.faults().take_call(PROVIDER, name, key) };
    let outgoing = match (found, &fault) {
        (Err(error), _) => refuse(&error, &incoming.request_id),
        (Ok(_), Some(fault)) if fault.kind.refuses() => {
            tokio::time::sleep(fault.delay()).await;
            Outgoing { fault: Some(fault.kind), ..refuse(&refusal(fault.kind), &incoming.request_id) }
        }
        (Ok((operation, id)), fault) => {
            let slow = fault.as_ref().filter(|fault| fault.kind == Kind::Slow).map(Fault::delay);
            let mut outgoing = perform(core, incoming, key, version, (operation, id), slow).await;
            if let Some(fault) = fault.as_ref().filter(|fault| fault.kind != Kind::Slow) {
                tokio::time::sleep(fault.delay()).await;
                spoil_reply(&mut outgoing, fault, &incoming.request_id);
            }
            outgoing
        }
    };
    record(core, incoming, key, name, &outgoing, fault.map(|fault| fault.kind));
    outgoing
}

/// What a call is refused with that is not carried out.
fn refusal(kind: Kind) -> ApiError {
    match kind {
        Kind::RateLimit429 => ApiError::rate_limited(),
        Kind::Conflict409 => ApiError::idempotency(
            "There is currently another in-progress request using this Idempotent Key (sandbox fault). \
             Please try again later.",
            409,
        ),
        Kind::Html200 => ApiError::internal().status(200),
        Kind::Html502 => ApiError::internal().status(502),
        Kind::Error503 => ApiError::internal().status(503),
        _ => ApiError::internal(),
    }
}

/// Changes the reply to a call that was carried out; the stored one stays true.
fn spoil_reply(outgoing: &mut Outgoing, fault: &Fault, request_id: &str) {
    outgoing.fault = Some(fault.kind);
    match fault.kind {
        Kind::Error500AfterAccept => outgoing.reply = refuse(&ApiError::internal(), request_id).reply,
        Kind::WrongAmount => spoil::amounts(&mut outgoing.reply.body, fault.delta()),
        Kind::UnknownValue => match outgoing.reply.body.get_mut("error") {
            Some(error) => spoil::unheard_of(error, &["code", "type"]),
            None => spoil::unheard_of(&mut outgoing.reply.body, ENUMS),
        },
        _ => {}
    }
}

fn record(
    core: &Core,
    incoming: &Incoming,
    key: &str,
    operation: &'static str,
    outgoing: &Outgoing,
    fault: Option<Kind>,
) {
    let lost = outgoing.fault.is_some_and(Kind::loses_reply);
    let call = Call {
        request_id: incoming.request_id.clone(),
        at_ms: clock::now_ms(),
        method: incoming.method.to_string(),
        path: incoming.uri.path().to_owned(),
        operation,
        idempotency_key: idempotency_key(incoming),
        status: if lost { 0 } else { outgoing.reply.status },
        replayed: outgoing.replayed,
        fault: fault.map(Kind::as_str),
    };
    if let Some(account) = core.lock().account(key) {
        account.record(call);
    }
}

fn idempotency_key(incoming: &Incoming) -> Option<String> {
    if incoming.method != Method::POST {
        return None;
    }
    incoming.headers.get("idempotency-key").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Takes the idempotency key, runs the operation, keeps the reply.
async fn perform(
    core: &Core,
    incoming: &Incoming,
    key: &str,
    version: &str,
    found: (&'static Operation, &str),
    slow: Option<Duration>,
) -> Outgoing {
    let refuse = |error: ApiError| refuse(&error, &incoming.request_id);
    let params = match params(incoming) {
        Ok(params) => params,
        Err(error) => return refuse(error),
    };
    let given_key = idempotency_key(incoming);
    if let Some(given) = &given_key {
        let path = incoming.uri.path();
        let print = fingerprint(path, &incoming.body);
        let begun = match core.lock().account(key) {
            Some(account) => {
                let begun = account.keys.begin(&idempotency::LIMITS, given, &print, clock::now_ms());
                begun.map_err(|unusable| idempotency::refusal(&unusable, given, path))
            }
            None => Err(ApiError::rate_limited()),
        };
        match begun {
            Ok(Begin::Execute) => {}
            Ok(Begin::Replay(reply)) => {
                return Outgoing { replayed: true, ..reply.into() };
            }
            Err(error) => return refuse(error),
        }
    }
    if let Some(delay) = slow {
        tokio::time::sleep(delay).await;
    }
    let cause = Cause { request: Some(incoming.request_id.clone()), idempotency_key: given_key.clone() };
    let moment = Moment { now_ms: clock::now_ms(), base: &core.base, cause };
    let run = |account: &mut Account| {
        let mark = account.deliveries.mark();
        let result = execute(account, moment, version, found, params);
        let executed = result.as_ref().map_or_else(|error| error.executed, |_| true);
        let reply = result.map_or_else(|error| refuse(error).reply, |body| Reply { status: 200, body });
        match &given_key {
            Some(given) if executed => account.keys.finish(given, reply.clone()),
            Some(given) => account.keys.abandon(given),
            None => {}
        }
        (reply, mark)
    };
    // Reading changes nothing, so it does not cause a save.
    let reply = if incoming.method == Method::GET {
        core.lock().account(key).map(run)
    } else {
        core.change(|state| state.account(key).map(run))
    };
    let Some((reply, mark)) = reply else {
        return refuse(ApiError::rate_limited());
    };
    early::wait(core, mark, |state| state.accounts.get_mut(key)).await;
    reply.into()
}

fn params(incoming: &Incoming) -> Result<Params, ApiError> {
    let json =
        incoming.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if json && !incoming.body.is_empty() {
        return Err(ApiError::invalid(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded).",
        ));
    }
    let mut encoded = incoming.uri.query().unwrap_or_default().as_bytes().to_vec();
    if incoming.method != Method::GET {
        encoded.push(b'&');
        encoded.extend_from_slice(&incoming.body);
    }
    Ok(Params::new(form::parse(&encoded)?))
}

fn execute(
    account: &mut Account,
    moment: Moment<'_>,
    version: &str,
    found: (&'static Operation, &str),
    mut params: Params,
) -> Result<Value, ApiError> {
    let (operation, id) = found;
    let paths = expand::take(&mut params)?;
    let view = View { base: moment.base, version };
    let mut ctx = Ctx { account, moment, version, id };
    let mut reply = (operation.run)(&mut ctx, params)?;
    expand::apply(ctx.account, &view, &paths, &mut reply)
        .map_err(|error| if operation.method == "GET" { error } else { error.after_start() })?;
    Ok(reply)
}
