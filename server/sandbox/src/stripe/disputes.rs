//! Disputes: how they arise and end; retrieve, list, close (Stripe API reference, Disputes).

use serde_json::Value;

use super::{
    error::ApiError,
    ids,
    lists::Query,
    objects::{
        charge::ChargeStatus,
        dispute::{Dispute, DisputeStatus},
    },
    operation::Ctx,
    params::Params,
    payment::Moment,
    state::Account,
};

const OBJECT: (&str, &str) = ("dispute", "/v1/disputes");

impl Account {
    /// Opens a dispute of a captured charge. `None` when there is no such charge or it is disputed already.
    pub fn dispute(&mut self, charge: &str, amount: Option<i64>, reason: &str, moment: &Moment<'_>) -> Option<String> {
        let disputed = self
            .charges
            .get_mut(charge)
            .filter(|charge| charge.status == ChargeStatus::Succeeded && charge.captured > 0 && !charge.disputed)?;
        disputed.disputed = true;
        let dispute = Dispute {
            id: ids::object("du_1"),
            amount: amount.unwrap_or(disputed.captured).clamp(1, disputed.captured),
            currency: disputed.currency.clone(),
            charge: disputed.id.clone(),
            intent: disputed.intent.clone(),
            created: moment.now(),
            reason: reason.to_owned(),
            // Bank debits cannot be contested, so their disputes are lost from the start.
            status: if disputed.method == "card" { DisputeStatus::NeedsResponse } else { DisputeStatus::Lost },
            method: disputed.method.clone(),
            brand: disputed.face.brand.clone(),
        };
        let (id, wire, lost) = (dispute.id.clone(), dispute.wire(), dispute.status == DisputeStatus::Lost);
        self.disputes.insert(dispute);
        for kind in ["charge.dispute.created", "charge.dispute.funds_withdrawn"] {
            self.emit(moment.now_ms, kind, wire.clone(), None, &moment.cause);
        }
        if lost {
            self.emit(moment.now_ms, "charge.dispute.closed", wire, None, &moment.cause);
        }
        Some(id)
    }

    /// Ends an open dispute.
    pub fn close_dispute(&mut self, id: &str, won: bool, moment: &Moment<'_>) -> Option<Value> {
        let dispute = self.disputes.get_mut(id).filter(|dispute| dispute.status == DisputeStatus::NeedsResponse)?;
        dispute.status = if won { DisputeStatus::Won } else { DisputeStatus::Lost };
        let wire = dispute.wire();
        let charge = dispute.charge.clone();
        self.emit(moment.now_ms, "charge.dispute.closed", wire.clone(), None, &moment.cause);
        if won {
            if let Some(charge) = self.charges.get_mut(&charge) {
                charge.disputed = false;
            }
            self.emit(moment.now_ms, "charge.dispute.funds_reinstated", wire.clone(), None, &moment.cause);
        }
        Some(wire)
    }
}

/// `GET /v1/disputes/:id`
pub fn retrieve(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    ctx.account.disputes.get(ctx.id).map(Dispute::wire).ok_or_else(|| ApiError::no_such(OBJECT.0, ctx.id, "dispute"))
}

/// `GET /v1/disputes`
pub fn list(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let query = Query::take(&mut params)?;
    let intent = params.string("payment_intent", 200)?;
    let charge = params.string("charge", 200)?;
    params.finish()?;
    let keep = |dispute: &Dispute| {
        intent.as_ref().is_none_or(|intent| dispute.intent == *intent)
            && charge.as_ref().is_none_or(|charge| dispute.charge == *charge)
    };
    query.page(&ctx.account.disputes, OBJECT, |dispute| dispute.created, keep, Dispute::wire)
}

/// `POST /v1/disputes/:id/close`: the merchant accepts the dispute and so loses it.
pub fn close(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    retrieve(ctx, params)?;
    ctx.account
        .close_dispute(ctx.id, false, &ctx.moment)
        .ok_or_else(|| ApiError::invalid("This dispute is already closed.").after_start())
}
