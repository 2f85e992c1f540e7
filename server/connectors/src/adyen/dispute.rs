//! The life of a dispute (Adyen documentation, Dispute webhooks).
//!
//! All events of one dispute carry the same `pspReference`, which is the dispute's; `originalReference` is the disputed payment's. So the
//! `pspReference` identifies the dispute in the book. (Some of the events must be switched on for an account: `docs/OPERATIONS.md`.) The
//! time of an event is not signed, and events arrive in any order, so an event's stage in a dispute takes the place of its time. Several
//! events of one name with different amounts are parts of one step.

use domain::Millis;
use domain::payment::{DisputeState, Movement};
use domain::time;

use super::decline::text;
use super::item::Notification;

/// The event that the bank has not answered a defence in time: the money that came back stays with the merchant.
const FINAL: &str = "ISSUER_RESPONSE_TIMEFRAME_EXPIRED";

/// The stage of an event, and the state of the dispute after it. A defence takes the money back for the time being (`CHARGEBACK_REVERSED`,
/// possibly only a part). The bank can take the money a second time, and then keeps it.
fn stage(event: &str) -> Option<(Millis, DisputeState)> {
    Some(match event {
        "REQUEST_FOR_INFORMATION" | "NOTIFICATION_OF_CHARGEBACK" => (1, DisputeState::Inquiry),
        "CHARGEBACK" => (2, DisputeState::Open),
        // The dispute was not defended in time, or was accepted.
        "DISPUTE_DEFENSE_PERIOD_ENDED" => (3, DisputeState::Lost),
        "CHARGEBACK_REVERSED" => (4, DisputeState::Won),
        // The bank has not answered, so the money that came back stays. The event moves no money itself.
        FINAL => (4, DisputeState::Won),
        // The bank has declined the defence. Later events come from arbitration, which the merchant has to ask for.
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

/// The movement of an event's dispute. A bank that takes back a direct debit looks the same, because the payment method is not signed. In
/// both cases the money is gone and may come back.
pub(super) fn movement(item: &Notification, amount: i64) -> Option<Movement> {
    let (at, state) = stage(item.event_code())?;
    let reference = item.own_reference();
    // The deadline is not signed, but it moves no money, and a merchant looks at Adyen before relying on it.
    let due = item.additional_data.as_ref().and_then(|more| text(more.defense_period_ends_at.as_ref()));
    let due = due.and_then(|due| time::parse(&due));
    Some(Movement::Dispute { reference, amount, state, at, due, part: item.event_code() != FINAL, dated: dated(item) })
}

/// The part of an event's id after its name, reference and success. A dispute can take money, or give it back, in parts with the same
/// reference: the amount distinguishes them. Equal parts differ only in the date. The date is not signed, so an event with another date is
/// stored, but moves no money.
pub(super) fn mark(item: &Notification) -> String {
    let amount = item.amount.as_ref().map(|amount| amount.value_text()).unwrap_or_default();
    dated(item).map_or_else(|| amount.to_owned(), |dated| format!("{amount}:{dated}"))
}

/// The event's time according to Adyen.
fn dated(item: &Notification) -> Option<Millis> {
    time::parse(&text(item.event_date.as_ref())?)
}
