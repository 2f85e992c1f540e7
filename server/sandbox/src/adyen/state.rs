//! The provider's state: its accounts by API key, strictly separated.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::{
    notify::{Notice, Own},
    objects::{Checkout, Modification, Payment},
    reports::Movement,
};
use crate::{
    delivery::Delivery,
    provider::{Accounts, Common},
    store::Store,
};

/// The provider's state.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Adyen {
    /// The accounts by API key.
    pub accounts: Accounts<Account>,
}

/// An account.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Account {
    /// The fields that all accounts have.
    pub common: Common<Own, Timer>,
    /// The merchant account that the key has rights on: the first one it names.
    pub merchant_account: Option<String>,
    /// Links and sessions.
    pub checkouts: Store<Checkout>,
    /// Payments.
    pub payments: Store<Payment>,
    /// Modifications.
    pub modifications: Store<Modification>,
    /// The notices of all events.
    pub notices: Store<Notice>,
    /// The deliveries of notices.
    pub deliveries: Store<Delivery>,
    /// The endpoint of deliveries.
    pub endpoint: Option<Endpoint>,
    /// The waiting deliveries, in the order of sending.
    pub queue: VecDeque<String>,
    /// The deliveries that faults took out of that order, by the time at which they return to it, in milliseconds since 1970.
    pub aside: BTreeSet<(i64, String)>,
    /// Movements of money that are in no settlement report yet.
    pub unsettled: Vec<Movement>,
    /// Settlement reports: name and text, oldest first.
    pub reports: VecDeque<(String, String)>,
    /// The number of settlement reports made so far.
    pub batches: u32,
    /// Whether a delivery is being sent. The queue sends one at a time.
    #[serde(skip)]
    pub sending: bool,
    /// Whether the current change is caused by a request that is still to be answered.
    #[serde(skip)]
    pub answering: bool,
}

/// A standard webhook as set up in the provider's customer area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The address of the endpoint.
    pub url: String,
    /// The HMAC key, hexadecimal.
    pub hmac_key: String,
    /// User and password of HTTP Basic.
    pub basic: Option<(String, String)>,
}

/// An event that a timer brings about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Timer {
    /// A link or session closes.
    CloseCheckout(String),
    /// A pending payment gets its result.
    SettlePending(String),
    /// A modification gets its result.
    Modify(String),
    /// A successful modification fails later.
    ModifyFails(String),
    /// The delay of an automatic capture ends.
    CaptureDelayed(String),
    /// An authorisation expires.
    ExpirePayment(String),
}

impl Adyen {
    /// The account that has this link or session.
    pub fn account_of_checkout(&mut self, id: &str) -> Option<&mut Account> {
        self.accounts.with(|account| account.checkouts.get(id).is_some())
    }

    /// The account that has this payment.
    pub fn account_of_payment(&mut self, psp: &str) -> Option<&mut Account> {
        self.accounts.with(|account| account.payments.get(psp).is_some())
    }
}

impl Account {
    /// Acts on a request that is answered afterwards, so that a notice about it can go out first. Returns the result and the mark from
    /// which the request's deliveries are found.
    pub fn answering<R>(&mut self, act: impl FnOnce(&mut Account) -> R) -> (R, u64) {
        let mark = self.deliveries.mark();
        self.answering = true;
        let outcome = act(self);
        self.answering = false;
        (outcome, mark)
    }
}
