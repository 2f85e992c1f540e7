//! The part of the control API that every provider has, below `/_control/<name>`.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ROWS, read, refuse, reply};
use crate::{
    clock,
    core::Core,
    provider::{Account, Change, Provider, Wish},
};

/// The control addresses of a provider.
pub fn of<P: Provider>() -> Router<Arc<Core<P>>> {
    let at = |path: &str| format!("/_control/{}/{path}", P::ABOUT.name);
    Router::new()
        .route(&at("webhooks"), post(webhooks::<P>))
        .route(&at("calls"), get(calls::<P>))
        .route(&at("payments/{payment}/{action}"), post(act::<P>))
}

/// `POST …/webhooks`: changes the switches.
pub async fn webhooks<P: Provider>(State(core): State<Arc<Core<P>>>, body: Bytes) -> Response {
    let change: Change = match read(&body) {
        Ok(change) => change,
        Err(refused) => return *refused,
    };
    core.change(|state| {
        let accounts = state.accounts_mut();
        if let Some(key) = change.account.as_deref().filter(|key| P::is_key(key)) {
            accounts.open(key);
        }
        match accounts.turn(&change, clock::now_ms()) {
            Ok(released) => reply(json!({"webhooks": accounts.rules(), "released": released})),
            Err(message) => refuse(StatusCode::BAD_REQUEST, &message),
        }
    })
}

/// Filters of a list of calls.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    account: Option<String>,
    operation: Option<String>,
    request: Option<String>,
}

/// `GET …/calls?account=&operation=&request=`: the API calls received, oldest first.
pub async fn calls<P: Provider>(State(core): State<Arc<Core<P>>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let rows: Vec<Value> = state
        .accounts()
        .of(filter.account.as_deref())
        .flat_map(|(key, account)| account.common().calls.iter().map(move |call| (key, call)))
        .filter(|(_, call)| fits(filter.operation.as_ref(), call.operation))
        .filter(|(_, call)| fits(filter.request.as_ref(), &call.request_id))
        .take(ROWS)
        .map(|(key, call)| row(key, json!(call)))
        .collect();
    reply(json!({ "calls": rows }))
}

/// `POST …/payments/{payment}/{action} {"amount"?, "reason"?, "name"?}`: runs an action on a payment.
async fn act<P: Provider>(
    State(core): State<Arc<Core<P>>>,
    Path((payment, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let wish: Wish = match read(&body) {
        Ok(wish) => wish,
        Err(refused) => return *refused,
    };
    let now = core.now();
    match core.change(|state| state.act(&payment, &action, &wish, &now)) {
        Ok(done) => reply(done),
        Err(message) => refuse(StatusCode::CONFLICT, &message),
    }
}

/// Whether a value passes a filter. An absent filter passes every value.
pub fn fits(wanted: Option<&String>, value: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == value)
}

/// A row of a list, with its account.
pub fn row(key: &str, mut row: Value) -> Value {
    row["account"] = key.into();
    row
}
