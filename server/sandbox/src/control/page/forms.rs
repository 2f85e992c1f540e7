//! The page's forms. Each makes a change and then shows the page again at the form's place.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::{Draft, render};
use crate::{control::switches, core::House, provider::Mounted};

fn back(done: &str, count: usize, place: &str) -> Response {
    Redirect::to(&format!("/?done={done}&count={count}#{place}")).into_response()
}

/// `POST /_control/form/faults`: adds a fault.
pub async fn add(State(house): State<Arc<House>>, body: Bytes) -> Response {
    let draft = Draft::read(&body);
    let key_of = |id: &str| house.providers.iter().find_map(|provider| provider.key_of(id));
    let added = draft
        .wanted(key_of)
        .and_then(|wanted| house.shared.faults.add(vec![wanted]).map_err(|refusal| ("", refusal.to_string())));
    match added {
        Ok(added) => back("added", added.len(), "faults"),
        Err((field, message)) => render(&house, StatusCode::UNPROCESSABLE_ENTITY, &draft.refused(field, message), None),
    }
}

/// `POST /_control/form/faults/{id}/remove`: removes a fault.
pub async fn remove(State(house): State<Arc<House>>, Path(id): Path<String>) -> Response {
    let done = if house.shared.faults.remove(&id) { "removed" } else { "gone" };
    back(done, 1, "faults")
}

/// `POST /_control/form/faults/clear`: removes all faults.
pub async fn clear(State(house): State<Arc<House>>) -> Response {
    back("cleared", house.shared.faults.clear(), "faults")
}

/// `POST /_control/form/webhooks`: `do` is `hold`, `release` or `release_reversed`.
pub async fn webhooks(State(house): State<Arc<House>>, body: Bytes) -> Response {
    let draft = Draft::read(&body);
    match draft.get("do") {
        "hold" => {
            house.providers.iter().for_each(|provider| provider.hold(true));
            back("held", 0, "webhooks")
        }
        order @ ("release" | "release_reversed") => {
            let release = |provider: &Arc<dyn Mounted>| {
                provider.hold(false);
                provider.release(order == "release_reversed")
            };
            back("released", house.providers.iter().map(release).sum(), "webhooks")
        }
        _ => refused(&house, "Choose to hold or to release the webhooks."),
    }
}

/// `POST /_control/form/advance`: advances time by `amount` times `unit` seconds.
pub async fn advance(State(house): State<Arc<House>>, body: Bytes) -> Response {
    let draft = Draft::read(&body);
    let number = |name| draft.get(name).parse::<u32>().ok();
    let seconds = number("amount").zip(number("unit")).and_then(|(amount, unit)| amount.checked_mul(unit));
    match seconds.filter(|seconds| *seconds > 0) {
        Some(seconds) => back("advanced", switches::advance_by(&house, seconds), "time"),
        None => refused(&house, "Time was not advanced: give a whole number of at least 1, up to a hundred years."),
    }
}

/// `POST /_control/form/seed`: starts the sequence of a seed.
pub async fn seed(State(house): State<Arc<House>>, body: Bytes) -> Response {
    let draft = Draft::read(&body);
    match draft.get("seed").parse() {
        Ok(seed) => {
            house.shared.faults.seed(seed);
            back("seeded", 0, "time")
        }
        Err(_) => refused(&house, "The seed was not changed: give a whole number from 0."),
    }
}

/// `POST /_control/form/reset`: resets the switches and faults.
pub async fn reset(State(house): State<Arc<House>>) -> Response {
    switches::reset_all(&house);
    back("reset", 0, "webhooks")
}

/// The page with a sentence about the refusal at its top.
fn refused(house: &House, message: &str) -> Response {
    render(house, StatusCode::UNPROCESSABLE_ENTITY, &Draft::default(), Some(message))
}
