//! One account: all objects that belong to one key, strictly separated from all others.

use std::{collections::BTreeSet, fmt::Debug};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{OwnRules, Rules};
use crate::{
    api::call::Calls,
    clock::Now,
    control::faults::{Faults, Kind, Plan},
    delivery::Sends,
    idempotency::Keys,
    ids::fresh,
};

/// The fields that the accounts of all providers have. `O` are the provider's own switches, `T` its timers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Common<O, T: Ord> {
    /// The account's id, `acct_…`, which stands for the key on the control page.
    pub id: String,
    /// The replies stored under idempotency keys.
    pub keys: Keys,
    /// The account's timers, by time in milliseconds since 1970.
    pub timers: BTreeSet<(i64, T)>,
    /// The provider's name.
    #[serde(skip)]
    pub provider: &'static str,
    /// The key that opens the account. Faults identify the account by it.
    #[serde(skip)]
    pub key: String,
    /// The switches of the account's webhooks, set by the control API.
    #[serde(skip)]
    pub rules: Rules<O>,
    /// The faults that may strike the account's webhooks, shared with the whole sandbox.
    #[serde(skip)]
    pub faults: Faults,
    /// The API calls received, oldest first.
    #[serde(skip)]
    pub calls: Calls,
}

impl<O: Default, T: Ord> Default for Common<O, T> {
    fn default() -> Self {
        Common {
            id: fresh("acct_1", 15),
            keys: Keys::default(),
            timers: BTreeSet::new(),
            provider: "",
            key: String::new(),
            rules: Rules::default(),
            faults: Faults::default(),
            calls: Calls::default(),
        }
    }
}

impl<O: OwnRules, T: Ord> Common<O, T> {
    /// The plan that faults make for a webhook about this type of event. The kinds in `skip` are left for another webhook.
    /// [`Rules::amend`] adds the switches.
    pub fn strike(&self, event: &str, skip: &[Kind]) -> Plan {
        self.faults.take_delivery(self.provider, event, &self.key, skip)
    }

    /// Whether a fault of this kind waits for such a webhook. The fault is not used up.
    pub fn awaits(&self, kind: Kind, event: &str) -> bool {
        self.faults.awaits(kind, self.provider, event, &self.key)
    }
}

/// An account of one provider.
pub trait Account: Sends + Debug + Serialize + DeserializeOwned + Send + 'static {
    /// The switches that only this provider has. `()` means none.
    type Own: OwnRules;
    /// The events that timers bring about. `()` means none.
    type Timer: Ord + Debug + Serialize + DeserializeOwned + Send;

    /// An empty account.
    fn new(common: Common<Self::Own, Self::Timer>) -> Self;

    /// The fields that all accounts have.
    fn common(&self) -> &Common<Self::Own, Self::Timer>;

    /// The fields that all accounts have, to be changed.
    fn common_mut(&mut self) -> &mut Common<Self::Own, Self::Timer>;

    /// Handles a timer that was due at `at_ms` and runs now.
    fn ring(&mut self, _timer: Self::Timer, _at_ms: i64, _now: &Now<'_>) {}

    /// The type of an event, if the event exists.
    fn kind_of(&self, event: &str) -> Option<&str>;

    /// The address of an endpoint, if the endpoint exists.
    fn url_of(&self, endpoint: &str) -> Option<&str>;

    /// Sends an event again to every endpoint that wants it. Returns the number of deliveries, or `None` if the event does not exist.
    fn resend(&mut self, _event: &str, _now_ms: i64) -> Option<usize> {
        None
    }

    /// The newest events for the control page, newest first, up to a number.
    fn happened(&self, _most: usize) -> Vec<Happened> {
        Vec::new()
    }

    /// The counts of the account's objects for the control page: `("sessions", 3)`.
    fn holds(&self) -> Vec<(&'static str, usize)> {
        Vec::new()
    }

    /// The addresses of the account's endpoints, for the control page.
    fn endpoints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An event on the control page.
#[derive(Debug, Clone)]
pub struct Happened {
    /// The event's id.
    pub id: String,
    /// Unix seconds.
    pub at: i64,
    /// The event's type.
    pub kind: String,
    /// The object of the event.
    pub about: String,
}

/// A shortened key that people recognise but that opens no account.
pub fn mask(key: &str) -> String {
    let shown: String = key.chars().take(8).collect();
    let last: Vec<char> = key.chars().rev().take(4).collect();
    if key.chars().count() <= 12 {
        format!("{shown}****")
    } else {
        format!("{shown}****{}", last.iter().rev().collect::<String>())
    }
}
