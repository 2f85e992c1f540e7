//! The steps of every API request at every provider: key, route, fault, idempotency, operation, reply.

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

/// The most bytes of a request body.
const BODY: usize = 256 * 1024;

/// A provider's own steps in the handling of an API request.
pub trait Api: Provider {
    /// The provider's limits of idempotency keys.
    const LIMITS: Limits;
    /// The provider's error body.
    type Error: Refusal + Send;
    /// The code of an operation.
    type Run: Send + Sync + 'static;
    /// The content of a request. It is read before the idempotency key is looked up.
    type Input: Send;

    /// A new request id.
    fn request_id() -> String;
    /// The API key of a request, if the request may be answered at all.
    fn key(headers: &HeaderMap) -> Result<String, Self::Error>;
    /// The account's key that an API key opens, and whether the API key may carry the operation out.
    fn admit(&self, key: &str, _operation: &str) -> (String, Result<(), Self::Error>) {
        (key.to_owned(), Ok(()))
    }
    /// The operation of a request.
    fn find(incoming: &Incoming) -> Result<Found<'_, Self::Run>, Self::Error>;
    /// The request's idempotency key.
    fn idempotency_key(incoming: &Incoming) -> Option<String> {
        let key = incoming.headers.get("idempotency-key").filter(|_| incoming.method == Method::POST)?;
        Some(String::from_utf8_lossy(key.as_bytes()).into_owned())
    }
    /// Reads the content of a request.
    fn read(incoming: &Incoming) -> Result<Self::Input, Self::Error>;
    /// The error for an idempotency key that cannot be used for this path.
    fn unusable(unusable: &Unusable, key: &str, path: &str) -> Self::Error;
    /// Runs the operation and stores the reply under its idempotency key. [`with_account`] finds the account.
    fn run(core: &Core<Self>, asked: Asked<'_, Self>) -> impl Future<Output = Outgoing> + Send;
    /// Replaces values of fixed sets in the body by undocumented ones.
    fn unheard_of(body: &mut Value);
    /// Adds minor units to every amount in the body. A provider that writes amounts in an unusual form overrides it.
    fn wrong_amounts(body: &mut Value, delta: i64) {
        spoil::amounts(body, delta);
    }
    /// The HTTP reply.
    fn respond(request_id: &str, asked: &HeaderMap, outgoing: &Outgoing) -> Response;
}

/// A provider's error, including the errors that any request may meet.
pub trait Refusal: Sized {
    /// A body that is too large.
    fn too_large() -> Self;
    /// Too many calls.
    fn rate_limited() -> Self;
    /// A request with this idempotency key is still running, or a fault pretends so.
    fn in_progress() -> Self;
    /// An error on the provider's side.
    fn internal() -> Self;
    /// The merchant's balance does not cover a refund, at a provider that says so at once.
    fn insufficient_balance() -> Self {
        Self::internal()
    }
    /// Replaces the HTTP status.
    fn status(self, status: u16) -> Self;
    /// The reply for this error.
    fn refuse(&self, request_id: &str) -> Outgoing;
}

/// A request as it arrived.
#[derive(Debug)]
pub struct Incoming {
    /// The request id, made by the sandbox.
    pub request_id: String,
    /// HTTP method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// The headers as they were sent.
    pub headers: HeaderMap,
    /// The body as it was sent.
    pub body: Bytes,
}

/// A request whose operation is to be run.
#[derive(Debug)]
pub struct Asked<'a, P: Api> {
    /// The request as it arrived.
    pub incoming: &'a Incoming,
    /// The account's key.
    pub key: &'a str,
    /// The operation and the id in the path.
    pub found: Found<'a, P::Run>,
    /// The content of the request.
    pub input: P::Input,
    /// The idempotency key taken for the request.
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
    // The request runs in its own task, so that an accepted operation finishes even if the caller closes the connection.
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

/// Finds the operation, applies a fault, runs the operation, and records the call.
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

/// The error for a fault that prevents the operation.
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

/// Carries an operation out. A fault may delay or falsify the reply, but the stored reply stays true.
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

/// Takes the idempotency key and runs the operation. A stored reply is repeated instead.
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

/// Simulates a failure in the middle of an operation. The operation has no effect, and the error becomes the stored reply of the
/// idempotency key, because some providers keep the first reply even if it is an error. A key that already has a stored reply gets that
/// reply.
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

/// Acts on the account of a key, then waits for deliveries that must arrive before the reply. `None` when there are too many accounts.
pub async fn with_account<P: Provider, R>(
    core: &Core<P>,
    method: &Method,
    key: &str,
    act: impl FnOnce(&mut P::Account) -> R,
) -> Option<R> {
    // A read changes no state and needs no save.
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
