//! This provider's part of the control API. Control addresses without a provider's name belong to Stripe too, because they are older than
//! the second provider.

mod accounts;
mod disputes;
mod reports;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use serde_json::{Map, Value, json};

use super::{
    Core,
    state::{Account, Stripe},
};
use crate::{
    control::{every, reply, switches},
    provider::Rules,
};

/// The addresses.
pub fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/_control/webhooks", get(show).post(every::webhooks::<Stripe>))
        .route("/_control/calls", get(every::calls::<Stripe>))
        .route("/_control/stats", get(reports::stats))
        .route("/_control/deliveries", get(reports::deliveries))
        .route("/_control/disputes", post(disputes::open))
        .route("/_control/disputes/{id}/close", post(disputes::close))
        .route("/_control/stripe/version", post(accounts::set_version))
        .route("/_control/stripe/pricing", post(accounts::set_pricing))
        .route("/_control/stripe/keys", post(accounts::restrict))
}

/// `GET /_control/webhooks`: the faults and switches.
async fn show(State(core): State<Arc<Core>>) -> Response {
    let mut shown = switches::faults(&core.shared);
    shown.extend(rules(&core.lock()));
    reply(shown.into())
}

/// The switches of each account, and those of future accounts.
pub fn rules(state: &Stripe) -> Map<String, Value> {
    let of = |(key, account): (&str, &Account)| (key.to_owned(), json!(account.common.rules));
    let accounts: Map<String, Value> = state.accounts.iter().map(of).collect();
    let all: &Rules<_> = state.accounts.rules();
    [("webhooks", json!(all)), ("accounts", accounts.into())]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}
