//! The provider's state: its accounts by API key, strictly apart.

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

/// The provider.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Adyen {
    /// By API key.
    pub accounts: Accounts<Account>,
}

/// An account.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Account {
    /// The fields that all accounts have.
    pub common: Common<Own, Timer>,
    /// The merchant account the key has rights on; the first one it names.
    pub merchant_account: Option<String>,
    /// Links and sessions.
    pub checkouts: Store<Checkout>,
    /// Payments.
    pub payments: Store<Payment>,
    /// Modifications.
    pub modifications: Store<Modification>,
    /// What happened.
    pub notices: Store<Notice>,
    /// Notices on their way.
    pub deliveries: Store<Delivery>,
    /// Where they go.
    pub endpoint: Option<Endpoint>,
    /// Deliveries that wait, in the order they will be sent.
    pub queue: VecDeque<String>,
    /// Deliveries that faults took out of that order, by the time they go back to it, milliseconds since 1970.
    pub aside: BTreeSet<(i64, String)>,
    /// Money that moved and is in no settlement report yet.
    pub unsettled: Vec<Movement>,
    /// Settlement reports: name and text, oldest first.
    pub reports: VecDeque<(String, String)>,
    /// Settlement reports made so far.
    pub batches: u32,
    /// Whether a delivery is in the air; the queue moves one at a time.
    #[serde(skip)]
    pub sending: bool,
    /// Whether what happens now is caused by a request that is still to be answered.
    #[serde(skip)]
    pub answering: bool,
}

/// A standard webhook as set up in the provider's customer area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Where to.
    pub url: String,
    /// The HMAC key, hexadecimal.
    pub hmac_key: String,
    /// User and password of HTTP Basic.
    pub basic: Option<(String, String)>,
}

/// Something that happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Timer {
    /// A link's or session's time is up.
    CloseCheckout(String),
    /// A pending payment's result is known.
    SettlePending(String),
    /// A modification's result is known.
    Modify(String),
    /// A modification changes its mind.
    ModifyFails(String),
    /// The delay of an automatic capture is over.
    CaptureDelayed(String),
    /// An authorisation is too old.
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
    /// Acts on a request that is answered afterwards, so that a notice about it can go out first. With the outcome comes
    /// the mark from which its deliveries are found.
    pub fn answering<R>(&mut self, act: impl FnOnce(&mut Account) -> R) -> (R, u64) {
        let mark = self.deliveries.mark();
        self.answering = true;
        let outcome = act(self);
        self.answering = false;
        (outcome, mark)
    }
}
