//! The control API's part for this provider: `/_control/adyen/…`.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};

use super::{
    auth,
    notify::{self, Rules},
    objects::Payment,
    state::{Account, Adyen, Endpoint},
    triggers::Wish,
};
use crate::{
    clock,
    control::{DUPLICATES, ROWS, number::permille, read, refuse},
    core::Core,
};

/// Payments in the overview.
const RECENT: usize = 25;

/// The control addresses.
pub fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/_control/adyen", get(show))
        .route("/_control/adyen/webhooks", get(show).post(webhooks))
        .route("/_control/adyen/endpoint", post(endpoint))
        .route("/_control/adyen/calls", get(calls))
        .route("/_control/adyen/checkouts", get(checkouts))
        .route("/_control/adyen/payments", get(payments))
        .route("/_control/adyen/payments/{psp}/{trigger}", post(trigger))
        .route("/_control/adyen/notifications", get(notifications))
        .route("/_control/adyen/notifications/{id}/resend", post(resend))
}

/// A payment as the overview shows it.
#[derive(Debug, Serialize)]
pub struct Recent {
    /// Unix seconds.
    pub at: i64,
    /// The link or session it was made on; its page is at `/adyen/pay/{checkout}`.
    pub checkout: String,
    /// The payment's PSP reference.
    pub psp: String,
    /// The merchant's reference.
    pub reference: String,
    /// For example `Authorised`.
    pub status: String,
    /// For people.
    pub amount: String,
}

/// The newest payments of all accounts, newest first: for the page at `/`.
pub fn recent_payments(adyen: &Adyen, most: usize) -> Vec<Recent> {
    let mut all: Vec<&Payment> =
        adyen.accounts.values().flat_map(|account| account.payments.newest().take(most)).collect();
    all.sort_by_key(|payment| std::cmp::Reverse(payment.created));
    let recent = all.into_iter().take(most).map(|payment| Recent {
        at: payment.created,
        checkout: payment.checkout.clone(),
        psp: payment.psp.clone(),
        reference: payment.reference.clone(),
        status: match &payment.dispute_state {
            Some(state) => format!("{}, dispute {state}", payment.status.as_str()),
            None => payment.status.as_str().to_owned(),
        },
        amount: super::money::display(payment.amount, &payment.currency),
    });
    recent.collect()
}

/// `GET /_control/adyen`: how things are set, and how much there is.
async fn show(State(core): State<Arc<Core>>) -> Response {
    let state = core.lock();
    let accounts: serde_json::Map<String, Value> = state
        .adyen
        .accounts
        .iter()
        .map(|(key, account)| {
            let about = json!({
                "merchant_account": account.merchant_account, "rules": account.rules,
                "webhook_url": account.endpoint.as_ref().map(|endpoint| &endpoint.url),
                "checkouts": account.checkouts.len(), "payments": account.payments.len(),
                "modifications": account.modifications.len(), "notifications": account.notices.len(),
                "waiting": account.queue.len(),
            });
            (key.clone(), about)
        })
        .collect();
    let recent = recent_payments(&state.adyen, RECENT);
    Json(json!({"webhooks": state.adyen.rules, "accounts": accounts, "recent": recent})).into_response()
}

/// A change of the rules; absent fields stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Change {
    account: Option<String>,
    delay_ms: Option<u32>,
    hold: Option<bool>,
    before_redirect: Option<bool>,
    duplicate: Option<u32>,
    drop: Option<bool>,
    tamper: Option<bool>,
    amount_delta: Option<i32>,
    unknown_values: Option<bool>,
    batch: Option<bool>,
    retry_scale: Option<Number>,
    modification_ms: Option<u32>,
    allow_double_payment: Option<bool>,
    reversed: bool,
}

impl Change {
    fn apply(&self, rules: &mut Rules, scale: Option<i64>) {
        rules.delay_ms = self.delay_ms.map_or(rules.delay_ms, i64::from);
        rules.hold = self.hold.unwrap_or(rules.hold);
        rules.before_redirect = self.before_redirect.unwrap_or(rules.before_redirect);
        rules.duplicate = self.duplicate.map_or(rules.duplicate, |count| count.min(DUPLICATES));
        rules.drop = self.drop.unwrap_or(rules.drop);
        rules.tamper = self.tamper.unwrap_or(rules.tamper);
        rules.amount_delta = self.amount_delta.map_or(rules.amount_delta, i64::from);
        rules.unknown_values = self.unknown_values.unwrap_or(rules.unknown_values);
        rules.batch = self.batch.unwrap_or(rules.batch);
        rules.modification_ms = self.modification_ms.map_or(rules.modification_ms, i64::from);
        rules.allow_double_payment = self.allow_double_payment.unwrap_or(rules.allow_double_payment);
        rules.retry_permille = scale.unwrap_or(rules.retry_permille);
    }
}

/// `POST /_control/adyen/webhooks`
async fn webhooks(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let change: Change = match read(&body) {
        Ok(change) => change,
        Err(refused) => return *refused,
    };
    let scale = match change.retry_scale.as_ref().map(permille) {
        Some(None) => return refuse(StatusCode::BAD_REQUEST, "retry_scale must be a number from 0 to 1000."),
        Some(scale) => scale,
        None => None,
    };
    let now_ms = clock::now_ms();
    core.change(|state| {
        let adyen = &mut state.adyen;
        if change.account.is_none() {
            change.apply(&mut adyen.rules, scale);
        }
        if let Some(key) = change.account.as_deref().filter(|key| auth::is_test_key(key)) {
            adyen.account(key);
        }
        let mut released = 0;
        for (key, account) in &mut adyen.accounts {
            if change.account.as_ref().is_none_or(|wanted| wanted == key) {
                change.apply(&mut account.rules, scale);
                if change.hold == Some(false) {
                    released += account.release(now_ms, change.reversed);
                }
            }
        }
        Json(json!({"webhooks": adyen.rules, "released": released})).into_response()
    })
}

/// Where an account's notifications go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewEndpoint {
    account: String,
    merchant_account: Option<String>,
    url: Option<String>,
    hmac_key: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

/// `POST /_control/adyen/endpoint`: stands for the customer area's page. Without a `url` the endpoint is taken away.
async fn endpoint(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let wanted: NewEndpoint = match read(&body) {
        Ok(wanted) => wanted,
        Err(refused) => return *refused,
    };
    if !auth::is_test_key(&wanted.account) {
        return refuse(StatusCode::BAD_REQUEST, "account must be an API key: AQE… or test_…, at least 16 characters.");
    }
    let basic = wanted.username.zip(wanted.password);
    let endpoint = match (wanted.url, wanted.hmac_key) {
        (None, _) => None,
        (Some(url), Some(hmac_key)) if notify::is_hmac_key(&hmac_key) && reqwest::Url::parse(&url).is_ok() => {
            Some(Endpoint { url, hmac_key, basic })
        }
        _ => {
            return refuse(
                StatusCode::BAD_REQUEST,
                "An endpoint needs an absolute url and a hmac_key of 64 hexadecimal digits.",
            );
        }
    };
    core.change(|state| {
        let Some(account) = state.adyen.account(&wanted.account) else {
            return refuse(StatusCode::TOO_MANY_REQUESTS, "There are too many accounts.");
        };
        if wanted.merchant_account.is_some() {
            account.merchant_account = wanted.merchant_account;
        }
        account.set_endpoint(endpoint, clock::now_ms());
        let url = account.endpoint.as_ref().map(|endpoint| endpoint.url.clone());
        Json(json!({"merchant_account": account.merchant_account, "url": url})).into_response()
    })
}

/// What a list is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    account: Option<String>,
    operation: Option<String>,
    checkout: Option<String>,
    reference: Option<String>,
    psp: Option<String>,
    code: Option<String>,
}

/// Whether a filter's value, if there is one, is this.
fn fits(wanted: Option<&String>, value: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == value)
}

impl Filter {
    fn accounts<'s>(&'s self, adyen: &'s Adyen) -> impl Iterator<Item = (&'s String, &'s Account)> {
        adyen.accounts.iter().filter(|(key, _)| fits(self.account.as_ref(), key))
    }
}

/// A row of a list with the account it belongs to.
fn row(key: &str, mut row: Value) -> Value {
    row["account"] = key.into();
    row
}

/// `GET /_control/adyen/calls?account=&operation=`: oldest first.
async fn calls(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let rows: Vec<Value> = filter
        .accounts(&state.adyen)
        .flat_map(|(key, account)| account.calls.iter().map(move |call| (key, call)))
        .filter(|(_, call)| fits(filter.operation.as_ref(), call.operation))
        .take(ROWS)
        .map(|(key, call)| row(key, json!(call)))
        .collect();
    Json(json!({ "calls": rows })).into_response()
}

/// `GET /_control/adyen/checkouts?account=&reference=`: the links and sessions, newest first, also those whose reply is lost.
async fn checkouts(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let rows: Vec<Value> = filter
        .accounts(&state.adyen)
        .flat_map(|(key, account)| account.checkouts.newest().map(move |checkout| (key, checkout)))
        .filter(|(_, checkout)| fits(filter.reference.as_ref(), &checkout.reference))
        .take(ROWS)
        .map(|(key, checkout)| {
            let page = format!("{}/adyen/pay/{}", core.base, checkout.id);
            row(
                key,
                json!({"id": checkout.id, "reference": checkout.reference, "status": checkout.status, "page": page}),
            )
        })
        .collect();
    Json(json!({ "checkouts": rows })).into_response()
}

/// `GET /_control/adyen/payments?account=&checkout=&reference=&psp=`: newest first.
async fn payments(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let rows: Vec<Value> = filter
        .accounts(&state.adyen)
        .flat_map(|(key, account)| account.payments.newest().map(move |payment| (key, payment)))
        .filter(|(_, payment)| {
            fits(filter.checkout.as_ref(), &payment.checkout)
                && fits(filter.reference.as_ref(), &payment.reference)
                && fits(filter.psp.as_ref(), &payment.psp)
        })
        .take(ROWS)
        .map(|(key, payment)| row(key, payment.report()))
        .collect();
    Json(json!({ "payments": rows })).into_response()
}

/// `GET /_control/adyen/notifications?account=&psp=&code=`: newest first; `psp` is the payment's or the event's own.
async fn notifications(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let rows: Vec<Value> = filter
        .accounts(&state.adyen)
        .flat_map(|(key, account)| account.notices.newest().map(move |notice| (key, account, notice)))
        .filter(|(_, _, notice)| {
            let psp = filter.psp.as_ref();
            fits(filter.code.as_ref(), &notice.code) && (fits(psp, &notice.psp) || fits(psp, &notice.original))
        })
        .take(ROWS)
        .map(|(key, account, notice)| {
            let key_of_item = account.endpoint.as_ref().map_or("", |endpoint| &endpoint.hmac_key);
            let tries = account.deliveries.newest().take(ROWS).filter(|delivery| delivery.notice == notice.id);
            let deliveries: Vec<Value> = tries.map(|delivery| json!(delivery)).collect();
            row(key, json!({"id": notice.id, "item": notice.wire(key_of_item), "deliveries": deliveries}))
        })
        .collect();
    Json(json!({ "notifications": rows })).into_response()
}

/// `POST /_control/adyen/notifications/{id}/resend`
async fn resend(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Response {
    let now_ms = clock::now_ms();
    let sent = core.change(|state| {
        let account = state.adyen.accounts.values_mut().find(|account| account.notices.get(&id).is_some())?;
        Some(account.address(&id, now_ms))
    });
    match sent {
        Some(count) => Json(json!({ "deliveries": count })).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "There is no notification with this id."),
    }
}

/// `POST /_control/adyen/payments/{psp}/{trigger} {"amount"?, "reason"?}`
async fn trigger(State(core): State<Arc<Core>>, Path((psp, name)): Path<(String, String)>, body: Bytes) -> Response {
    let wish: Wish = match read(&body) {
        Ok(wish) => wish,
        Err(refused) => return *refused,
    };
    let now_ms = clock::now_ms();
    let done = core.change(|state| match state.adyen.account_of_payment(&psp) {
        Some(account) => account.trigger(&psp, &name, &wish, &core.base, now_ms),
        None => Err("There is no such payment."),
    });
    match done {
        Ok(payment) => Json(payment).into_response(),
        Err(message) => refuse(StatusCode::CONFLICT, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_tells_of_every_name() {
        let (_, document) = include_str!("../../../../docs/SANDBOX.md").split_once("\n## Adyen\n").unwrap();
        let rules = json!(Rules::default());
        let switches = rules.as_object().unwrap().keys().map(|name| name.trim_end_matches("_permille"));
        let operations = crate::adyen::operation::OPERATIONS.iter().map(|operation| operation.name);
        for name in notify::CODES.iter().copied().chain(operations).chain(switches) {
            assert!(document.contains(&format!("`{name}`")), "docs/SANDBOX.md does not tell of {name}");
        }
    }
}
