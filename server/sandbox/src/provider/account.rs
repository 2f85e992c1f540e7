//! One account: everything that belongs to one key, strictly apart from every other.

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
    /// Stands for the key on the control page: `acct_…`.
    pub id: String,
    /// Replies kept for repeats.
    pub keys: Keys,
    /// Things that happen by themselves, by time in milliseconds since 1970.
    pub timers: BTreeSet<(i64, T)>,
    /// The provider's name.
    #[serde(skip)]
    pub provider: &'static str,
    /// The key that opens it, by which faults know it.
    #[serde(skip)]
    pub key: String,
    /// How the control API wants webhooks to behave.
    #[serde(skip)]
    pub rules: Rules<O>,
    /// The faults that may strike its webhooks, shared with the whole sandbox.
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

    /// Whether a fault of this kind waits for such a webhook; it is not used up.
    pub fn awaits(&self, kind: Kind, event: &str) -> bool {
        self.faults.awaits(kind, self.provider, event, &self.key)
    }
}

/// An account of one provider.
pub trait Account: Sends + Debug + Serialize + DeserializeOwned + Send + 'static {
    /// The switches that this provider has to itself; `()` for none.
    type Own: OwnRules;
    /// A thing that happens by itself; `()` where there is none.
    type Timer: Ord + Debug + Serialize + DeserializeOwned + Send;

    /// An empty account.
    fn new(common: Common<Self::Own, Self::Timer>) -> Self;

    /// The fields that all accounts have.
    fn common(&self) -> &Common<Self::Own, Self::Timer>;

    /// The same, to change them.
    fn common_mut(&mut self) -> &mut Common<Self::Own, Self::Timer>;

    /// Something happens by itself that was due at `at_ms` and happens now.
    fn ring(&mut self, _timer: Self::Timer, _at_ms: i64, _now: &Now<'_>) {}

    /// The type of an event, if there is such an event.
    fn kind_of(&self, event: &str) -> Option<&str>;

    /// Where an endpoint's webhooks go, if there is such an endpoint.
    fn url_of(&self, endpoint: &str) -> Option<&str>;

    /// Sends an event again to every endpoint that wants it; how many deliveries that makes, or nothing for no such event.
    fn resend(&mut self, _event: &str, _now_ms: i64) -> Option<usize> {
        None
    }

    /// The newest events for the control page, newest first, at most so many.
    fn happened(&self, _most: usize) -> Vec<Happened> {
        Vec::new()
    }

    /// Its objects, counted, for the control page: `("sessions", 3)`.
    fn holds(&self) -> Vec<(&'static str, usize)> {
        Vec::new()
    }

    /// Where its webhooks go, for the control page.
    fn endpoints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An event as the control page shows it.
#[derive(Debug, Clone)]
pub struct Happened {
    /// Its id.
    pub id: String,
    /// Unix seconds.
    pub at: i64,
    /// Its type.
    pub kind: String,
    /// The object it is about.
    pub about: String,
}

/// Enough of a key to recognise it, not enough to use it.
pub fn mask(key: &str) -> String {
    let shown: String = key.chars().take(8).collect();
    let last: Vec<char> = key.chars().rev().take(4).collect();
    if key.chars().count() <= 12 {
        format!("{shown}****")
    } else {
        format!("{shown}****{}", last.iter().rev().collect::<String>())
    }
}
