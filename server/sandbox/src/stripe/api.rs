//! What is this provider's own on the way of an API request: version, form, expansion.

use axum::{
    http::{HeaderMap, Method, header},
    response::Response,
};
use serde_json::Value;

use super::{
    auth,
    error::ApiError,
    expand, form, idempotency,
    objects::{View, event::Cause},
    operation::{self, Ctx, Run},
    params::Params,
    payment::Moment,
    rights,
    state::Account,
    version,
    webhooks::{ENUMS, PROVIDER, early},
};
use crate::{
    api::{
        Asked, Incoming, Provider, Refusal,
        call::Calls,
        reply::{self, Outgoing},
    },
    clock,
    control::faults::spoil,
    core::{self, Core},
    idempotency::{Keys, Limits, Reply, Unusable},
    ids::fresh,
    route::Found,
};

/// The provider.
#[derive(Debug)]
pub struct Stripe;

impl Provider for Stripe {
    const NAME: &'static str = PROVIDER;
    const LIMITS: Limits = idempotency::LIMITS;
    type Error = ApiError;
    type Run = Run;
    type Input = Params;

    fn request_id() -> String {
        fresh("req_", 14)
    }

    fn key(headers: &HeaderMap) -> Result<String, ApiError> {
        let key = auth::key(headers)?;
        requested_version(headers).map(|_| key)
    }

    fn admit(state: &core::State, key: &str, operation: &str) -> (String, Result<(), ApiError>) {
        (rights::account_of(state, key).to_owned(), rights::check(state, key, operation))
    }

    fn find<'p>(method: &str, path: &'p str) -> Result<Found<'p, Run>, ApiError> {
        operation::find(method, path)
    }

    fn read(incoming: &Incoming) -> Result<Params, ApiError> {
        let kind = incoming.headers.get(header::CONTENT_TYPE);
        let json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
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

    fn unusable(unusable: &Unusable, key: &str, path: &str) -> ApiError {
        idempotency::refusal(unusable, key, path)
    }

    fn keys<'s>(state: &'s mut core::State, key: &str) -> Option<&'s mut Keys> {
        state.account(key).map(|account| &mut account.keys)
    }

    fn calls<'s>(state: &'s mut core::State, key: &str) -> Option<&'s mut Calls> {
        state.account(key).map(|account| &mut account.calls)
    }

    /// Only the reply of an operation that began is kept.
    async fn run(core: &Core, asked: Asked<'_, Self>) -> Outgoing {
        let Asked { incoming, key, found, input, given_key } = asked;
        let refuse = |error: ApiError| error.refuse(&incoming.request_id);
        let version = requested_version(&incoming.headers).unwrap_or(version::DEFAULT);
        let cause = Cause { request: Some(incoming.request_id.clone()), idempotency_key: given_key.clone() };
        let moment = Moment { now_ms: clock::now_ms(), base: &core.base, cause };
        let named = incoming.headers.contains_key("stripe-version");
        let run = |account: &mut Account| {
            let own = account.version().to_owned();
            let version = if named { version } else { &own };
            let mark = account.deliveries.mark();
            let result = execute(account, moment, version, found, input);
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

    fn unheard_of(body: &mut Value) {
        match body.get_mut("error") {
            Some(error) => spoil::unheard_of(error, &["code", "type"]),
            None => spoil::unheard_of(body, ENUMS),
        }
    }

    fn respond(request_id: &str, asked: &HeaderMap, outgoing: &Outgoing) -> Response {
        let mut headers = vec![
            ("content-type", "application/json"),
            ("request-id", request_id),
            ("stripe-version", requested_version(asked).unwrap_or(version::DEFAULT)),
        ];
        if outgoing.replayed {
            headers.push(("idempotent-replayed", "true"));
        }
        if outgoing.reply.status == 401 {
            headers.push(("www-authenticate", "Basic realm=\"Stripe\""));
        }
        let json = serde_json::to_vec_pretty(&outgoing.reply.body).unwrap_or_default();
        reply::json(outgoing.reply.status, json, asked, &headers)
    }
}

/// The caller's version, or the account's.
fn requested_version(headers: &HeaderMap) -> Result<&str, ApiError> {
    let Some(value) = headers.get("stripe-version") else {
        return Ok(version::DEFAULT);
    };
    let text = value.to_str().unwrap_or_default();
    if version::well_formed(text) {
        return Ok(text);
    }
    Err(ApiError::invalid(format!("Invalid Stripe API version: {}", text.chars().take(60).collect::<String>())))
}

fn execute(
    account: &mut Account,
    moment: Moment<'_>,
    version: &str,
    found: Found<'_, Run>,
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
