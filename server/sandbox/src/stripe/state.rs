//! One account: everything that belongs to one secret key, strictly apart from every other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::{
    objects::{
        charge::Charge,
        dispute::Dispute,
        endpoint::Endpoint,
        event::{Delivery, Event},
        intent::Intent,
        refund::Refund,
        session::Session,
    },
    pricing::Pricing,
    version,
    webhooks::Rules,
};
use crate::{api::call::Calls, clock, control::faults::Faults, idempotency::Keys, ids::fresh, store::Store};

/// An account.
#[derive(Debug, Serialize, Deserialize)]
pub struct Account {
    /// `acct_…`.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// The API version it is set to, if not the newest.
    #[serde(default)]
    pub api_version: Option<String>,
    /// Whether shoppers are asked for a currency of their own.
    #[serde(default)]
    pub pricing: Option<Pricing>,
    /// Checkout sessions.
    pub sessions: Store<Session>,
    /// Payment intents.
    pub intents: Store<Intent>,
    /// Charges.
    pub charges: Store<Charge>,
    /// Refunds.
    pub refunds: Store<Refund>,
    /// Disputes.
    pub disputes: Store<Dispute>,
    /// Events.
    pub events: Store<Event>,
    /// Webhook endpoints.
    pub endpoints: Store<Endpoint>,
    /// Events on their way.
    pub deliveries: Store<Delivery>,
    /// What happens by itself, by time in milliseconds since 1970.
    pub timers: BTreeSet<(i64, Timer)>,
    /// Replies kept for repeats.
    pub keys: Keys,
    /// Deliveries that wait, per endpoint by time; rebuilt from `deliveries` after a restart.
    #[serde(skip)]
    pub queue: BTreeMap<String, BTreeSet<(i64, String)>>,
    /// Deliveries in the air, per endpoint.
    #[serde(skip)]
    pub in_flight: HashMap<String, usize>,
    /// How the control API wants webhooks to behave.
    #[serde(skip)]
    pub rules: Rules,
    /// The API calls received, oldest first.
    #[serde(skip)]
    pub calls: Calls,
    /// Its secret key, by which faults know it.
    #[serde(skip)]
    pub key: String,
    /// The faults that may strike its webhooks, shared with the whole sandbox.
    #[serde(skip)]
    pub faults: Faults,
    /// Deliveries that wait to be overtaken, per endpoint; after a restart they go at the end of their time.
    #[serde(skip)]
    pub overtaken: HashMap<String, Vec<String>>,
}

/// Something that happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Timer {
    /// A session's time is up.
    ExpireSession(String),
    /// A bank debit's result is known; the charge.
    SettleDebit(String),
    /// A refund changes its mind.
    MoveRefund(String),
    /// A holder disputes a charge.
    OpenDispute(String),
}

impl Account {
    /// The API version of those who name none.
    pub fn version(&self) -> &str {
        self.api_version.as_deref().unwrap_or(version::DEFAULT)
    }

    /// An empty account under the current rules.
    pub fn new(rules: Rules) -> Self {
        Account {
            id: fresh("acct_1", 15),
            created: clock::now_ms() / 1000,
            api_version: None,
            pricing: None,
            sessions: Store::default(),
            intents: Store::default(),
            charges: Store::default(),
            refunds: Store::default(),
            disputes: Store::default(),
            events: Store::default(),
            endpoints: Store::default(),
            deliveries: Store::default(),
            timers: BTreeSet::new(),
            keys: Keys::default(),
            queue: BTreeMap::new(),
            in_flight: HashMap::new(),
            rules,
            calls: Calls::default(),
            key: String::new(),
            faults: Faults::default(),
            overtaken: HashMap::new(),
        }
    }
}
