//! The faults and switches of one webhook.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Fault, Kind, LONGEST_DELIVERY};

/// The delay of a late webhook, in milliseconds, unless the fault sets another.
const LATE_MS: u64 = 10_000;

/// The longest wait of a webhook for another one to overtake it, in milliseconds, unless the fault sets another.
const REORDER_MS: u64 = 60_000;

/// All changes to a webhook, by faults and by switches. The default is an unchanged delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// The body is changed after signing.
    pub tampered: bool,
    /// The signature has an old time.
    pub stale: bool,
    /// The signature has a future time.
    #[serde(skip_serializing_if = "is_default")]
    pub future: bool,
    /// The webhook is never sent.
    #[serde(skip_serializing_if = "is_default")]
    pub dropped: bool,
    /// The number of extra copies.
    #[serde(skip_serializing_if = "is_default")]
    pub copies: u32,
    /// The delay.
    #[serde(skip_serializing_if = "is_default")]
    pub delay_ms: i64,
    /// The longest time for which the webhook waits to be overtaken by the next one. 0 means that it does not wait.
    #[serde(skip_serializing_if = "is_default")]
    pub reorder_ms: i64,
    /// The reply that caused the webhook waits until the webhook is acknowledged.
    #[serde(skip_serializing_if = "is_default")]
    pub early: bool,
    /// The webhook is signed with another secret.
    #[serde(skip_serializing_if = "is_default")]
    pub wrong_key: bool,
    /// The webhook has no signature.
    #[serde(skip_serializing_if = "is_default")]
    pub unsigned: bool,
    /// The webhook names another account.
    #[serde(skip_serializing_if = "is_default")]
    pub another_account: bool,
    /// The webhook has an undocumented status and field.
    #[serde(skip_serializing_if = "is_default")]
    pub unknown_value: bool,
    /// The minor units that are added to the webhook's amounts.
    #[serde(skip_serializing_if = "is_default")]
    pub amount_delta: i64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Plan {
    /// Adds the effect of a fault. Faults of API calls change nothing.
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

    /// The kinds of the plan's changes, for people.
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
