//! Checkout sessions: retrieve, list, update, expire, line items.

pub mod create;
mod lines;

use serde_json::{Value, json};

use super::{
    error::ApiError,
    lists::Query,
    objects::session::{Session, SessionStatus},
    operation::Ctx,
    params::{self, Params},
};

const OBJECT: (&str, &str) = ("checkout.session", "/v1/checkout/sessions");

fn find<'c>(ctx: &'c Ctx<'_>) -> Result<&'c Session, ApiError> {
    ctx.account.sessions.get(ctx.id).ok_or_else(|| missing(ctx.id))
}

fn missing(id: &str) -> ApiError {
    ApiError::no_such(OBJECT.0, id, "session")
}

/// `GET /v1/checkout/sessions/:id`
pub fn retrieve(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(find(ctx)?.wire(&ctx.view()))
}

/// `GET /v1/checkout/sessions`
pub fn list(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let query = Query::take(&mut params)?;
    let intent = params.string("payment_intent", 200)?;
    let status = params.one_of("status", &["open", "complete", "expired"])?;
    let email = match params.object("customer_details")? {
        Some(mut details) => details.string("email", 800)?,
        None => None,
    };
    params.finish()?;
    let view = ctx.view();
    let keep = |session: &Session| {
        intent.as_ref().is_none_or(|intent| session.intent.as_ref() == Some(intent))
            && status.as_ref().is_none_or(|status| session.status.as_str() == status)
            && email.as_ref().is_none_or(|email| {
                session
                    .customer
                    .as_ref()
                    .and_then(|customer| customer.email.as_ref())
                    .or(session.customer_email.as_ref())
                    == Some(email)
            })
    };
    query.page(&ctx.account.sessions, OBJECT, |session| session.created, keep, |session| session.wire(&view))
}

/// `POST /v1/checkout/sessions/:id`: changes the merchant's own data.
pub fn update(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let change = params.metadata()?;
    params.finish()?;
    let session = ctx.account.sessions.get_mut(ctx.id).ok_or_else(|| missing(ctx.id))?;
    if let Some(change) = change {
        params::apply(&mut session.metadata, change)?;
    }
    retrieve(ctx, Params::new(Vec::new()))
}

/// `POST /v1/checkout/sessions/:id/expire`: expires an open session.
pub fn expire(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let session = find(ctx)?;
    if session.status != SessionStatus::Open {
        return Err(ApiError::invalid(format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `{}`.",
            session.status
        ))
        .after_start());
    }
    let id = session.id.clone();
    ctx.account.expire(&id, &ctx.moment);
    retrieve(ctx, Params::new(Vec::new()))
}

/// `GET /v1/checkout/sessions/:id/line_items`
pub fn line_items(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let limit = params.integer("limit")?.unwrap_or(10).clamp(1, 100);
    let after = params.string("starting_after", 200)?;
    let before = params.string("ending_before", 200)?;
    params.finish()?;
    let session = find(ctx)?;
    let place = |id: &Option<String>| id.as_ref().and_then(|id| session.lines.iter().position(|line| line.id == *id));
    let start = place(&after).map_or(0, |at| at + 1);
    let end = place(&before).unwrap_or(session.lines.len()).max(start);
    let limit = usize::try_from(limit).unwrap_or(10);
    let data: Vec<Value> = session.lines[start..end].iter().take(limit).map(|line| line.wire(session)).collect();
    let has_more = end - start > data.len();
    Ok(
        json!({"object": "list", "data": data, "has_more": has_more, "url": format!("{}/{}/line_items", OBJECT.1, session.id)}),
    )
}
