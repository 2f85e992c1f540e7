//! What is done to one webhook on its way.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Fault, Kind, LONGEST_DELIVERY};

/// How long a late webhook takes, milliseconds, unless the fault says otherwise.
const LATE_MS: u64 = 10_000;

/// The longest a webhook waits for another one to overtake it, milliseconds, unless the fault says otherwise.
const REORDER_MS: u64 = 60_000;

/// Everything that is done to a webhook, by faults and by switches. The default is an honest delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// Changed after signing.
    pub tampered: bool,
    /// Signed with an old time.
    pub stale: bool,
    /// Signed with a time to come.
    #[serde(skip_serializing_if = "is_default")]
    pub future: bool,
    /// Never sent.
    #[serde(skip_serializing_if = "is_default")]
    pub dropped: bool,
    /// Copies sent besides the first.
    #[serde(skip_serializing_if = "is_default")]
    pub copies: u32,
    /// Sent this much later.
    #[serde(skip_serializing_if = "is_default")]
    pub delay_ms: i64,
    /// Kept back until the next one has gone, at most this long; 0 is not at all.
    #[serde(skip_serializing_if = "is_default")]
    pub reorder_ms: i64,
    /// The reply that caused it waits until it is acknowledged.
    #[serde(skip_serializing_if = "is_default")]
    pub early: bool,
    /// Signed with another secret.
    #[serde(skip_serializing_if = "is_default")]
    pub wrong_key: bool,
    /// Without a signature.
    #[serde(skip_serializing_if = "is_default")]
    pub unsigned: bool,
    /// Says that it is about another account.
    #[serde(skip_serializing_if = "is_default")]
    pub another_account: bool,
    /// Has a status and a field nobody has heard of.
    #[serde(skip_serializing_if = "is_default")]
    pub unknown_value: bool,
    /// Minor units added to the amounts it states.
    #[serde(skip_serializing_if = "is_default")]
    pub amount_delta: i64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Plan {
    /// Adds what a fault does; what is about API calls changes nothing.
    pub fn apply(&mut self, fault: &Fault) {
        let wait = |default_ms: u64| {
            let wait = Duration::from_millis(fault.delay_ms.unwrap_or(default_ms)).min(LONGEST_DELIVERY);
            i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
        };
        match fault.kind {
            Kind::Duplicate => self.copies += fault.copies.unwrap_or(1),
            Kind::Reorder => self.reorder_ms = wait(REORDER_MS).max(1),
            Kind::Early => self.early = true,
            Kind::Late => self.delay_ms += wait(LATE_MS),
            Kind::Drop => self.dropped = true,
            Kind::Stale => self.stale = true,
            Kind::Future => self.future = true,
            Kind::Tamper => self.tampered = true,
            Kind::WrongKey => self.wrong_key = true,
            Kind::MissingSignature => self.unsigned = true,
            Kind::AnotherAccount => self.another_account = true,
            Kind::UnknownValue => self.unknown_value = true,
            Kind::WrongAmount => self.amount_delta += fault.delta(),
            Kind::TimeoutAfterAccept
            | Kind::TimeoutBeforeAccept
            | Kind::Error500
            | Kind::Error500AfterAccept
            | Kind::Error500Stored
            | Kind::Error503
            | Kind::Html502
            | Kind::Html200
            | Kind::RateLimit429
            | Kind::InsufficientBalance
            | Kind::Conflict409
            | Kind::Slow => {}
        }
    }

    /// The kinds it consists of, for people.
    pub fn kinds(&self) -> Vec<Kind> {
        let parts = [
            (self.dropped, Kind::Drop),
            (self.copies > 0, Kind::Duplicate),
            (self.reorder_ms > 0, Kind::Reorder),
            (self.early, Kind::Early),
            (self.delay_ms > 0, Kind::Late),
            (self.stale, Kind::Stale),
            (self.future, Kind::Future),
            (self.tampered, Kind::Tamper),
            (self.wrong_key, Kind::WrongKey),
            (self.unsigned, Kind::MissingSignature),
            (self.another_account, Kind::AnotherAccount),
            (self.unknown_value, Kind::UnknownValue),
            (self.amount_delta != 0, Kind::WrongAmount),
        ];
        parts.into_iter().filter(|(is, _)| *is).map(|(_, kind)| kind).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Faults, Side, Wanted};
    use super::*;

    #[test]
    fn every_kind_about_webhooks_changes_the_plan_and_is_named_by_it() {
        for kind in Kind::ALL.iter().filter(|kind| kind.sides().contains(&Side::Webhook)) {
            let faults = Faults::default();
            let json = format!(r#"{{"fault":"{}"}}"#, kind.as_str());
            faults.add(Wanted::read(json.as_bytes()).unwrap()).unwrap();
            assert_eq!(faults.take_delivery("any", "x", "k", &[]).kinds(), [*kind]);
        }
    }

    #[test]
    fn deliveries_saved_by_an_older_version_are_read() {
        let plan: Plan = serde_json::from_str(r#"{"tampered":true,"stale":false}"#).unwrap();
        assert_eq!(plan, Plan { tampered: true, ..Plan::default() });
    }
}
