//! Events and their deliveries: addresses, sends, repeats and records them (Stripe, Webhooks).

mod kinds;
mod parcel;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use kinds::KINDS;

use super::{
    ids,
    objects::{
        endpoint::Endpoint,
        event::{Cause, Event},
    },
    state::Account,
    version,
};
use crate::{
    control::faults::{Plan, spoil},
    delivery::{ByOutbox, Delivery, Outbox, Parcel},
    provider::OwnRules,
};

/// The fields whose values a fault replaces by undocumented ones.
pub const ENUMS: &[&str] = &["status", "payment_status"];

/// The switch that only this provider has, because not every provider signs a time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Own {
    /// Deliveries are signed with an old time.
    pub stale: bool,
}

impl OwnRules for Own {
    fn amend(&self, plan: &mut Plan) {
        plan.stale |= self.stale;
    }

    fn turned(&self) -> Vec<String> {
        self.stale.then(|| "signed with an old time".to_owned()).into_iter().collect()
    }
}

/// The endpoints that an event goes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Every endpoint that wants the event's type.
    #[default]
    Everybody,
    /// Only endpoints on an API version before 2025-03-31.
    Before2025,
}

impl Audience {
    /// Whether readers on this version belong to the audience.
    pub fn includes(self, version: &str) -> bool {
        self == Audience::Everybody || version::shows_releases(version)
    }
}

impl ByOutbox for Account {
    // The waits in milliseconds. In the real provider's sandbox they are hours.
    const RETRY_MS: &'static [i64] = &[5_000, 30_000, 120_000];

    fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    fn outbox_mut(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    fn parcel(&self, delivery: &Delivery, now_ms: i64) -> Option<Parcel> {
        parcel::of(self, delivery, now_ms)
    }

    fn accepted(&mut self, event: &str) {
        if let Some(event) = self.events.get_mut(event) {
            event.pending = event.pending.saturating_sub(1);
        }
    }
}

impl Account {
    /// Records an event and addresses it to every endpoint that wants it.
    pub fn emit(&mut self, now_ms: i64, kind: &str, object: Value, previous: Option<Value>, cause: &Cause) -> String {
        self.announce((now_ms, kind, cause), (object, None), previous, Audience::Everybody)
    }

    /// Records and addresses an event whose object looks different on an old version.
    pub fn emit_in_shapes(&mut self, now_ms: i64, kind: &str, object: Value, old: Value, cause: &Cause) -> String {
        let old = Some(old).filter(|old| *old != object);
        self.announce((now_ms, kind, cause), (object, old), None, Audience::Everybody)
    }

    /// Records and addresses an event for one audience only.
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
        if self.common.rules.unknown_values {
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

    /// Addresses an event to every endpoint that wants its type. Returns the number of endpoints.
    pub fn address_all(&mut self, event: &str, kind: &str, now_ms: i64) -> usize {
        let audience = self.events.get(event).map(|event| event.audience).unwrap_or_default();
        let version = |endpoint: &Endpoint| endpoint.api_version.clone().unwrap_or_else(|| self.version().to_owned());
        let wants = |endpoint: &&Endpoint| endpoint.wants(kind) && audience.includes(&version(endpoint));
        let wants = self.endpoints.oldest().filter(wants);
        let interested: Vec<String> = wants.map(|endpoint| endpoint.id.clone()).collect();
        for endpoint in &interested {
            self.post(event, endpoint, now_ms);
        }
        interested.len()
    }
}
