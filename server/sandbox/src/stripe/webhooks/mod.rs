//! Events become deliveries; deliveries are sent, repeated and recorded (Stripe, Webhooks).

pub mod early;
mod kinds;
mod parcel;
mod queue;
mod send;

use serde::Serialize;
use serde_json::Value;

pub use kinds::KINDS;
pub use parcel::Parcel;
pub use send::send;

use super::{
    ids,
    objects::event::{Cause, Delivery, Event},
    state::Account,
};
use crate::{
    control::faults::{Kind, Plan, spoil},
    delivery::DeliveryStatus,
    ids::fresh,
};

/// What faults call this provider.
pub const PROVIDER: &str = "stripe";

/// The fields whose values a fault replaces by unheard-of ones.
pub const ENUMS: &[&str] = &["status", "payment_status"];

/// Waits before the second, third and fourth try, milliseconds at scale 1. The provider's sandbox takes hours.
const RETRY_MS: [i64; 3] = [5_000, 30_000, 120_000];

/// How webhooks behave; set by the control API.
#[derive(Debug, Clone, Serialize)]
pub struct Rules {
    /// Sent this much later.
    pub delay_ms: i64,
    /// Kept back until released.
    pub hold: bool,
    /// The payment page waits for the acknowledgement before it sends the shopper back.
    pub before_redirect: bool,
    /// Extra copies of every delivery.
    pub duplicate: u32,
    /// Thrown away.
    pub drop: bool,
    /// Changed after signing.
    pub tamper: bool,
    /// Signed with an old time.
    pub stale: bool,
    /// Minor units charged above (or below) what the session asked for.
    pub amount_delta: i64,
    /// Objects in events have a status and a field nobody has heard of.
    pub unknown_values: bool,
    /// Thousandths by which the waits between tries are multiplied.
    #[serde(rename = "retry_scale_permille")]
    pub retry_permille: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            delay_ms: 0,
            hold: false,
            before_redirect: false,
            duplicate: 0,
            drop: false,
            tamper: false,
            stale: false,
            amount_delta: 0,
            unknown_values: false,
            retry_permille: 1000,
        }
    }
}

impl Rules {
    /// Adds what the switches do to every webhook to what faults do to this one.
    fn amend(&self, plan: &mut Plan) {
        plan.delay_ms += self.delay_ms;
        plan.copies += self.duplicate;
        plan.dropped |= self.drop;
        plan.tampered |= self.tamper;
        plan.stale |= self.stale;
    }

    /// When to try again after so many tries; nothing when enough is enough.
    pub(super) fn retry_after_ms(&self, tries: usize) -> Option<i64> {
        RETRY_MS.get(tries.checked_sub(1)?).map(|wait| wait.saturating_mul(self.retry_permille) / 1000)
    }
}

impl Account {
    /// Records what happened and addresses it to every endpoint that wants to know.
    pub fn emit(
        &mut self,
        now_ms: i64,
        kind: &str,
        mut object: Value,
        previous: Option<Value>,
        cause: &Cause,
    ) -> String {
        debug_assert!(KINDS.contains(&kind), "{kind} belongs in KINDS");
        if self.rules.unknown_values {
            spoil::unheard_of(&mut object, &["status"]);
        }
        let event = Event {
            id: ids::object("evt_1"),
            created: now_ms / 1000,
            kind: kind.to_owned(),
            object,
            previous,
            cause: cause.clone(),
            pending: 0,
        };
        let id = event.id.clone();
        self.events.insert(event);
        let interested = self.address_all(&id, kind, now_ms);
        if let Some(event) = self.events.get_mut(&id) {
            event.pending = u32::try_from(interested).unwrap_or(u32::MAX);
        }
        id
    }

    /// Puts an event on its way to one endpoint, under the current rules and faults.
    pub fn address(&mut self, event: &str, endpoint: &str, now_ms: i64) {
        let kind = self.events.get(event).map(|event| event.kind.clone()).unwrap_or_default();
        // Only one waits to be overtaken at a time: the next goes ahead of it.
        let waits = self.overtaken.get(endpoint).is_some_and(|waiting| !waiting.is_empty());
        let skip: &[Kind] = if waits { &[Kind::Reorder] } else { &[] };
        let mut plan = self.faults.take_delivery(PROVIDER, &kind, &self.key, skip);
        self.rules.amend(&mut plan);
        let status = DeliveryStatus::first(&plan, self.rules.hold);
        for _ in 0..=plan.copies {
            let delivery = Delivery {
                id: fresh("dlv_", 16),
                event: event.to_owned(),
                endpoint: endpoint.to_owned(),
                status,
                tries: Vec::new(),
                due_ms: now_ms + plan.delay_ms + plan.reorder_ms,
                plan: plan.clone(),
            };
            if status == DeliveryStatus::Waiting {
                self.enqueue(endpoint, delivery.due_ms, delivery.id.clone());
                if plan.reorder_ms > 0 {
                    self.overtaken.entry(endpoint.to_owned()).or_default().push(delivery.id.clone());
                }
            }
            self.deliveries.insert(delivery);
        }
    }

    /// Sends an event again to every endpoint that wants it; how many deliveries that makes.
    pub fn resend(&mut self, event: &str, now_ms: i64) -> Option<usize> {
        let kind = self.events.get(event)?.kind.clone();
        Some(self.address_all(event, &kind, now_ms))
    }

    /// Puts an event on its way to every endpoint that wants its kind; how many those are.
    fn address_all(&mut self, event: &str, kind: &str, now_ms: i64) -> usize {
        let wants = self.endpoints.oldest().filter(|endpoint| endpoint.wants(kind));
        let interested: Vec<String> = wants.map(|endpoint| endpoint.id.clone()).collect();
        for endpoint in &interested {
            self.address(event, endpoint, now_ms);
        }
        interested.len()
    }
}
