//! The control API of faults: list, add, remove, clear, and the seed of their random sequence.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    faults::{Kind, Refusal, Wanted},
    read, refuse, reply,
};
use crate::core::House;

/// `POST /_control/faults`: adds one fault or a list. 400 when a fault is malformed, 422 when one could never happen.
pub async fn add(State(house): State<Arc<House>>, body: Bytes) -> Response {
    let faults = &house.shared.faults;
    match Wanted::read(&body).map_err(Refusal::from).and_then(|wanted| faults.add(wanted)) {
        Ok(added) => reply(json!({"added": added, "faults": faults.list()})),
        Err(refusal @ Refusal::Malformed(_)) => refuse(StatusCode::BAD_REQUEST, &refusal.to_string()),
        Err(refusal @ Refusal::Impossible(_)) => refuse(StatusCode::UNPROCESSABLE_ENTITY, &refusal.to_string()),
    }
}

/// `DELETE /_control/faults/{id}`: removes one fault.
pub async fn remove(State(house): State<Arc<House>>, Path(id): Path<String>) -> Response {
    let faults = &house.shared.faults;
    if faults.remove(&id) {
        reply(json!({"removed": id, "faults": faults.list()}))
    } else {
        refuse(StatusCode::NOT_FOUND, "There is no fault with this id; it may have happened as often as it should.")
    }
}

/// `DELETE /_control/faults`: removes all faults. The switches stay.
pub async fn clear(State(house): State<Arc<House>>) -> Response {
    reply(json!({"cleared": house.shared.faults.clear(), "faults": []}))
}

/// `GET /_control/faults/kinds`: lists the kinds of faults.
pub async fn kinds(State(house): State<Arc<House>>) -> Response {
    let row = |kind: &Kind| {
        let effect = house.shared.faults.effect(*kind);
        json!({"fault": kind, "title": kind.title(), "effect": effect, "on": kind.sides()})
    };
    let kinds: Vec<Value> = Kind::ALL.iter().map(row).collect();
    reply(json!({ "kinds": kinds }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    seed: u64,
}

/// `POST /_control/seed {"seed":N}`: restarts the random sequence for faults with a probability.
pub async fn seed(State(house): State<Arc<House>>, body: Bytes) -> Response {
    let wanted: Seed = match read(&body) {
        Ok(wanted) => wanted,
        Err(refused) => return *refused,
    };
    house.shared.faults.seed(wanted.seed);
    reply(json!({"seed": wanted.seed}))
}

/// `GET /_control/seed`: the current seed.
pub async fn show_seed(State(house): State<Arc<House>>) -> Response {
    reply(json!({"seed": house.shared.faults.current_seed()}))
}
