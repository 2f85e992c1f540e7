//! Switches: how all webhooks behave, and what happens next.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Number, json};

use super::{DUPLICATES, number::permille, read, refuse, reply};
use crate::{
    clock,
    core::{self, Core},
    stripe::webhooks::Rules,
};

/// A change of the rules for webhooks; absent fields stay as they are.
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
    stale: Option<bool>,
    amount_delta: Option<i32>,
    unknown_values: Option<bool>,
    retry_scale: Option<Number>,
    reversed: bool,
}

/// `GET /_control/webhooks`, `GET /_control/faults`: how things are set.
pub async fn show(State(core): State<Arc<Core>>) -> Response {
    let state = core.lock();
    let accounts: serde_json::Map<_, _> =
        state.accounts.iter().map(|(key, account)| (key.clone(), json!(account.rules))).collect();
    let faults = &state.faults;
    reply(json!({
        "webhooks": state.rules,
        "accounts": accounts,
        "faults": faults.list(),
        "seed": faults.current_seed(),
    }))
}

/// `POST /_control/webhooks`
pub async fn webhooks(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let change: Change = match read(&body) {
        Ok(change) => change,
        Err(refused) => return *refused,
    };
    let scale = match change.retry_scale.as_ref().map(permille) {
        Some(None) => {
            return refuse(StatusCode::BAD_REQUEST, "retry_scale must be a number from 0 to 1000.");
        }
        Some(scale) => scale,
        None => None,
    };
    let now_ms = clock::now_ms();
    core.change(|state| {
        let mut released = 0;
        let all = change.account.is_none();
        if all {
            apply(&mut state.rules, &change, scale);
        }
        if let Some(key) = change.account.as_deref().filter(|key| crate::stripe::auth::is_test_key(key)) {
            state.account(key);
        }
        for (key, account) in &mut state.accounts {
            if all || change.account.as_ref() == Some(key) {
                apply(&mut account.rules, &change, scale);
                if change.hold == Some(false) {
                    released += account.release(now_ms, change.reversed);
                }
            }
        }
        reply(json!({"webhooks": state.rules, "released": released}))
    })
}

fn apply(rules: &mut Rules, change: &Change, scale: Option<i64>) {
    rules.delay_ms = change.delay_ms.map_or(rules.delay_ms, i64::from);
    rules.hold = change.hold.unwrap_or(rules.hold);
    rules.before_redirect = change.before_redirect.unwrap_or(rules.before_redirect);
    rules.duplicate = change.duplicate.map_or(rules.duplicate, |count| count.min(DUPLICATES));
    rules.drop = change.drop.unwrap_or(rules.drop);
    rules.tamper = change.tamper.unwrap_or(rules.tamper);
    rules.stale = change.stale.unwrap_or(rules.stale);
    rules.amount_delta = change.amount_delta.map_or(rules.amount_delta, i64::from);
    rules.unknown_values = change.unknown_values.unwrap_or(rules.unknown_values);
    rules.retry_permille = scale.unwrap_or(rules.retry_permille);
}

/// Keeps webhooks back, or no longer; of all accounts and of those yet to come.
pub(super) fn hold(state: &mut core::State, hold: bool) {
    state.rules.hold = hold;
    state.accounts.values_mut().for_each(|account| account.rules.hold = hold);
}

/// `POST /_control/reset`: rules and faults as they were at the start; held deliveries go out. Objects stay.
pub async fn reset(State(core): State<Arc<Core>>) -> Response {
    let now_ms = clock::now_ms();
    core.change(|state| reset_all(state, now_ms));
    reply(json!({"reset": true}))
}

/// Rules, faults and dice as they were at the start.
pub(super) fn reset_all(state: &mut core::State, now_ms: i64) {
    state.rules = Rules::default();
    state.faults.reset();
    state.adyen.reset(now_ms);
    for account in state.accounts.values_mut() {
        account.rules = Rules::default();
        account.release(now_ms, false);
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u32,
}

/// `POST /_control/advance {"seconds":N}`: whatever would happen by itself within that time happens now.
pub async fn advance(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let advance: Advance = match read(&body) {
        Ok(advance) => advance,
        Err(refused) => return *refused,
    };
    reply(json!({"happened": advance_by(&core, advance.seconds)}))
}

/// Runs the timers of the next seconds and sends the webhooks that would go out in them; how many things that makes.
pub(super) fn advance_by(core: &Core, seconds: u32) -> usize {
    let moment = core.moment();
    let until_ms = moment.now_ms + i64::from(seconds) * 1000;
    core.change(|state| {
        let happened = state.run_timers(until_ms, &moment) + state.adyen.hurry(moment.now_ms, until_ms);
        happened + state.accounts.values_mut().map(|account| account.hurry(moment.now_ms, until_ms)).sum::<usize>()
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDispute {
    payment_intent: String,
    amount: Option<i64>,
    reason: Option<String>,
}

/// `POST /_control/disputes`: the shopper disputes a payment, or a bank debit is returned late.
pub async fn dispute(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let wanted: NewDispute = match read(&body) {
        Ok(wanted) => wanted,
        Err(refused) => return *refused,
    };
    let moment = core.moment();
    let made = core.change(|state| {
        let account =
            state.accounts.values_mut().find(|account| account.intents.get(&wanted.payment_intent).is_some())?;
        let charge = account.intents.get(&wanted.payment_intent)?.latest_charge.clone()?;
        let reason = wanted.reason.as_deref().unwrap_or("fraudulent");
        let id = account.dispute(&charge, wanted.amount, reason, &moment)?;
        account.disputes.get(&id).map(crate::stripe::objects::dispute::Dispute::wire)
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

/// `POST /_control/disputes/{id}/close {"status":"won"|"lost"}`
pub async fn close_dispute(State(core): State<Arc<Core>>, Path(id): Path<String>, body: Bytes) -> Response {
    let verdict: Verdict = match read(&body) {
        Ok(verdict) => verdict,
        Err(refused) => return *refused,
    };
    if !matches!(verdict.status.as_str(), "won" | "lost") {
        return refuse(StatusCode::BAD_REQUEST, "status must be won or lost.");
    }
    let moment = core.moment();
    let closed = core.change(|state| {
        let account = state.accounts.values_mut().find(|account| account.disputes.get(&id).is_some())?;
        account.close_dispute(&id, verdict.status == "won", &moment)
    });
    closed.map_or_else(|| refuse(StatusCode::CONFLICT, "There is no open dispute with this id."), reply)
}

/// `POST /_control/events/{id}/resend`: from a test, or from the page's button.
pub async fn resend(State(core): State<Arc<Core>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let now_ms = clock::now_ms();
    let sent = core.change(|state| state.accounts.values_mut().find_map(|account| account.resend(&id, now_ms)));
    let browser =
        headers.get(header::ACCEPT).is_some_and(|accept| accept.to_str().unwrap_or_default().contains("text/html"));
    match sent {
        None => refuse(StatusCode::NOT_FOUND, "There is no event with this id."),
        Some(_) if browser => Redirect::to("/#webhooks").into_response(),
        Some(count) => reply(json!({"deliveries": count})),
    }
}
