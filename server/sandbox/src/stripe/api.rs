//! Stripe's own steps in the handling of an API request: version, form, expansion.

use axum::{
    http::{HeaderMap, Method, header},
    response::Response,
};
use serde_json::Value;

use super::{
    Core, auth,
    error::ApiError,
    expand, form, idempotency,
    objects::{View, event::Cause},
    operation::{self, Ctx, Run},
    params::Params,
    payment::Moment,
    rights,
    state::{Account, Stripe},
    version,
    webhooks::ENUMS,
};
use crate::{
    api::{
        self, Api, Asked, Incoming, Refusal,
        reply::{self, Outgoing},
    },
    control::faults::spoil,
    idempotency::{Limits, Reply, Unusable},
    ids::fresh,
    route::Found,
};

impl Api for Stripe {
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

    fn admit(&self, key: &str, operation: &str) -> (String, Result<(), ApiError>) {
        (rights::account_of(self, key).to_owned(), rights::check(self, key, operation))
    }

    fn find(incoming: &Incoming) -> Result<Found<'_, Run>, ApiError> {
        operation::find(incoming.method.as_str(), incoming.uri.path())
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

    /// Only the reply of an operation that began is kept under its idempotency key.
    async fn run(core: &Core, asked: Asked<'_, Self>) -> Outgoing {
        let Asked { incoming, key, found, input, given_key } = asked;
        let refuse = |error: ApiError| error.refuse(&incoming.request_id);
        let version = requested_version(&incoming.headers).unwrap_or(version::DEFAULT);
        let cause = Cause { request: Some(incoming.request_id.clone()), idempotency_key: given_key.clone() };
        let moment = Moment { cause, ..Moment::of(core.now()) };
        let named = incoming.headers.contains_key("stripe-version");
        let run = |account: &mut Account| {
            let own = account.version().to_owned();
            let version = if named { version } else { &own };
            let result = execute(account, moment, version, found, input);
            let executed = result.as_ref().map_or_else(|error| error.executed, |_| true);
            let reply = result.map_or_else(|error| refuse(error).reply, |body| Reply { status: 200, body });
            match &given_key {
                Some(given) if executed => account.common.keys.finish(given, reply.clone()),
                Some(given) => account.common.keys.abandon(given),
                None => {}
            }
            reply
        };
        let reply = api::with_account(core, &incoming.method, key, run).await;
        reply.map_or_else(|| refuse(ApiError::rate_limited()), Outgoing::from)
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

/// The version in the request's header, or the default version.
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
