//! The way of every API request, whoever the provider: key, route, fault, idempotency, operation, reply.

pub mod call;
pub mod reply;

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, Uri},
    response::Response,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    clock,
    control::faults::{Fault, Kind, spoil},
    core::Core,
    delivery::{Sends, early},
    idempotency::{Begin, Limits, Unusable, fingerprint},
    provider::{Account, Provider},
    route::Found,
};
use call::Call;
use reply::Outgoing;

/// Bytes in a request body.
const BODY: usize = 256 * 1024;

/// The provider's part of the way of a request.
pub trait Api: Provider {
    /// How it keeps idempotency keys.
    const LIMITS: Limits;
    /// Its error body.
    type Error: Refusal + Send;
    /// The code of an operation.
    type Run: Send + Sync + 'static;
    /// The content of a request, read before its idempotency key is looked at.
    type Input: Send;

    /// A fresh id of a request.
    fn request_id() -> String;
    /// The key that a request shows, if it may be answered at all.
    fn key(headers: &HeaderMap) -> Result<String, Self::Error>;
    /// The key of the account that a key opens, and whether that key may carry the operation out.
    fn admit(&self, key: &str, _operation: &str) -> (String, Result<(), Self::Error>) {
        (key.to_owned(), Ok(()))
    }
    /// The operation a request is for.
    fn find(incoming: &Incoming) -> Result<Found<'_, Self::Run>, Self::Error>;
    /// The key that makes a repetition harmless.
    fn idempotency_key(incoming: &Incoming) -> Option<String> {
        let key = incoming.headers.get("idempotency-key").filter(|_| incoming.method == Method::POST)?;
        Some(String::from_utf8_lossy(key.as_bytes()).into_owned())
    }
    /// Reads the content of a request.
    fn read(incoming: &Incoming) -> Result<Self::Input, Self::Error>;
    /// The error for an idempotency key that cannot be used for this path.
    fn unusable(unusable: &Unusable, key: &str, path: &str) -> Self::Error;
    /// Runs the operation and keeps the reply under its idempotency key; [`with_account`] finds the account.
    fn run(core: &Core<Self>, asked: Asked<'_, Self>) -> impl Future<Output = Outgoing> + Send;
    /// Puts words nobody has heard of where the body has one of a fixed set.
    fn unheard_of(body: &mut Value);
    /// Makes every amount in the body wrong by so many minor units, where it is not written as most providers do.
    fn wrong_amounts(body: &mut Value, delta: i64) {
        spoil::amounts(body, delta);
    }
    /// The reply on the wire.
    fn respond(request_id: &str, asked: &HeaderMap, outgoing: &Outgoing) -> Response;
}

/// A provider's error, with those that any request may meet.
pub trait Refusal: Sized {
    /// A body that is too large.
    fn too_large() -> Self;
    /// Too many calls.
    fn rate_limited() -> Self;
    /// The same idempotency key is being worked on, or so a fault has it.
    fn in_progress() -> Self;
    /// An error on the provider's side.
    fn internal() -> Self;
    /// The merchant's balance does not cover it, where the provider says so at once.
    fn insufficient_balance() -> Self {
        Self::internal()
    }
    /// Replaces the HTTP status.
    fn status(self, status: u16) -> Self;
    /// The reply it makes.
    fn refuse(&self, request_id: &str) -> Outgoing;
}

/// One request as it came in.
#[derive(Debug)]
pub struct Incoming {
    /// Made up for it.
    pub request_id: String,
    /// HTTP method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// As sent.
    pub headers: HeaderMap,
    /// As sent.
    pub body: Bytes,
}

/// A request that is to be carried out.
#[derive(Debug)]
pub struct Asked<'a, P: Api> {
    /// As it came in.
    pub incoming: &'a Incoming,
    /// The account's key.
    pub key: &'a str,
    /// The operation and the id in the path.
    pub found: Found<'a, P::Run>,
    /// What it says.
    pub input: P::Input,
    /// The idempotency key that was taken for it.
    pub given_key: Option<String>,
}

/// Answers any request below the API's root.
pub async fn handle<P: Api>(State(core): State<Arc<Core<P>>>, request: Request) -> Response {
    let request_id = P::request_id();
    let refuse = |error: P::Error| P::respond(&request_id, &HeaderMap::new(), &error.refuse(&request_id));
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY).await else {
        return refuse(P::Error::too_large());
    };
    let incoming =
        Incoming { request_id: request_id.clone(), method: parts.method, uri: parts.uri, headers: parts.headers, body };
    // A task of its own: an accepted operation goes on even if the caller hangs up.
    let task = tokio::spawn(async move { process::<P>(&core, incoming).await });
    task.await.unwrap_or_else(|_| refuse(P::Error::internal()))
}

async fn process<P: Api>(core: &Core<P>, incoming: Incoming) -> Response {
    let outgoing = match P::key(&incoming.headers) {
        Err(error) => error.refuse(&incoming.request_id),
        Ok(key) => answer::<P>(core, &incoming, &key).await,
    };
    match outgoing.fault {
        Some(kind) if kind.loses_reply() => reply::cut(),
        Some(Kind::Html502 | Kind::Html200) => reply::html(outgoing.reply.status, &incoming.request_id),
        _ => P::respond(&incoming.request_id, &incoming.headers, &outgoing),
    }
}

/// Finds the operation, applies a fault, carries it out, and keeps a record of the call.
async fn answer<P: Api>(core: &Core<P>, incoming: &Incoming, key: &str) -> Outgoing {
    let found = P::find(incoming);
    let name = found.as_ref().map_or("", |(operation, _)| operation.name);
    let (key, admitted) = core.lock().admit(key, name);
    let key = key.as_str();
    let strikes = !name.is_empty() && admitted.is_ok();
    let fault = if strikes { core.shared.faults.take_call(P::ABOUT.name, name, key) } else { None };
    let outgoing = match (found.and_then(|found| admitted.map(|()| found)), &fault) {
        (Err(error), _) => error.refuse(&incoming.request_id),
        (Ok(_), Some(fault)) if fault.kind.refuses() => {
            tokio::time::sleep(fault.delay()).await;
            Outgoing { fault: Some(fault.kind), ..refusal::<P::Error>(fault.kind).refuse(&incoming.request_id) }
        }
        (Ok(found), fault) => carry_out::<P>(core, incoming, key, found, fault.as_ref()).await,
    };
    record::<P>(core, incoming, key, name, &outgoing, fault.map(|fault| fault.kind));
    outgoing
}

/// What a call is refused with that is not carried out.
fn refusal<E: Refusal>(kind: Kind) -> E {
    match kind {
        Kind::RateLimit429 => E::rate_limited(),
        Kind::Conflict409 => E::in_progress(),
        Kind::InsufficientBalance => E::insufficient_balance(),
        Kind::Html200 => E::internal().status(200),
        Kind::Html502 => E::internal().status(502),
        Kind::Error503 => E::internal().status(503),
        _ => E::internal(),
    }
}

/// Carries an operation out, late or with a reply that does not tell; the stored reply stays true.
async fn carry_out<P: Api>(
    core: &Core<P>,
    incoming: &Incoming,
    key: &str,
    found: Found<'_, P::Run>,
    fault: Option<&Fault>,
) -> Outgoing {
    if let Some(fault) = fault.filter(|fault| fault.kind == Kind::Error500Stored) {
        tokio::time::sleep(fault.delay()).await;
        return Outgoing { fault: Some(fault.kind), ..break_down::<P>(core, incoming, key) };
    }
    let slow = fault.filter(|fault| fault.kind == Kind::Slow).map(Fault::delay);
    let mut outgoing = perform::<P>(core, incoming, key, found, slow).await;
    if let Some(fault) = fault.filter(|fault| fault.kind != Kind::Slow) {
        tokio::time::sleep(fault.delay()).await;
        outgoing.fault = Some(fault.kind);
        match fault.kind {
            Kind::Error500AfterAccept => outgoing.reply = P::Error::internal().refuse(&incoming.request_id).reply,
            Kind::WrongAmount => P::wrong_amounts(&mut outgoing.reply.body, fault.delta()),
            Kind::UnknownValue => P::unheard_of(&mut outgoing.reply.body),
            _ => {}
        }
    }
    outgoing
}

/// Takes the idempotency key and runs the operation, unless the reply is known.
async fn perform<P: Api>(
    core: &Core<P>,
    incoming: &Incoming,
    key: &str,
    found: Found<'_, P::Run>,
    slow: Option<Duration>,
) -> Outgoing {
    let refuse = |error: P::Error| error.refuse(&incoming.request_id);
    let input = match P::read(incoming) {
        Ok(input) => input,
        Err(error) => return refuse(error),
    };
    let given_key = P::idempotency_key(incoming);
    if let Some(given) = &given_key {
        match begin::<P>(core, incoming, key, given) {
            Ok(Begin::Execute) => {}
            Ok(Begin::Replay(reply)) => return Outgoing { replayed: true, ..reply.into() },
            Err(error) => return refuse(error),
        }
    }
    if let Some(delay) = slow {
        tokio::time::sleep(delay).await;
    }
    P::run(core, Asked { incoming, key, found, input, given_key }).await
}

/// Breaks down in the middle of the work. Nothing comes of it, and the error is what the idempotency key is answered with from now
/// on: some providers keep the first reply, whatever it is. A key that has its reply already is answered with that.
fn break_down<P: Api>(core: &Core<P>, incoming: &Incoming, key: &str) -> Outgoing {
    let refuse = |error: P::Error| error.refuse(&incoming.request_id);
    if let Err(error) = P::read(incoming) {
        return refuse(error);
    }
    let broken = refuse(P::Error::internal());
    let Some(given) = P::idempotency_key(incoming) else { return broken };
    match begin::<P>(core, incoming, key, &given) {
        Ok(Begin::Execute) => {}
        Ok(Begin::Replay(reply)) => return Outgoing { replayed: true, ..reply.into() },
        Err(error) => return refuse(error),
    }
    let reply = broken.reply.clone();
    core.change(|state| {
        if let Some(account) = state.accounts_mut().open(key) {
            account.common_mut().keys.finish(&given, reply);
        }
    });
    broken
}

/// Does something with the account of a key, then waits for deliveries that are to beat the reply. Nothing when there are too
/// many accounts.
pub async fn with_account<P: Provider, R>(
    core: &Core<P>,
    method: &Method,
    key: &str,
    act: impl FnOnce(&mut P::Account) -> R,
) -> Option<R> {
    // Reading changes nothing, so it does not cause a save.
    if method == Method::GET {
        return core.lock().accounts_mut().open(key).map(act);
    }
    let (result, mark) = core.change(|state| {
        let account = state.accounts_mut().open(key)?;
        let mark = account.deliveries().mark();
        Some((act(account), mark))
    })?;
    early(core, mark, |state| state.accounts_mut().get_mut(key)).await;
    Some(result)
}

/// Takes an idempotency key.
fn begin<P: Api>(core: &Core<P>, incoming: &Incoming, key: &str, given: &str) -> Result<Begin, P::Error> {
    let path = incoming.uri.path();
    let print = fingerprint(path, &incoming.body);
    let mut state = core.lock();
    let account = state.accounts_mut().open(key).ok_or_else(P::Error::rate_limited)?;
    let begun = account.common_mut().keys.begin(&P::LIMITS, given, &print, clock::now_ms());
    begun.map_err(|unusable| P::unusable(&unusable, given, path))
}

fn record<P: Api>(
    core: &Core<P>,
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
        idempotency_key: P::idempotency_key(incoming),
        body_sha256: hex::encode(Sha256::digest(&incoming.body)),
        status: if lost { 0 } else { outgoing.reply.status },
        replayed: outgoing.replayed,
        fault: fault.map(Kind::as_str),
    };
    if let Some(account) = core.lock().accounts_mut().open(key) {
        account.common_mut().calls.record(call);
    }
}
