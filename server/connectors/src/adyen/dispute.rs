//! The life of a dispute (Adyen documentation, Dispute webhooks).
//!
//! All events of one dispute carry the same `pspReference`, that of the dispute; `originalReference` is the disputed payment's.
//! So the `pspReference` identifies the dispute in the book. (For some events an account must have them switched on:
//! `docs/OPERATIONS.md`.) The time of an event is not signed, and events come in any order; how far each is along the way of a
//! dispute takes the place of a time. Several events of one name are parts of one step, if their amounts differ.

use domain::Millis;
use domain::payment::{DisputeState, Movement};
use domain::time;

use super::decline::text;
use super::item::Notification;

/// The event that says that what came back stays.
const FINAL: &str = "ISSUER_RESPONSE_TIMEFRAME_EXPIRED";

/// How far along an event is, and where the dispute then stands. A defence takes the money back for the time being
/// (`CHARGEBACK_REVERSED`, maybe a part of it only); the bank can take it a second time, and then keeps it.
fn stage(event: &str) -> Option<(Millis, DisputeState)> {
    Some(match event {
        "REQUEST_FOR_INFORMATION" | "NOTIFICATION_OF_CHARGEBACK" => (1, DisputeState::Inquiry),
        "CHARGEBACK" => (2, DisputeState::Open),
        // Not defended in time, or accepted.
        "DISPUTE_DEFENSE_PERIOD_ENDED" => (3, DisputeState::Lost),
        "CHARGEBACK_REVERSED" => (4, DisputeState::Won),
        // The bank has not answered: what came back stays. It moves no money of its own.
        FINAL => (4, DisputeState::Won),
        // The bank has declined the defence. What is told after it is arbitration, which the merchant has to ask for.
        "SECOND_CHARGEBACK" => (6, DisputeState::Lost),
        "PREARBITRATION_WON" => (7, DisputeState::Won),
        "PREARBITRATION_LOST" => (7, DisputeState::Lost),
        "SCHEME_ARBITRATION_WON" => (8, DisputeState::Won),
        "SCHEME_ARBITRATION_LOST" => (8, DisputeState::Lost),
        _ => return None,
    })
}

/// Whether an event is about a dispute.
pub(super) fn is_dispute(event: &str) -> bool {
    stage(event).is_some()
}

/// What an event says of its dispute. A bank that takes back a direct debit looks the same, because the payment method is not
/// signed; either way the money is gone and may come back.
pub(super) fn movement(item: &Notification, amount: i64) -> Option<Movement> {
    let (at, state) = stage(item.event_code())?;
    let reference = item.own_reference();
    // Not signed; it moves no money, and a merchant who sees it looks at Adyen before relying on it.
    let due = item.additional_data.as_ref().and_then(|more| text(more.defense_period_ends_at.as_ref()));
    let due = due.and_then(|due| time::parse(&due));
    Some(Movement::Dispute { reference, amount, state, at, due, part: item.event_code() != FINAL, dated: dated(item) })
}

/// What an event of a dispute is known by, after its name, reference and success. A dispute can come back, or be taken, in parts,
/// each with the same reference: the amount tells them apart. Equal parts differ in the date alone. It is not signed, so an event
/// with another date is kept, and moves no money.
pub(super) fn mark(item: &Notification) -> String {
    let amount = item.amount.as_ref().map(|amount| amount.value_text()).unwrap_or_default();
    dated(item).map_or_else(|| amount.to_owned(), |dated| format!("{amount}:{dated}"))
}

/// When Adyen says that it happened.
fn dated(item: &Notification) -> Option<Millis> {
    time::parse(&text(item.event_date.as_ref())?)
}
