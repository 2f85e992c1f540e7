//! Rows of captures, refunds, disputes and returns, and the events for merchants, written with the payment.

use std::collections::BTreeMap;

use domain::Millis;
use domain::id::EventId;
use domain::payment::{Attempt, ModificationKind, MovementKey, MovementKind, MovementRow, Payment, Told, rows};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::batch::Entry;
use super::follow_up::Step;
use crate::context::Context;
use crate::store::events::{NewEvent, OfPayment};
use crate::store::movements::Movement;

/// The rows of a batch that have changed, and the ids of the rows that are gone.
pub(super) fn changed(entries: &[&Entry], now: Millis) -> (Vec<Movement>, Vec<String>) {
    let (mut put, mut gone) = (vec![], vec![]);
    for entry in entries {
        for attempt in &entry.now.attempts {
            let known = entry.before.payment.attempt(&attempt.id);
            if known.is_some_and(|known| known.book == attempt.book && known.modifications == attempt.modifications) {
                continue;
            }
            let of = |payment: &Payment, attempt: &Attempt| -> BTreeMap<String, Movement> {
                let row = |row: &MovementRow| of_row(payment, attempt, row, entry.before.live, now);
                rows(attempt).iter().map(row).map(|row| (row.id.clone(), row)).collect()
            };
            let before = known.map(|known| of(&entry.before.payment, known)).unwrap_or_default();
            let after = of(&entry.now, attempt);
            gone.extend(before.keys().filter(|id| !after.contains_key(*id)).cloned());
            put.extend(after.into_iter().filter(|(id, row)| before.get(id) != Some(row)).map(|(_, row)| row));
        }
    }
    (put, gone)
}

/// The id of a row. It is derived from the row's attempt, kind and key, so that the rows of an attempt can be written again at any time.
/// A modification's row has the letters of the modification's own id.
fn id(attempt: &Attempt, kind: MovementKind, key: &MovementKey) -> String {
    let reference = match key {
        MovementKey::Modification(id) => {
            let (made, own) = (kind.id([0; 16]), id.as_str());
            let prefix = made.split('_').next().unwrap_or_default();
            return format!("{prefix}_{}", own.split('_').next_back().unwrap_or_default());
        }
        MovementKey::Reference(reference) => format!("/{reference}"),
        MovementKey::Total => String::new(),
    };
    let digest = Sha256::digest(format!("{}/{}{reference}", attempt.id, kind.as_str()));
    let mut bits = [0; 16];
    bits.copy_from_slice(&digest[..16]);
    kind.id(bits)
}

fn of_row(payment: &Payment, attempt: &Attempt, row: &MovementRow, live: bool, now: Millis) -> Movement {
    Movement {
        id: id(attempt, row.kind, &row.key),
        kind: row.kind.as_str().to_owned(),
        merchant: payment.merchant.to_string(),
        live,
        payment: payment.id.to_string(),
        attempt: attempt.id.to_string(),
        currency: payment.amount.currency.code().to_owned(),
        amount: row.amount,
        lost: row.lost,
        state: row.state.as_str().to_owned(),
        reason: row.reason.clone(),
        capture: row.capture.as_ref().map(|key| id(attempt, MovementKind::Capture, key)),
        reference: row.reference.clone(),
        deadline: row.deadline,
        created: now,
        updated: now,
    }
}

/// The events of a step, numbered after the payment's events before it.
pub(super) fn events(context: &Context, step: &Step<'_>, told: Vec<Told>) -> Vec<NewEvent> {
    let numbers = step.told + 1..;
    let event = |(number, told): (i64, Told)| {
        let (object_kind, object_id, snapshot) = object(step, &told);
        let name = told.name();
        let place = OfPayment { payment: step.after.id.clone(), number, seq: step.seq, told };
        NewEvent {
            id: EventId::from_random(context.env().timed_bits()),
            merchant: step.after.merchant.clone(),
            live: step.live,
            name,
            object_kind,
            object_id,
            snapshot,
            place: Some(place),
            source: step.source,
            actor: step.actor.to_owned(),
            at: step.now,
        }
    };
    numbers.zip(told).map(event).collect()
}

/// Whether a row is the object of the news.
type IsIt<'a> = Box<dyn Fn(&MovementRow) -> bool + 'a>;

/// The object of the news: its kind, its id, and its present state.
fn object(step: &Step<'_>, told: &Told) -> (&'static str, String, Value) {
    let (attempt, kind, is_it): (_, _, IsIt<'_>) = match told {
        Told::Refund { attempt, reference, .. } => {
            (attempt, MovementKind::Refund, Box::new(|row| row.reference.as_ref() == Some(reference)))
        }
        Told::Dispute { attempt, reference, .. } => {
            (attempt, MovementKind::Dispute, Box::new(|row| row.reference.as_ref() == Some(reference)))
        }
        Told::ModificationFailed { attempt, modification, kind } => {
            let kind = match kind {
                ModificationKind::Capture { .. } => MovementKind::Capture,
                ModificationKind::Refund { .. } => MovementKind::Refund,
                ModificationKind::Void => return payment(step),
            };
            (attempt, kind, Box::new(|row| row.key == MovementKey::Modification(modification.clone())))
        }
        Told::Status { .. }
        | Told::Captured { .. }
        | Told::Returned { .. }
        | Told::Declined { .. }
        | Told::SecondSuccess { .. } => return payment(step),
    };
    let found = step.after.attempt(attempt).and_then(|attempt| {
        let row = rows(attempt).into_iter().find(|row| row.kind == kind && is_it(row))?;
        Some(of_row(step.after, attempt, &row, step.live, step.now))
    });
    match found {
        Some(row) => (kind.as_str(), row.id.clone(), json!(row)),
        None => payment(step),
    }
}

fn payment(step: &Step<'_>) -> (&'static str, String, Value) {
    let payment = step.after;
    let snapshot = json!({
        "id": payment.id,
        "amount": payment.amount.minor,
        "currency": payment.amount.currency.code(),
        "status": payment.status().as_str(),
        "canceled": payment.canceled,
        "kept": payment.kept(),
        "flags": payment.flags(),
        "totals": payment.totals(),
    });
    ("payment", payment.id.to_string(), snapshot)
}
