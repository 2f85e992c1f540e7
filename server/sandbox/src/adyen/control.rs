//! The control API's part for this provider: `/_control/adyen/…`.

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

use super::{
    Core, auth, notify,
    objects::Payment,
    state::{Account, Adyen, Endpoint},
};
use crate::{
    clock,
    control::{
        ROWS,
        every::{fits, row},
        read, refuse, reply,
    },
    delivery::Delivery,
};

/// The most payments in the overview.
const RECENT: usize = 25;

/// The control addresses.
pub fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/_control/adyen", get(show))
        .route("/_control/adyen/webhooks", get(show))
        .route("/_control/adyen/endpoint", post(endpoint))
        .route("/_control/adyen/checkouts", get(checkouts))
        .route("/_control/adyen/payments", get(payments))
        .route("/_control/adyen/notifications", get(notifications))
        .route("/_control/adyen/notifications/{id}/resend", post(resend))
}

/// A payment in the overview.
fn recent(payment: &Payment) -> Value {
    json!({
        "at": payment.created, "checkout": payment.checkout, "psp": payment.psp, "reference": payment.reference,
        "status": payment.standing(), "amount": super::money::display(payment.amount, &payment.currency),
    })
}

/// A delivery of a notification, for the control API.
fn told(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id, "notice": delivery.event, "status": delivery.status, "tries": delivery.tries,
        "due_ms": delivery.due_ms, "plan": delivery.plan,
    })
}

/// `GET /_control/adyen`: the settings and the counts of objects.
async fn show(State(core): State<Arc<Core>>) -> Response {
    let state = core.lock();
    let accounts: serde_json::Map<String, Value> = state
        .accounts
        .iter()
        .map(|(key, account)| {
            let about = json!({
                "merchant_account": account.merchant_account, "rules": account.common.rules,
                "webhook_url": account.endpoint.as_ref().map(|endpoint| &endpoint.url),
                "checkouts": account.checkouts.len(), "payments": account.payments.len(),
                "modifications": account.modifications.len(), "notifications": account.notices.len(),
                "waiting": account.queue.len(),
            });
            (key.to_owned(), about)
        })
        .collect();
    let recent: Vec<Value> = state.newest_payments(RECENT).into_iter().map(recent).collect();
    reply(json!({"webhooks": state.accounts.rules(), "accounts": accounts, "recent": recent}))
}

/// The address to which an account's notifications go.
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

/// `POST /_control/adyen/endpoint`: takes the place of the customer area's page. A request without a `url` removes the endpoint.
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
        let Some(account) = state.accounts.open(&wanted.account) else {
            return refuse(StatusCode::TOO_MANY_REQUESTS, "There are too many accounts.");
        };
        if wanted.merchant_account.is_some() {
            account.merchant_account = wanted.merchant_account;
        }
        account.set_endpoint(endpoint, clock::now_ms());
        let url = account.endpoint.as_ref().map(|endpoint| endpoint.url.clone());
        reply(json!({"merchant_account": account.merchant_account, "url": url}))
    })
}

/// The filters of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    account: Option<String>,
    checkout: Option<String>,
    reference: Option<String>,
    psp: Option<String>,
    code: Option<String>,
}

impl Filter {
    fn accounts<'s>(&'s self, state: &'s Adyen) -> impl Iterator<Item = (&'s str, &'s Account)> {
        state.accounts.of(self.account.as_deref())
    }
}

/// `GET /_control/adyen/checkouts?account=&reference=`: the links and sessions, newest first, including those whose reply was lost.
async fn checkouts(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let rows: Vec<Value> = filter
        .accounts(&state)
        .flat_map(|(key, account)| account.checkouts.newest().map(move |checkout| (key, checkout)))
        .filter(|(_, checkout)| fits(filter.reference.as_ref(), &checkout.reference))
        .take(ROWS)
        .map(|(key, checkout)| {
            let page = format!("{}/adyen/pay/{}", core.base(), checkout.id);
            row(
                key,
                json!({"id": checkout.id, "reference": checkout.reference, "status": checkout.status, "page": page}),
            )
        })
        .collect();
    reply(json!({ "checkouts": rows }))
}

/// `GET /_control/adyen/payments?account=&checkout=&reference=&psp=`: the payments, newest first.
async fn payments(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let rows: Vec<Value> = filter
        .accounts(&state)
        .flat_map(|(key, account)| account.payments.newest().map(move |payment| (key, payment)))
        .filter(|(_, payment)| {
            fits(filter.checkout.as_ref(), &payment.checkout)
                && fits(filter.reference.as_ref(), &payment.reference)
                && fits(filter.psp.as_ref(), &payment.psp)
        })
        .take(ROWS)
        .map(|(key, payment)| row(key, payment.report()))
        .collect();
    reply(json!({ "payments": rows }))
}

/// `GET /_control/adyen/notifications?account=&psp=&code=`: the notices, newest first. `psp` is the payment's reference or the event's own.
async fn notifications(State(core): State<Arc<Core>>, Query(filter): Query<Filter>) -> Response {
    let state = core.lock();
    let rows: Vec<Value> = filter
        .accounts(&state)
        .flat_map(|(key, account)| account.notices.newest().map(move |notice| (key, account, notice)))
        .filter(|(_, _, notice)| {
            let psp = filter.psp.as_ref();
            fits(filter.code.as_ref(), &notice.code) && (fits(psp, &notice.psp) || fits(psp, &notice.original))
        })
        .take(ROWS)
        .map(|(key, account, notice)| {
            let key_of_item = account.endpoint.as_ref().map_or("", |endpoint| &endpoint.hmac_key);
            let tries = account.deliveries.newest().take(ROWS).filter(|delivery| delivery.event == notice.id);
            let deliveries: Vec<Value> = tries.map(told).collect();
            row(key, json!({"id": notice.id, "item": notice.wire(key_of_item), "deliveries": deliveries}))
        })
        .collect();
    reply(json!({ "notifications": rows }))
}

/// `POST /_control/adyen/notifications/{id}/resend`: delivers a notice again.
async fn resend(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Response {
    let now_ms = clock::now_ms();
    let sent = core.change(|state| {
        let account = state.accounts.with(|account| account.notices.get(&id).is_some())?;
        Some(account.address(&id, now_ms))
    });
    match sent {
        Some(count) => reply(json!({ "deliveries": count })),
        None => refuse(StatusCode::NOT_FOUND, "There is no notification with this id."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Rules;

    #[test]
    fn the_document_tells_of_every_name() {
        let (_, document) = include_str!("../../../../docs/SANDBOX.md").split_once("\n## Adyen\n").unwrap();
        let rules = json!(Rules::<notify::Own>::default());
        let switches = rules.as_object().unwrap().keys().map(|name| name.trim_end_matches("_permille"));
        let operations = crate::adyen::operation::OPERATIONS.iter().map(|operation| operation.name);
        for name in notify::CODES.iter().copied().chain(operations).chain(switches) {
            assert!(document.contains(&format!("`{name}`")), "docs/SANDBOX.md does not tell of {name}");
        }
    }
}
