//! The hosted payment page of links and sessions. It uses plain forms; scripts only save typing.

mod form;
mod pages;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};

use super::{
    Core, ids,
    objects::{Checkout, Kind, Status},
    payments::Step,
    state::Account,
};
use crate::{
    clock,
    delivery::{acknowledged, early},
    page,
};

/// The most bytes of a submitted form.
const FORM: usize = 16 * 1024;

/// The page's addresses.
pub fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/adyen/pay/{id}", get(show).post(submit))
        .route("/adyen/pay/{id}/3ds", get(show_bank).post(answer_bank))
        .route("/adyen/pay/{id}/cancel", post(cancel))
        .layer(DefaultBodyLimit::max(FORM))
}

/// The current state of a checkout, and whether it takes a payment.
fn find(core: &Core, id: &str) -> Option<(Checkout, bool)> {
    let mut state = core.lock();
    let account = state.account_of_checkout(id)?;
    let checkout = account.checkouts.get(id)?;
    Some((checkout.clone(), account.payable(checkout, clock::now_ms())))
}

/// `GET /adyen/pay/{id}`
async fn show(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Response {
    match find(&core, &id) {
        None => pages::unknown(),
        Some((checkout, false)) => pages::closed(&checkout),
        Some((checkout, true)) => pages::pay(StatusCode::OK, &checkout, &form::Fields::default()),
    }
}

/// `POST /adyen/pay/{id}`: a card, or one of the buttons that need no card.
async fn submit(State(core): State<Arc<Core>>, Path(id): Path<String>, body: Bytes) -> Response {
    let Some((checkout, payable)) = find(&core, &id) else {
        return pages::unknown();
    };
    if !payable {
        return pages::closed(&checkout);
    }
    let fields = form::Fields::read(&body);
    let (instrument, authenticates) = match fields.check(clock::now_ms() / 1000) {
        Ok(card) => card,
        Err(refused) => return pages::pay(StatusCode::UNPROCESSABLE_ENTITY, &checkout, &refused),
    };
    let step = answering(&core, &id, |account| {
        // A form that is sent again by reloading counts once.
        let stale = account.checkouts.get(&id).is_some_and(|now| fields.attempt.is_some_and(|sent| sent < now.tries));
        let refused = account.checkouts.get(&id).is_some_and(|now| now.refusal.is_some());
        if stale && refused {
            return Step::Refused;
        }
        account.pay(&id, instrument, authenticates, clock::now_ms())
    })
    .await;
    next(&core, &id, step).await
}

/// `GET /adyen/pay/{id}/3ds`
async fn show_bank(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Response {
    match find(&core, &id) {
        None => pages::unknown(),
        Some((checkout, false)) => pages::closed(&checkout),
        Some((checkout, true)) if checkout.challenge.is_none() => leave(&format!("/adyen/pay/{id}")),
        Some((checkout, true)) => pages::bank(&checkout),
    }
}

/// `POST /adyen/pay/{id}/3ds`: `result=complete` or `result=fail`.
async fn answer_bank(State(core): State<Arc<Core>>, Path(id): Path<String>, body: Bytes) -> Response {
    let passed = url::form_urlencoded::parse(&body).any(|(name, value)| name == "result" && value == "complete");
    let step = answering(&core, &id, |account| account.authenticate(&id, passed, clock::now_ms())).await;
    match step {
        Some(Step::Refused) => leave(&format!("/adyen/pay/{id}")),
        step => next(&core, &id, step).await,
    }
}

/// `POST /adyen/pay/{id}/cancel`: the shopper goes back without paying. The page stays open, and no notification is sent.
async fn cancel(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Response {
    let Some((checkout, payable)) = find(&core, &id) else {
        return pages::unknown();
    };
    if !payable {
        return pages::closed(&checkout);
    }
    let back = match checkout.kind {
        Kind::Link => checkout.return_url.clone(),
        Kind::Session => return_url(&core, &checkout, true),
    };
    back.map_or_else(|| pages::cancelled(&checkout), |back| leave(&back))
}

/// Takes a step with the account of a page, and waits for notices that must arrive before the answer.
async fn answering(core: &Core, id: &str, step: impl FnOnce(&mut Account) -> Step) -> Option<Step> {
    let (step, mark) = core.change(|state| Some(state.account_of_checkout(id)?.answering(step)))?;
    early(core, mark, |state| state.account_of_checkout(id)).await;
    Some(step)
}

/// The reply that sends the shopper on after a step.
async fn next(core: &Core, id: &str, step: Option<Step>) -> Response {
    let (Some(step), Some((checkout, _))) = (step, find(core, id)) else {
        return pages::unknown();
    };
    match step {
        Step::Authenticate => leave(&format!("/adyen/pay/{id}/3ds")),
        Step::Refused => pages::pay(StatusCode::PAYMENT_REQUIRED, &checkout, &form::Fields::default()),
        Step::Closed => pages::closed(&checkout),
        Step::Done(notices) => {
            acknowledged(core, &notices, |state| state.account_of_checkout(id)).await;
            match return_url(core, &checkout, false) {
                Some(back) => leave(&back),
                None => pages::paid(&checkout),
            }
        }
    }
}

/// The return address with the provider's parameters. These parameters prove nothing.
fn return_url(core: &Core, checkout: &Checkout, cancelled: bool) -> Option<String> {
    let mut back = url::Url::parse(checkout.return_url.as_deref()?).ok()?;
    match checkout.kind {
        Kind::Link => {
            back.query_pairs_mut().append_pair("redirectResult", &ids::opaque());
        }
        Kind::Session => {
            let result = core.change(|state| {
                let account = state.account_of_checkout(&checkout.id)?;
                account.freeze_result(&checkout.id, cancelled)
            })?;
            back.query_pairs_mut().append_pair("sessionId", &checkout.id).append_pair("sessionResult", &result);
        }
    }
    Some(back.into())
}

/// Whether a closed page was paid.
fn was_paid(checkout: &Checkout) -> bool {
    matches!(checkout.status, Status::Completed | Status::PaymentPending)
}

/// A 303 to a page of the sandbox, or to the merchant's address.
fn leave(target: &str) -> Response {
    page::leave(target, pages::unknown)
}
