//! Refunds: create, retrieve, list, update, cancel (Stripe API reference, Refunds).
//!
//! The account is locked for the whole operation, so two refunds can never both take the rest of a charge.

use serde_json::Value;

use super::{
    cards::Outcome,
    error::ApiError,
    ids,
    lists::Query,
    money,
    objects::{
        charge::{Charge, ChargeStatus},
        refund::{Refund, RefundStatus},
    },
    operation::Ctx,
    params::{self, Metadata, Params},
    payment::{LAPSE_MS, Moment},
    state::{Account, Timer},
};

const OBJECT: (&str, &str) = ("refund", "/v1/refunds");

fn missing(id: &str) -> ApiError {
    ApiError::no_such(OBJECT.0, id, "id")
}

fn wire(ctx: &Ctx<'_>) -> Result<Value, ApiError> {
    shown(ctx).map(Refund::wire)
}

/// The refund in the path, if readers on this version see it.
fn shown<'c>(ctx: &'c Ctx<'_>) -> Result<&'c Refund, ApiError> {
    let refund = ctx.account.refunds.get(ctx.id).filter(|refund| refund.is_shown(ctx.version));
    refund.ok_or_else(|| missing(ctx.id))
}

/// `POST /v1/refunds`
pub fn create(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let intent = params.string("payment_intent", 200)?;
    let charge = params.string("charge", 200)?;
    let amount = params.integer("amount")?;
    let reason = params.one_of("reason", &["duplicate", "fraudulent", "requested_by_customer"])?;
    let mut metadata = Metadata::new();
    if let Some(change) = params.metadata()? {
        params::apply(&mut metadata, change)?;
    }
    params.finish()?;
    if amount.is_some_and(|amount| amount < 1) {
        return Err(ApiError::invalid("Invalid positive integer").code("parameter_invalid_integer").param("amount"));
    }
    let charge = refundable(ctx.account, intent.as_deref(), charge.as_deref())?;
    let amount = within(charge, amount)?;
    money::in_steps(amount, &charge.currency, "amount")?;
    let refund = Refund {
        id: ids::object("re_3"),
        amount,
        currency: charge.currency.clone(),
        charge: charge.id.clone(),
        intent: charge.intent.clone(),
        created: ctx.moment.now(),
        // Bank refunds take days, and so do the refunds of one test card.
        status: if charge.method == "card" && charge.outcome != Outcome::PaysRefundSucceedsLater {
            RefundStatus::Succeeded
        } else {
            RefundStatus::Pending
        },
        reason,
        metadata,
        failure_reason: None,
        method: charge.method.clone(),
        release: false,
    };
    Ok(ctx.account.refund(refund, &ctx.moment))
}

/// The charge to refund.
fn refundable<'a>(account: &'a Account, intent: Option<&str>, charge: Option<&str>) -> Result<&'a Charge, ApiError> {
    let (id, param) = match (intent, charge) {
        (Some(intent), given) => {
            let found = account
                .intents
                .get(intent)
                .ok_or_else(|| ApiError::no_such("payment_intent", intent, "payment_intent"))?;
            let latest = found.latest_charge.clone().unwrap_or_default();
            if given.is_some_and(|given| given != latest) {
                return Err(ApiError::invalid("The charge does not belong to the payment intent.").param("charge"));
            }
            (latest, "payment_intent")
        }
        (None, Some(charge)) => (charge.to_owned(), "charge"),
        (None, None) => {
            return Err(ApiError::invalid(
                "One of the following params should be provided for this request: payment_intent or charge.",
            )
            .code("parameter_missing"));
        }
    };
    match account.charges.get(&id) {
        Some(found) if found.status == ChargeStatus::Succeeded && found.captured > 0 => Ok(found),
        None if param == "charge" => Err(ApiError::no_such("charge", &id, "charge")),
        _ => Err(ApiError::invalid(format!(
            "This PaymentIntent ({}) does not have a successful charge to refund.",
            intent.unwrap_or(&id)
        ))
        .param(param)
        .after_start()),
    }
}

/// The amount to refund: the given part or else the whole rest, and never more than the rest.
fn within(charge: &Charge, amount: Option<i64>) -> Result<i64, ApiError> {
    if charge.disputed {
        return Err(ApiError::invalid(format!("Charge {} has been charged back; cannot issue a refund.", charge.id))
            .code("charge_disputed")
            .after_start());
    }
    let left = charge.refundable();
    if left <= 0 {
        return Err(ApiError::invalid(format!("Charge {} has already been refunded.", charge.id))
            .code("charge_already_refunded")
            .after_start());
    }
    let amount = amount.unwrap_or(left);
    if amount > left {
        return Err(ApiError::invalid(format!(
            "Refund amount ({}) is greater than unrefunded amount on charge ({})",
            money::display(amount, &charge.currency),
            money::display(left, &charge.currency)
        ))
        .param("amount")
        .after_start());
    }
    Ok(amount)
}

impl Account {
    /// Books a refund on its charge.
    fn refund(&mut self, refund: Refund, moment: &Moment<'_>) -> Value {
        let (id, charge) = (refund.id.clone(), refund.charge.clone());
        let slow = refund.status == RefundStatus::Pending;
        let mut fails_later = false;
        if let Some(charge) = self.charges.get_mut(&charge) {
            charge.refunded += refund.amount;
            assert!(charge.refunded <= charge.captured, "a charge never gives back more than it took");
            fails_later = charge.outcome == Outcome::PaysRefundFailsLater;
        }
        let wire = refund.wire();
        self.refunds.insert(refund);
        self.emit(moment.now_ms, "refund.created", wire.clone(), None, &moment.cause);
        self.tell_charge(&charge, "charge.refunded", moment);
        if slow || fails_later {
            self.common.timers.insert((moment.now_ms + LAPSE_MS, Timer::MoveRefund(id)));
        }
        wire
    }

    /// Moves a refund on: a pending one succeeds, and a succeeded one of a certain test card fails.
    pub fn move_refund(&mut self, id: &str, moment: &Moment<'_>) {
        let next = match self.refunds.get(id).map(|refund| refund.status) {
            Some(RefundStatus::Pending) => RefundStatus::Succeeded,
            Some(RefundStatus::Succeeded) => RefundStatus::Failed,
            _ => return,
        };
        self.set_refund(id, next, moment);
    }

    fn set_refund(&mut self, id: &str, status: RefundStatus, moment: &Moment<'_>) {
        let Some(refund) = self.refunds.get_mut(id) else {
            return;
        };
        refund.status = status;
        if status == RefundStatus::Failed {
            refund.failure_reason = Some("expired_or_canceled_card".to_owned());
        }
        let returned = matches!(status, RefundStatus::Failed | RefundStatus::Canceled);
        let (wire, amount, charge) = (refund.wire(), refund.amount, refund.charge.clone());
        if returned && let Some(charge) = self.charges.get_mut(&charge) {
            charge.refunded -= amount;
            debug_assert!(charge.refunded >= 0, "a refund is returned once");
        }
        self.emit(moment.now_ms, "refund.updated", wire.clone(), None, &moment.cause);
        if status == RefundStatus::Failed {
            self.emit(moment.now_ms, "refund.failed", wire, None, &moment.cause);
        }
    }
}

/// `GET /v1/refunds/:id`
pub fn retrieve(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    wire(ctx)
}

/// `GET /v1/refunds`
pub fn list(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let query = Query::take(&mut params)?;
    let intent = params.string("payment_intent", 200)?;
    let charge = params.string("charge", 200)?;
    params.finish()?;
    let version = ctx.version;
    let keep = |refund: &Refund| {
        refund.is_shown(version)
            && intent.as_ref().is_none_or(|intent| refund.intent == *intent)
            && charge.as_ref().is_none_or(|charge| refund.charge == *charge)
    };
    query.page(&ctx.account.refunds, OBJECT, |refund| refund.created, keep, Refund::wire)
}

/// `POST /v1/refunds/:id`: changes the merchant's own data.
pub fn update(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let change = params.metadata()?;
    params.finish()?;
    shown(ctx)?;
    let refund = ctx.account.refunds.get_mut(ctx.id).ok_or_else(|| missing(ctx.id))?;
    if let Some(change) = change {
        params::apply(&mut refund.metadata, change)?;
        let wire = refund.wire();
        ctx.account.emit(ctx.moment.now_ms, "refund.updated", wire, None, &ctx.moment.cause);
    }
    wire(ctx)
}

/// `POST /v1/refunds/:id/cancel`: cancels a pending refund.
pub fn cancel(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let refund = shown(ctx)?;
    if refund.status != RefundStatus::Pending {
        return Err(ApiError::invalid(format!(
            "The refund {} cannot be canceled because it has a status of {}.",
            refund.id, refund.status
        ))
        .after_start());
    }
    ctx.account.set_refund(ctx.id, RefundStatus::Canceled, &ctx.moment);
    wire(ctx)
}
