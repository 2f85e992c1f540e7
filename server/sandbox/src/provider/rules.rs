//! How all webhooks of an account behave until it is changed back: the switches every provider has, and its own.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::control::faults::Plan;

/// The switches; set by the control API. `O` are those that one provider has to itself.
#[derive(Debug, Clone, Serialize)]
pub struct Rules<O> {
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
    /// Minor units taken above (or below) what was asked for.
    pub amount_delta: i64,
    /// Events have values and fields nobody has heard of.
    pub unknown_values: bool,
    /// Thousandths by which the waits between tries are multiplied.
    #[serde(rename = "retry_scale_permille")]
    pub retry_permille: i64,
    /// The provider's own.
    #[serde(flatten)]
    pub own: O,
}

/// Switches that one provider has to itself. Its fields are the fields of the control API.
pub trait OwnRules: Debug + Clone + Default + Serialize + DeserializeOwned + Send + 'static {
    /// Adds what they do to every webhook to what faults do to this one.
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
    /// Adds what the switches do to every webhook to what faults do to this one.
    pub fn amend(&self, plan: &mut Plan) {
        plan.delay_ms += self.delay_ms;
        plan.copies += self.duplicate;
        plan.dropped |= self.drop;
        plan.tampered |= self.tamper;
        self.own.amend(plan);
    }

    /// A wait between two tries, milliseconds, as the switch has it.
    pub fn scaled(&self, wait_ms: i64) -> i64 {
        wait_ms.saturating_mul(self.retry_permille) / 1000
    }

    /// The switches that are turned on, in words; but for `hold`, which has a button of its own.
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
