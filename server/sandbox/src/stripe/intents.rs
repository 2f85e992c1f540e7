//! Payment intents: retrieve, list, update, capture, cancel (Stripe API reference, PaymentIntents).

use serde_json::Value;

use super::{
    error::ApiError,
    lists::Query,
    money,
    objects::{
        View,
        intent::{Intent, IntentStatus},
        session::SessionStatus,
    },
    operation::Ctx,
    params::{self, Params},
};

const OBJECT: (&str, &str) = ("payment_intent", "/v1/payment_intents");

fn missing(id: &str) -> ApiError {
    ApiError::no_such(OBJECT.0, id, "intent")
}

fn find<'c>(ctx: &'c Ctx<'_>) -> Result<&'c Intent, ApiError> {
    ctx.account.intents.get(ctx.id).ok_or_else(|| missing(ctx.id))
}

/// The error for an operation that the intent's status does not allow.
fn unexpected_state(intent: &Intent, view: &View<'_>, why: String) -> ApiError {
    ApiError::invalid(why)
        .code("payment_intent_unexpected_state")
        .with("payment_intent", intent.wire(view))
        .after_start()
}

/// `GET /v1/payment_intents/:id`
pub fn retrieve(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    params.text("client_secret")?;
    params.finish()?;
    Ok(find(ctx)?.wire(&ctx.view()))
}

/// `GET /v1/payment_intents`
pub fn list(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let query = Query::take(&mut params)?;
    let customer = params.string("customer", 200)?;
    params.finish()?;
    let view = ctx.view();
    query.page(
        &ctx.account.intents,
        OBJECT,
        |intent| intent.created,
        |_| customer.is_none(),
        |intent| intent.wire(&view),
    )
}

/// `POST /v1/payment_intents/:id`: changes fields that affect no money.
pub fn update(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let change = params.metadata()?;
    let description = params.text("description")?;
    params.finish()?;
    let intent = ctx.account.intents.get_mut(ctx.id).ok_or_else(|| missing(ctx.id))?;
    if let Some(change) = change {
        params::apply(&mut intent.metadata, change)?;
    }
    if let Some(description) = description {
        intent.description = Some(description).filter(|text| !text.is_empty());
    }
    Ok(find(ctx)?.wire(&ctx.view()))
}

/// `POST /v1/payment_intents/:id/capture`: captures once, up to the authorised amount. The rest is released.
pub fn capture(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let amount = params.integer("amount_to_capture")?;
    let change = params.metadata()?;
    let last = params.boolean("final_capture")?;
    params.finish()?;
    let view = ctx.view();
    let intent = find(ctx)?;
    if intent.status != IntentStatus::RequiresCapture {
        let why = format!(
            "This PaymentIntent could not be captured because it has a status of {}. Only a PaymentIntent with one of the \
             following statuses may be captured: requires_capture.",
            intent.status
        );
        return Err(unexpected_state(intent, &view, why));
    }
    if last == Some(false) {
        return Err(ApiError::invalid("This sandbox does not simulate multicapture.").param("final_capture"));
    }
    let amount = amount.unwrap_or(intent.capturable);
    if amount < 1 {
        return Err(ApiError::invalid("This value must be greater than or equal to 1.")
            .code("parameter_invalid_integer")
            .param("amount_to_capture"));
    }
    money::in_steps(amount, &intent.currency, "amount_to_capture")?;
    if amount > intent.capturable {
        return Err(ApiError::invalid(format!(
            "The specified capture amount ({amount}) is greater than the authorized amount ({}).",
            intent.capturable
        ))
        .code("amount_too_large")
        .param("amount_to_capture")
        .after_start());
    }
    let (session, charge) = (intent.session.clone(), intent.latest_charge.clone().unwrap_or_default());
    let intent = ctx.account.intents.get_mut(ctx.id).ok_or_else(|| missing(ctx.id))?;
    if let Some(change) = change {
        params::apply(&mut intent.metadata, change)?;
    }
    intent.status = IntentStatus::Succeeded;
    intent.received = amount;
    intent.capturable = 0;
    let mut rest = 0;
    if let Some(charge) = ctx.account.charges.get_mut(&charge) {
        charge.captured = amount;
        rest = charge.amount - amount;
    }
    ctx.account.mark_paid(&session);
    ctx.account.tell_charge(&charge, "charge.captured", &ctx.moment);
    ctx.account.let_go(&charge, rest, None, &ctx.moment);
    ctx.account.tell_intent(ctx.id, "payment_intent.succeeded", &ctx.moment);
    Ok(find(ctx)?.wire(&ctx.view()))
}

/// `POST /v1/payment_intents/:id/cancel`: releases the authorised money.
pub fn cancel(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let reasons = ["duplicate", "fraudulent", "requested_by_customer", "abandoned"];
    let reason = params.one_of("cancellation_reason", &reasons)?;
    params.finish()?;
    let view = ctx.view();
    let intent = find(ctx)?;
    if matches!(intent.status, IntentStatus::Canceled | IntentStatus::Succeeded | IntentStatus::Processing) {
        let why = format!(
            "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the \
             following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, \
             requires_action.",
            intent.status
        );
        return Err(unexpected_state(intent, &view, why));
    }
    let open = ctx.account.sessions.get(&intent.session).is_some_and(|session| session.status == SessionStatus::Open);
    if open {
        let why = "You cannot cancel this PaymentIntent because it was created by an open Checkout Session. Expire the \
                   Checkout Session instead.";
        return Err(unexpected_state(intent, &view, why.to_owned()));
    }
    ctx.account.void(ctx.id, reason, &ctx.moment);
    Ok(find(ctx)?.wire(&ctx.view()))
}
