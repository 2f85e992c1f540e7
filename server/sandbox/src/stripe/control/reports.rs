//! Reports: counts of objects, and deliveries with their tries.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    control::{ROWS, reply},
    delivery::Delivery,
    provider::Account as _,
    stripe::{
        Core,
        objects::{charge::ChargeStatus, session::SessionStatus},
        state::{Account, Stripe},
    },
};

/// The account or event of a report.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    account: Option<String>,
    event: Option<String>,
}

impl Filter {
    fn accounts<'s>(&'s self, state: &'s Stripe) -> impl Iterator<Item = &'s Account> {
        state.accounts.of(self.account.as_deref()).map(|(_, account)| account)
    }
}

/// `GET /_control/stats?account=`: the totals over the accounts.
pub async fn stats(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let sum = |count: fn(&Account) -> usize| -> usize { filter.accounts(&state).map(count).sum() };
    let sessions = |status| -> usize {
        filter
            .accounts(&state)
            .map(|account| account.sessions.oldest().filter(|session| session.status == status).count())
            .sum()
    };
    let charges = |status| -> usize {
        filter
            .accounts(&state)
            .map(|account| account.charges.oldest().filter(|charge| charge.status == status).count())
            .sum()
    };
    reply(json!({
        "accounts": sum(|_| 1),
        "sessions": sum(|account| account.sessions.len()),
        "sessions_open": sessions(SessionStatus::Open),
        "sessions_complete": sessions(SessionStatus::Complete),
        "sessions_expired": sessions(SessionStatus::Expired),
        "payment_intents": sum(|account| account.intents.len()),
        "charges": sum(|account| account.charges.len()),
        "charges_succeeded": charges(ChargeStatus::Succeeded),
        "charges_failed": charges(ChargeStatus::Failed),
        "charges_pending": charges(ChargeStatus::Pending),
        "refunds": sum(|account| account.refunds.oldest().filter(|refund| !refund.release).count()),
        "disputes": sum(|account| account.disputes.len()),
        "events": sum(|account| account.events.len()),
        "webhook_endpoints": sum(|account| account.endpoints.len()),
        "deliveries": sum(|account| account.outbox.deliveries.len()),
    }))
}

/// `GET /_control/deliveries?account=&event=`: the deliveries, newest first.
pub async fn deliveries(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let rows: Vec<Value> = filter
        .accounts(&state)
        .flat_map(|account| account.outbox.deliveries.newest().map(move |delivery| (account, delivery)))
        .filter(|(_, delivery)| filter.event.as_ref().is_none_or(|event| delivery.event == *event))
        .take(ROWS)
        .map(|(account, delivery)| row(account, delivery))
        .collect();
    reply(json!({ "deliveries": rows }))
}

/// A delivery with its faults, the type of its event, and its address.
fn row(account: &Account, delivery: &Delivery) -> Value {
    let mut row = json!(delivery.plan);
    row["id"] = delivery.id.clone().into();
    row["event"] = delivery.event.clone().into();
    row["endpoint"] = delivery.endpoint.clone().into();
    row["status"] = json!(delivery.status);
    row["tries"] = json!(delivery.tries);
    row["due_ms"] = delivery.due_ms.into();
    row["type"] = account.kind_of(&delivery.event).into();
    row["url"] = account.url_of(&delivery.endpoint).into();
    row
}
