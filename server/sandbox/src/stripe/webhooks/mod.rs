//! Events become deliveries; deliveries are sent, repeated and recorded (Stripe, Webhooks).

pub mod early;
mod kinds;
mod parcel;
mod queue;
mod send;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use kinds::KINDS;
pub use parcel::Parcel;
pub use send::send;

use super::{
    ids,
    objects::{
        endpoint::Endpoint,
        event::{Cause, Delivery, Event},
    },
    state::Account,
    version,
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

/// Who hears of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Every endpoint that wants its type.
    #[default]
    Everybody,
    /// Only those on an API version before 2025-03-31.
    Before2025,
}

impl Audience {
    /// Whether readers on this version are among them.
    pub fn includes(self, version: &str) -> bool {
        self == Audience::Everybody || version::shows_releases(version)
    }
}

impl Account {
    /// Records what happened and addresses it to every endpoint that wants to know.
    pub fn emit(&mut self, now_ms: i64, kind: &str, object: Value, previous: Option<Value>, cause: &Cause) -> String {
        self.announce((now_ms, kind, cause), (object, None), previous, Audience::Everybody)
    }

    /// The same for an object that looks different to those on an old version.
    pub fn emit_in_shapes(&mut self, now_ms: i64, kind: &str, object: Value, old: Value, cause: &Cause) -> String {
        let old = Some(old).filter(|old| *old != object);
        self.announce((now_ms, kind, cause), (object, old), None, Audience::Everybody)
    }

    /// The same for those only who see it.
    pub fn emit_to(&mut self, audience: Audience, now_ms: i64, kind: &str, object: Value, cause: &Cause) -> String {
        self.announce((now_ms, kind, cause), (object, None), None, audience)
    }

    fn announce(
        &mut self,
        (now_ms, kind, cause): (i64, &str, &Cause),
        (mut object, mut old): (Value, Option<Value>),
        previous: Option<Value>,
        audience: Audience,
    ) -> String {
        debug_assert!(KINDS.contains(&kind), "{kind} belongs in KINDS");
        if self.rules.unknown_values {
            spoil::unheard_of(&mut object, &["status"]);
            if let Some(old) = &mut old {
                spoil::unheard_of(old, &["status"]);
            }
        }
        let event = Event {
            id: ids::object("evt_1"),
            created: now_ms / 1000,
            kind: kind.to_owned(),
            object,
            old,
            audience,
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
        let audience = self.events.get(event).map(|event| event.audience).unwrap_or_default();
        let version = |endpoint: &Endpoint| endpoint.api_version.clone().unwrap_or_else(|| self.version().to_owned());
        let wants = |endpoint: &&Endpoint| endpoint.wants(kind) && audience.includes(&version(endpoint));
        let wants = self.endpoints.oldest().filter(wants);
        let interested: Vec<String> = wants.map(|endpoint| endpoint.id.clone()).collect();
        for endpoint in &interested {
            self.address(event, endpoint, now_ms);
        }
        interested.len()
    }
}
