//! Charges: retrieve, list (Stripe API reference, Charges).

use serde_json::Value;

use super::{error::ApiError, lists::Query, objects::charge::Charge, operation::Ctx, params::Params};

const OBJECT: (&str, &str) = ("charge", "/v1/charges");

/// `GET /v1/charges/:id`
pub fn retrieve(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let charge = ctx.account.charges.get(ctx.id).ok_or_else(|| ApiError::no_such(OBJECT.0, ctx.id, "id"))?;
    Ok(charge.wire(&ctx.view()))
}

/// `GET /v1/charges`
pub fn list(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let query = Query::take(&mut params)?;
    let intent = params.string("payment_intent", 200)?;
    let customer = params.string("customer", 200)?;
    params.finish()?;
    let view = ctx.view();
    let keep = |charge: &Charge| customer.is_none() && intent.as_ref().is_none_or(|intent| charge.intent == *intent);
    query.page(&ctx.account.charges, OBJECT, |charge| charge.created, keep, |charge| charge.wire(&view))
}
