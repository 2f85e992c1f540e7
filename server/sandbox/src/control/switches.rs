//! The part of the control API that concerns all providers: time, faults, and reset.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{read, refuse, reply};
use crate::{
    clock,
    core::{House, Shared},
};

/// `GET /_control/faults`: the waiting faults, and the fields that providers add.
pub async fn show(State(house): State<Arc<House>>) -> Response {
    let mut shown = faults(&house.shared);
    house.providers.iter().for_each(|provider| shown.extend(provider.beside_faults()));
    reply(shown.into())
}

/// The faults and the seed of their random sequence.
pub fn faults(shared: &Shared) -> Map<String, Value> {
    let fields = [("faults", json!(shared.faults.list())), ("seed", shared.faults.current_seed().into())];
    fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// `POST /_control/reset`: resets switches and faults, and releases held deliveries. Objects stay.
pub async fn reset(State(house): State<Arc<House>>) -> Response {
    reset_all(&house);
    reply(json!({"reset": true}))
}

/// Resets the switches, the faults and the random sequence.
pub(super) fn reset_all(house: &House) {
    house.shared.faults.reset();
    house.providers.iter().for_each(|provider| provider.reset());
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u32,
}

/// `POST /_control/advance {"seconds":N}`: makes everything that is due within that time happen now.
pub async fn advance(State(house): State<Arc<House>>, body: Bytes) -> Response {
    let advance: Advance = match read(&body) {
        Ok(advance) => advance,
        Err(refused) => return *refused,
    };
    reply(json!({"happened": advance_by(&house, advance.seconds)}))
}

/// Runs the timers of the next seconds and sends the webhooks that are due in them. Returns their number.
pub(super) fn advance_by(house: &House, seconds: u32) -> usize {
    let until_ms = clock::now_ms() + i64::from(seconds) * 1000;
    house.providers.iter().map(|provider| provider.advance(until_ms)).sum()
}

/// `POST /_control/events/{id}/resend`: sends an event again, for a test or for the page's button.
pub async fn resend(State(house): State<Arc<House>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let browser =
        headers.get(header::ACCEPT).is_some_and(|accept| accept.to_str().unwrap_or_default().contains("text/html"));
    match house.providers.iter().find_map(|provider| provider.resend(&id)) {
        None => refuse(StatusCode::NOT_FOUND, "There is no event with this id."),
        Some(_) if browser => Redirect::to("/#webhooks").into_response(),
        Some(count) => reply(json!({"deliveries": count})),
    }
}
