//! The settings of an account: its API version, its pricing, its restricted keys. They belong to the account, so they outlive a restart.

use std::{collections::BTreeSet, sync::Arc};

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::json;

use crate::{
    control::{read, refuse, reply},
    stripe::{
        Core, auth, money,
        pricing::Pricing,
        rights::{self, Restricted},
        version,
    },
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    account: String,
    api_version: String,
}

/// `POST /_control/stripe/version {"account":"sk_test_…","api_version":"2025-02-24.acacia"}`: sets the version of events, and of endpoints
/// and requests without a version of their own.
pub async fn set_version(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let wanted: Version = match read(&body) {
        Ok(wanted) => wanted,
        Err(refused) => return *refused,
    };
    if !auth::is_test_key(&wanted.account) || !version::well_formed(&wanted.api_version) {
        return refuse(
            StatusCode::BAD_REQUEST,
            "account must be a test key, and api_version a version such as 2025-02-24.acacia.",
        );
    }
    core.change(|state| {
        let Some(account) = state.accounts.open(&wanted.account) else {
            return refuse(StatusCode::CONFLICT, "There are too many accounts.");
        };
        account.api_version = Some(wanted.api_version.clone());
        reply(json!({"account": wanted.account, "api_version": wanted.api_version}))
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPricing {
    account: String,
    currency: Option<String>,
    rate_permille: Option<i64>,
}

/// `POST /_control/stripe/pricing {"account":"sk_test_…","currency":"usd","rate_permille":1100}`: switches adaptive pricing on, for
/// sessions that do not refuse it. A request without a currency switches it off.
pub async fn set_pricing(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let wanted: NewPricing = match read(&body) {
        Ok(wanted) => wanted,
        Err(refused) => return *refused,
    };
    let rate_permille = wanted.rate_permille.unwrap_or(1_000);
    let known = wanted.currency.as_deref().is_none_or(|currency| money::exponent(currency).is_some());
    if !auth::is_test_key(&wanted.account) || !known || !(1..=1_000_000).contains(&rate_permille) {
        return refuse(
            StatusCode::BAD_REQUEST,
            "account must be a test key, currency a code such as usd, and rate_permille from 1 to 1000000.",
        );
    }
    let pricing = wanted.currency.map(|currency| Pricing { currency, rate_permille });
    core.change(|state| {
        let Some(account) = state.accounts.open(&wanted.account) else {
            return refuse(StatusCode::CONFLICT, "There are too many accounts.");
        };
        account.pricing.clone_from(&pricing);
        reply(json!({"account": wanted.account, "pricing": pricing}))
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    key: String,
    account: String,
    rights: BTreeSet<String>,
}

/// `POST /_control/stripe/keys {"key":"rk_test_…","account":"sk_test_…","rights":["checkout_session_write"]}`: makes a restricted key of an
/// account, with exactly these rights.
pub async fn restrict(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let wanted: NewKey = match read(&body) {
        Ok(wanted) => wanted,
        Err(refused) => return *refused,
    };
    if !wanted.key.starts_with("rk_") || !auth::is_test_key(&wanted.key) || !auth::is_test_key(&wanted.account) {
        return refuse(StatusCode::BAD_REQUEST, "key must be like rk_test_…, and account a secret test key.");
    }
    let known = rights::all();
    if let Some(unknown) = wanted.rights.difference(&known).next() {
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        return refuse(
            StatusCode::BAD_REQUEST,
            &format!("There is no right {unknown}; there are {}.", known.join(", ")),
        );
    }
    core.change(|state| {
        if state.accounts.open(&wanted.account).is_none() {
            return refuse(StatusCode::CONFLICT, "There are too many accounts.");
        }
        let answer = json!({"key": wanted.key, "account": wanted.account, "rights": wanted.rights});
        state.restricted.insert(wanted.key, Restricted { account: wanted.account, rights: wanted.rights });
        reply(answer)
    })
}
