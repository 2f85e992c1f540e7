//! The provider's state: its accounts by secret key, strictly separated, and their restricted keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    objects::{
        charge::Charge, dispute::Dispute, endpoint::Endpoint, event::Event, intent::Intent, refund::Refund,
        session::Session,
    },
    pricing::Pricing,
    rights::Restricted,
    version,
    webhooks::Own,
};
use crate::{
    clock,
    delivery::Outbox,
    provider::{Accounts, Common},
    store::Store,
};

/// The provider's state.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Stripe {
    /// The accounts by secret key.
    pub accounts: Accounts<Account>,
    /// The restricted keys, each with its account and rights.
    pub restricted: BTreeMap<String, Restricted>,
}

impl Stripe {
    /// The account that has this session.
    pub fn account_of_session(&mut self, session: &str) -> Option<&mut Account> {
        self.accounts.with(|account| account.sessions.get(session).is_some())
    }

    /// The account that has this payment intent.
    pub fn account_of_intent(&mut self, intent: &str) -> Option<&mut Account> {
        self.accounts.with(|account| account.intents.get(intent).is_some())
    }
}

/// An account.
#[derive(Debug, Serialize, Deserialize)]
pub struct Account {
    /// The fields that all accounts have; the id is `acct_…`.
    pub common: Common<Own, Timer>,
    /// Unix seconds.
    pub created: i64,
    /// The account's API version. `None` means the newest.
    pub api_version: Option<String>,
    /// The adaptive pricing, if shoppers are asked for a currency of their own.
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
    /// The deliveries of events.
    pub outbox: Outbox,
}

/// An event that a timer brings about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Timer {
    /// A session expires.
    ExpireSession(String),
    /// A bank debit gets its result. Names the charge.
    SettleDebit(String),
    /// A refund succeeds or fails later.
    MoveRefund(String),
    /// A holder disputes a charge.
    OpenDispute(String),
}

impl Account {
    /// The API version of requests and endpoints that name none.
    pub fn version(&self) -> &str {
        self.api_version.as_deref().unwrap_or(version::DEFAULT)
    }

    /// An empty account.
    pub fn empty(common: Common<Own, Timer>) -> Self {
        Account {
            common,
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
            outbox: Outbox::default(),
        }
    }
}
