//! What the page's forms do: each changes something, then shows the page again at the place it was sent from.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::{Draft, render};
use crate::{clock, control::switches, core::Core};

fn back(done: &str, count: usize, place: &str) -> Response {
    Redirect::to(&format!("/?done={done}&count={count}#{place}")).into_response()
}

/// `POST /_control/form/faults`
pub async fn add(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let draft = Draft::read(&body);
    let keys: HashMap<String, String> =
        core.lock().accounts.iter().map(|(key, account)| (account.id.clone(), key.clone())).collect();
    let added = draft
        .wanted(&keys)
        .and_then(|wanted| core.faults().add(vec![wanted]).map_err(|refusal| ("", refusal.to_string())));
    match added {
        Ok(added) => back("added", added.len(), "faults"),
        Err((field, message)) => render(&core, StatusCode::UNPROCESSABLE_ENTITY, &draft.refused(field, message), None),
    }
}

/// `POST /_control/form/faults/{id}/remove`
pub async fn remove(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Response {
    let done = if core.faults().remove(&id) { "removed" } else { "gone" };
    back(done, 1, "faults")
}

/// `POST /_control/form/faults/clear`
pub async fn clear(State(core): State<Arc<Core>>) -> Response {
    back("cleared", core.faults().clear(), "faults")
}

/// `POST /_control/form/webhooks`: `do` is `hold`, `release` or `release_reversed`.
pub async fn webhooks(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let draft = Draft::read(&body);
    match draft.get("do") {
        "hold" => {
            core.change(|state| switches::hold(state, true));
            back("held", 0, "webhooks")
        }
        order @ ("release" | "release_reversed") => {
            let released = core.change(|state| {
                switches::hold(state, false);
                let now_ms = clock::now_ms();
                let reversed = order == "release_reversed";
                state.accounts.values_mut().map(|account| account.release(now_ms, reversed)).sum()
            });
            back("released", released, "webhooks")
        }
        _ => refused(&core, "Choose to hold or to release the webhooks."),
    }
}

/// `POST /_control/form/advance`: `amount` of `unit` seconds.
pub async fn advance(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let draft = Draft::read(&body);
    let number = |name| draft.get(name).parse::<u32>().ok();
    let seconds = number("amount").zip(number("unit")).and_then(|(amount, unit)| amount.checked_mul(unit));
    match seconds.filter(|seconds| *seconds > 0) {
        Some(seconds) => back("advanced", switches::advance_by(&core, seconds), "time"),
        None => refused(&core, "Time was not advanced: give a whole number of at least 1, up to a hundred years."),
    }
}

/// `POST /_control/form/seed`
pub async fn seed(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let draft = Draft::read(&body);
    match draft.get("seed").parse() {
        Ok(seed) => {
            core.faults().seed(seed);
            back("seeded", 0, "time")
        }
        Err(_) => refused(&core, "The seed was not changed: give a whole number from 0."),
    }
}

/// `POST /_control/form/reset`
pub async fn reset(State(core): State<Arc<Core>>) -> Response {
    core.change(|state| switches::reset_all(state, clock::now_ms()));
    back("reset", 0, "webhooks")
}

/// The page again, with a sentence at its top.
fn refused(core: &Core, message: &str) -> Response {
    render(core, StatusCode::UNPROCESSABLE_ENTITY, &Draft::default(), Some(message))
}
