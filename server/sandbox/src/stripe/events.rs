//! Events: retrieve, list (Stripe API reference, Events).

use serde_json::Value;

use super::{error::ApiError, lists::Query, objects::event::Event, operation::Ctx, params::Params};

const OBJECT: (&str, &str) = ("event", "/v1/events");

/// `GET /v1/events/:id`
pub fn retrieve(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let version = ctx.account.version();
    let event = ctx.account.events.get(ctx.id).filter(|event| event.audience.includes(version));
    Ok(event.ok_or_else(|| ApiError::no_such(OBJECT.0, ctx.id, "id"))?.wire(version))
}

/// `GET /v1/events`: lists the events in the account's version, regardless of the request's version.
pub fn list(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let query = Query::take(&mut params)?;
    let kind = params.string("type", 200)?;
    let kinds = params.strings("types")?;
    let delivered = params.boolean("delivery_success")?;
    params.finish()?;
    if kind.is_some() && kinds.is_some() {
        return Err(ApiError::invalid("You may only specify one of type and types.").param("types"));
    }
    let version = ctx.account.version();
    let keep = |event: &Event| {
        event.audience.includes(version)
            && kind.as_ref().is_none_or(|kind| fits(kind, &event.kind))
            && kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| fits(kind, &event.kind)))
            && delivered.is_none_or(|delivered| delivered == (event.pending == 0))
    };
    query.page(&ctx.account.events, OBJECT, |event| event.created, keep, |event| event.wire(version))
}

/// Whether an event type matches a type, or a group of types such as `charge.*`.
fn fits(wanted: &str, kind: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => wanted == kind,
    }
}
