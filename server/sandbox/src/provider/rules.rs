//! The lasting behaviour of an account's webhooks: the switches that every provider has, and the provider's own.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::control::faults::Plan;

/// The switches, set by the control API. `O` are the switches that only one provider has.
#[derive(Debug, Clone, Serialize)]
pub struct Rules<O> {
    /// The delay of every webhook.
    pub delay_ms: i64,
    /// Webhooks are held until they are released.
    pub hold: bool,
    /// The payment page waits for the acknowledgement before it sends the shopper back.
    pub before_redirect: bool,
    /// The number of extra copies of every delivery.
    pub duplicate: u32,
    /// Webhooks are dropped.
    pub drop: bool,
    /// Bodies are changed after signing.
    pub tamper: bool,
    /// The difference between the taken and the requested amount, in minor units. It may be negative.
    pub amount_delta: i64,
    /// Events have undocumented values and fields.
    pub unknown_values: bool,
    /// The factor for the waits between tries, in thousandths.
    #[serde(rename = "retry_scale_permille")]
    pub retry_permille: i64,
    /// The provider's own switches.
    #[serde(flatten)]
    pub own: O,
}

/// The switches that only one provider has. Their fields are the fields of the control API.
pub trait OwnRules: Debug + Clone + Default + Serialize + DeserializeOwned + Send + 'static {
    /// Adds the effect of these switches to the plan of a webhook.
    fn amend(&self, _plan: &mut Plan) {}

    /// The switches that are turned on, in words.
    fn turned(&self) -> Vec<String> {
        Vec::new()
    }
}

impl OwnRules for () {}

impl<O: Default> Default for Rules<O> {
    fn default() -> Self {
        Rules {
            delay_ms: 0,
            hold: false,
            before_redirect: false,
            duplicate: 0,
            drop: false,
            tamper: false,
            amount_delta: 0,
            unknown_values: false,
            retry_permille: 1000,
            own: O::default(),
        }
    }
}

impl<O: OwnRules> Rules<O> {
    /// Adds the effect of the switches to the plan of a webhook.
    pub fn amend(&self, plan: &mut Plan) {
        plan.delay_ms += self.delay_ms;
        plan.copies += self.duplicate;
        plan.dropped |= self.drop;
        plan.tampered |= self.tamper;
        self.own.amend(plan);
    }

    /// A wait between two tries in milliseconds, scaled by the switch.
    pub fn scaled(&self, wait_ms: i64) -> i64 {
        wait_ms.saturating_mul(self.retry_permille) / 1000
    }

    /// The switches that are turned on, in words. `hold` is left out because it has its own button.
    pub fn turned(&self) -> Vec<String> {
        let switches = [
            (self.delay_ms > 0, format!("delayed by {} ms", self.delay_ms)),
            (self.before_redirect, "before the redirect".to_owned()),
            (self.duplicate > 0, format!("{} extra copies", self.duplicate)),
            (self.drop, "dropped".to_owned()),
            (self.tamper, "changed after signing".to_owned()),
            (self.amount_delta != 0, format!("payments off by {} minor units", self.amount_delta)),
            (self.unknown_values, "unknown values".to_owned()),
            (self.retry_permille != 1000, format!("waits between tries at {} ‰", self.retry_permille)),
        ];
        let shared = switches.into_iter().filter(|(is, _)| *is).map(|(_, words)| words);
        shared.chain(self.own.turned()).collect()
    }
}
