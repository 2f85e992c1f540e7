//! The way of every API request: key, route, fault, idempotency, operation, reply.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, Uri, header},
    response::Response,
    routing::any,
};

use super::{
    auth,
    error::ApiError,
    idempotency, ids,
    notify::{PROVIDER, early},
    operation::{self, Ctx, Operation},
    reply::{Outgoing, refuse, respond},
    state::{Account, Call},
};
use crate::{
    clock,
    control::faults::{Fault, Kind, spoil},
    core::Core,
    idempotency::{Begin, Reply, fingerprint},
    stripe::reply::{cut, html},
};

/// Bytes in a request body.
const BODY: usize = 256 * 1024;

/// The versions that are alike as far as this sandbox goes.
const VERSIONS: [&str; 2] = ["/adyen/v71/", "/adyen/v72/"];

/// The API's addresses.
pub fn router() -> Router<Arc<Core>> {
    Router::new().route("/adyen/v71/{*path}", any(handle)).route("/adyen/v72/{*path}", any(handle))
}

/// One request as it came in.
#[derive(Debug)]
struct Incoming {
    request_id: String,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Incoming {
    fn idempotency_key(&self) -> Option<String> {
        let key = self.headers.get("idempotency-key").filter(|_| self.method == Method::POST)?;
        Some(String::from_utf8_lossy(key.as_bytes()).into_owned())
    }
}

async fn handle(State(core): State<Arc<Core>>, request: Request) -> Response {
    let request_id = ids::psp();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY).await else {
        return respond(&request_id, &HeaderMap::new(), &refuse(&ApiError::too_large(), &request_id));
    };
    let incoming =
        Incoming { request_id: request_id.clone(), method: parts.method, uri: parts.uri, headers: parts.headers, body };
    // A task of its own: an accepted operation goes on even if the caller hangs up.
    let task = tokio::spawn(async move { process(&core, incoming).await });
    task.await.unwrap_or_else(|_| respond(&request_id, &HeaderMap::new(), &refuse(&ApiError::internal(), &request_id)))
}

async fn process(core: &Core, incoming: Incoming) -> Response {
    let outgoing = match auth::key(&incoming.headers) {
        Err(error) => refuse(&error, &incoming.request_id),
        Ok(key) => answer(core, &incoming, &key).await,
    };
    match outgoing.fault {
        Some(kind) if kind.loses_reply() => cut(),
        Some(Kind::Html502 | Kind::Html200) => html(outgoing.reply.status, &incoming.request_id),
        _ => respond(&incoming.request_id, &incoming.headers, &outgoing),
    }
}

/// Finds the operation, applies a fault, carries it out, and keeps a record of the call.
async fn answer(core: &Core, incoming: &Incoming, key: &str) -> Outgoing {
    let path = incoming.uri.path().to_owned();
    let below = VERSIONS.iter().find_map(|version| path.strip_prefix(version)).unwrap_or_default();
    let (found, name) = match operation::find(incoming.method.as_str(), below) {
        Ok(found) => (Ok(found), found.0.name),
        Err(error) => (Err(error), ""),
    };
    let fault = if name.is_empty() { None } else { core.faults().take_call(PROVIDER, name, key) };
    let outgoing = match (found, &fault) {
        (Err(error), _) => refuse(&error, &incoming.request_id),
        (Ok(_), Some(fault)) if fault.kind.refuses() => {
            tokio::time::sleep(fault.delay()).await;
            Outgoing { fault: Some(fault.kind), ..refuse(&refusal(fault.kind), &incoming.request_id) }
        }
        (Ok(found), fault) => carry_out(core, incoming, key, found, fault.as_ref()).await,
    };
    record(core, incoming, key, name, &outgoing, fault.map(|fault| fault.kind));
    outgoing
}

/// What a call is refused with that is not carried out.
fn refusal(kind: Kind) -> ApiError {
    match kind {
        Kind::RateLimit429 => ApiError::rate_limited(),
        Kind::Conflict409 => ApiError::in_progress(),
        Kind::Html200 => ApiError::internal().status(200),
        Kind::Html502 => ApiError::internal().status(502),
        Kind::Error503 => ApiError::internal().status(503),
        _ => ApiError::internal(),
    }
}

/// Carries an operation out, late or with a reply that does not tell.
async fn carry_out(
    core: &Core,
    incoming: &Incoming,
    key: &str,
    found: (&'static Operation, &str),
    fault: Option<&Fault>,
) -> Outgoing {
    let slow = fault.filter(|fault| fault.kind == Kind::Slow).map(Fault::delay);
    let mut outgoing = perform(core, incoming, key, found, slow).await;
    if let Some(fault) = fault.filter(|fault| fault.kind != Kind::Slow) {
        tokio::time::sleep(fault.delay()).await;
        outgoing.fault = Some(fault.kind);
        match fault.kind {
            Kind::Error500AfterAccept => outgoing.reply = refuse(&ApiError::internal(), &incoming.request_id).reply,
            Kind::WrongAmount => spoil::amounts(&mut outgoing.reply.body, fault.delta()),
            Kind::UnknownValue => spoil::unheard_of(&mut outgoing.reply.body, &["status", "errorCode", "errorType"]),
            _ => {}
        }
    }
    outgoing
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
        idempotency_key: incoming.idempotency_key(),
        status: if lost { 0 } else { outgoing.reply.status },
        replayed: outgoing.replayed,
        fault: fault.map(Kind::as_str),
    };
    if let Some(account) = core.lock().adyen.account(key) {
        account.record(call);
    }
}

/// Takes the idempotency key, runs the operation, keeps the reply.
async fn perform(
    core: &Core,
    incoming: &Incoming,
    key: &str,
    found: (&'static Operation, &str),
    slow: Option<Duration>,
) -> Outgoing {
    let refuse = |error: ApiError| refuse(&error, &incoming.request_id);
    let kind = incoming.headers.get(header::CONTENT_TYPE);
    if !incoming.body.is_empty() && !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        return refuse(ApiError::media_type());
    }
    let given_key = incoming.idempotency_key();
    if let Some(given) = &given_key {
        let print = fingerprint(incoming.uri.path(), &incoming.body);
        let begun = match core.lock().adyen.account(key) {
            Some(account) => {
                let begun = account.keys.begin(&idempotency::LIMITS, given, &print, clock::now_ms());
                begun.map_err(|unusable| idempotency::refusal(&unusable))
            }
            None => Err(ApiError::rate_limited()),
        };
        match begun {
            Ok(Begin::Execute) => {}
            Ok(Begin::Replay(reply)) => return Outgoing { replayed: true, ..reply.into() },
            Err(error) => return refuse(error),
        }
    }
    if let Some(delay) = slow {
        tokio::time::sleep(delay).await;
    }
    let (operation, id) = found;
    let run = |account: &mut Account| {
        let query = incoming.uri.query().unwrap_or_default();
        let now_ms = clock::now_ms();
        let mut ctx = Ctx { account, now_ms, base: &core.base, id, body: &incoming.body, query };
        let reply = match (operation.run)(&mut ctx) {
            Ok((status, body)) => Reply { status, body },
            Err(error) => refuse(error).reply,
        };
        if let Some(given) = &given_key {
            account.keys.finish(given, reply.clone());
        }
        reply
    };
    // Reading changes nothing, so it does not cause a save.
    let reply = if incoming.method == Method::GET {
        core.lock().adyen.account(key).map(run)
    } else {
        let answered = core.change(|state| Some(state.adyen.account(key)?.answering(run)));
        if let Some((_, mark)) = answered {
            early::wait(core, mark, |adyen| adyen.accounts.get_mut(key)).await;
        }
        answered.map(|(reply, _)| reply)
    };
    reply.map_or_else(|| refuse(ApiError::rate_limited()), Outgoing::from)
}
