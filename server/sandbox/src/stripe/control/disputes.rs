//! Disputes: the shopper takes money back through the bank, and the bank decides.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use crate::{
    control::{read, refuse, reply},
    stripe::{Core, objects::dispute::Dispute, payment::Moment},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDispute {
    payment_intent: String,
    amount: Option<i64>,
    reason: Option<String>,
}

/// `POST /_control/disputes`: opens a dispute of the shopper, or a late return of a bank debit.
pub async fn open(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let wanted: NewDispute = match read(&body) {
        Ok(wanted) => wanted,
        Err(refused) => return *refused,
    };
    let moment = Moment::of(core.now());
    let made = core.change(|state| {
        let account = state.account_of_intent(&wanted.payment_intent)?;
        let charge = account.intents.get(&wanted.payment_intent)?.latest_charge.clone()?;
        let reason = wanted.reason.as_deref().unwrap_or("fraudulent");
        let id = account.dispute(&charge, wanted.amount, reason, &moment)?;
        account.disputes.get(&id).map(Dispute::wire)
    });
    made.map_or_else(
        || refuse(StatusCode::CONFLICT, "There is no paid, undisputed charge for this payment intent."),
        reply,
    )
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    status: String,
}

/// `POST /_control/disputes/{id}/close {"status":"won"|"lost"}`: ends a dispute.
pub async fn close(State(core): State<Arc<Core>>, Path(id): Path<String>, body: Bytes) -> Response {
    let verdict: Verdict = match read(&body) {
        Ok(verdict) => verdict,
        Err(refused) => return *refused,
    };
    if !matches!(verdict.status.as_str(), "won" | "lost") {
        return refuse(StatusCode::BAD_REQUEST, "status must be won or lost.");
    }
    let moment = Moment::of(core.now());
    let closed = core.change(|state| {
        let account = state.accounts.with(|account| account.disputes.get(&id).is_some())?;
        account.close_dispute(&id, verdict.status == "won", &moment)
    });
    closed.map_or_else(|| refuse(StatusCode::CONFLICT, "There is no open dispute with this id."), reply)
}
