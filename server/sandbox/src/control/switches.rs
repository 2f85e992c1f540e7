//! The part of the control API that concerns all providers at once: time, the faults, and the way back to the start.

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

/// `GET /_control/faults`: what waits to go wrong, and what providers show beside it.
pub async fn show(State(house): State<Arc<House>>) -> Response {
    let mut shown = faults(&house.shared);
    house.providers.iter().for_each(|provider| shown.extend(provider.beside_faults()));
    reply(shown.into())
}

/// The faults and the seed of their dice.
pub fn faults(shared: &Shared) -> Map<String, Value> {
    let fields = [("faults", json!(shared.faults.list())), ("seed", shared.faults.current_seed().into())];
    fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// `POST /_control/reset`: switches and faults as they were at the start; held deliveries go out. Objects stay.
pub async fn reset(State(house): State<Arc<House>>) -> Response {
    reset_all(&house);
    reply(json!({"reset": true}))
}

/// Switches, faults and dice as they were at the start.
pub(super) fn reset_all(house: &House) {
    house.shared.faults.reset();
    house.providers.iter().for_each(|provider| provider.reset());
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u32,
}

/// `POST /_control/advance {"seconds":N}`: whatever would happen by itself within that time happens now.
pub async fn advance(State(house): State<Arc<House>>, body: Bytes) -> Response {
    let advance: Advance = match read(&body) {
        Ok(advance) => advance,
        Err(refused) => return *refused,
    };
    reply(json!({"happened": advance_by(&house, advance.seconds)}))
}

/// Runs the timers of the next seconds and sends the webhooks that would go out in them; how many things that makes.
pub(super) fn advance_by(house: &House, seconds: u32) -> usize {
    let until_ms = clock::now_ms() + i64::from(seconds) * 1000;
    house.providers.iter().map(|provider| provider.advance(until_ms)).sum()
}

/// `POST /_control/events/{id}/resend`: from a test, or from the page's button.
pub async fn resend(State(house): State<Arc<House>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let browser =
        headers.get(header::ACCEPT).is_some_and(|accept| accept.to_str().unwrap_or_default().contains("text/html"));
    match house.providers.iter().find_map(|provider| provider.resend(&id)) {
        None => refuse(StatusCode::NOT_FOUND, "There is no event with this id."),
        Some(_) if browser => Redirect::to("/#webhooks").into_response(),
        Some(count) => reply(json!({"deliveries": count})),
    }
}
