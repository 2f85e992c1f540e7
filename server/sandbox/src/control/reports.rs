//! Reports: calls received, objects counted, deliveries tried.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ROWS, reply};
use crate::{
    core::Core,
    stripe::{
        objects::{charge::ChargeStatus, event::Delivery, session::SessionStatus},
        state::Account,
    },
};

/// Which account, call, operation or event a report is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    account: Option<String>,
    operation: Option<String>,
    request: Option<String>,
    event: Option<String>,
}

impl Filter {
    fn accounts<'s>(&self, core: &'s crate::core::State) -> impl Iterator<Item = (&'s String, &'s Account)> {
        let wanted = self.account.clone();
        core.accounts.iter().filter(move |(key, _)| wanted.as_ref().is_none_or(|wanted| wanted == *key))
    }
}

/// `GET /_control/calls?account=&operation=&request=`: oldest first.
pub async fn calls(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let calls: Vec<Value> = filter
        .accounts(&state)
        .flat_map(|(key, account)| account.calls.iter().map(move |call| (key, call)))
        .filter(|(_, call)| {
            filter.operation.as_ref().is_none_or(|operation| call.operation == operation)
                && filter.request.as_ref().is_none_or(|request| call.request_id == *request)
        })
        .map(|(key, call)| {
            let mut row = json!(call);
            row["account"] = key.clone().into();
            row
        })
        .take(ROWS)
        .collect();
    reply(json!({ "calls": calls }))
}

/// `GET /_control/stats?account=`: totals over the accounts.
pub async fn stats(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let sum =
        |count: fn(&Account) -> usize| -> usize { filter.accounts(&state).map(|(_, account)| count(account)).sum() };
    let sessions = |status| -> usize {
        filter
            .accounts(&state)
            .map(|(_, account)| account.sessions.oldest().filter(|session| session.status == status).count())
            .sum()
    };
    let charges = |status| -> usize {
        filter
            .accounts(&state)
            .map(|(_, account)| account.charges.oldest().filter(|charge| charge.status == status).count())
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
        "deliveries": sum(|account| account.deliveries.len()),
    }))
}

/// `GET /_control/deliveries?account=&event=`: newest first.
pub async fn deliveries(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let rows: Vec<Value> = filter
        .accounts(&state)
        .flat_map(|(_, account)| account.deliveries.newest().map(move |delivery| (account, delivery)))
        .filter(|(_, delivery)| filter.event.as_ref().is_none_or(|event| delivery.event == *event))
        .take(ROWS)
        .map(|(account, delivery)| row(account, delivery))
        .collect();
    reply(json!({ "deliveries": rows }))
}

fn row(account: &Account, delivery: &Delivery) -> Value {
    let mut row = json!(delivery);
    row["type"] = account.events.get(&delivery.event).map(|event| event.kind.clone()).into();
    row["url"] = account.endpoints.get(&delivery.endpoint).map(|endpoint| endpoint.url.clone()).into();
    row
}
