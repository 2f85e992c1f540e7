//! One account: everything that belongs to one API key, strictly apart from every other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::{
    notify::{Delivery, Notice, Rules},
    objects::{Checkout, Modification, Payment},
    reports::Movement,
};
use crate::{api::call::Calls, control::faults::Faults, idempotency::Keys, store::Store};

/// Accounts that may make themselves by a new key.
const ACCOUNTS: usize = 1_000;

/// The provider: its accounts by API key.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Adyen {
    /// By API key.
    pub accounts: BTreeMap<String, Account>,
    /// For accounts that are yet to come.
    #[serde(skip)]
    pub rules: Rules,
    /// Faults still to happen; every account holds the same list.
    #[serde(skip)]
    pub faults: Faults,
}

/// An account.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Account {
    /// The API key that opens it.
    #[serde(skip)]
    pub key: String,
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
    #[serde(default)]
    pub aside: BTreeSet<(i64, String)>,
    /// What happens by itself, by time in milliseconds since 1970.
    pub timers: BTreeSet<(i64, Timer)>,
    /// Replies kept for repeats.
    pub keys: Keys,
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
    /// How the control API wants things to behave.
    #[serde(skip)]
    pub rules: Rules,
    /// Faults still to happen.
    #[serde(skip)]
    pub faults: Faults,
    /// The API calls received, oldest first.
    #[serde(skip)]
    pub calls: Calls,
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
    /// The account of a key, made on first use; nothing when there are too many.
    pub fn account(&mut self, key: &str) -> Option<&mut Account> {
        if !self.accounts.contains_key(key) {
            if self.accounts.len() >= ACCOUNTS {
                return None;
            }
            let (rules, faults) = (self.rules.clone(), self.faults.clone());
            let account = Account { key: key.to_owned(), rules, faults, ..Account::default() };
            self.accounts.insert(key.to_owned(), account);
        }
        self.accounts.get_mut(key)
    }

    /// The account that has this link or session.
    pub fn account_of_checkout(&mut self, id: &str) -> Option<&mut Account> {
        self.accounts.values_mut().find(|account| account.checkouts.get(id).is_some())
    }

    /// The account that has this payment.
    pub fn account_of_payment(&mut self, psp: &str) -> Option<&mut Account> {
        self.accounts.values_mut().find(|account| account.payments.get(psp).is_some())
    }

    /// Mends what a stopped process left behind; these faults are the ones that will happen.
    pub fn recover(&mut self, faults: &Faults) {
        self.faults = faults.clone();
        for (key, account) in &mut self.accounts {
            account.key.clone_from(key);
            account.faults = faults.clone();
            account.keys.recover();
            account.recover_deliveries();
        }
    }

    /// Rules as they were at the start; held deliveries go out. Objects stay.
    pub fn reset(&mut self, now_ms: i64) {
        self.rules = Rules::default();
        for account in self.accounts.values_mut() {
            account.rules = Rules::default();
            account.release(now_ms, false);
        }
    }

    /// Runs every timer that is due at `until_ms`; what happens bears the time `now_ms`.
    pub fn run_timers(&mut self, until_ms: i64, now_ms: i64) -> usize {
        self.accounts.values_mut().map(|account| account.run_timers(until_ms, now_ms)).sum()
    }

    /// Makes due now what would be sent until a time to come; how many deliveries that makes.
    pub fn hurry(&mut self, now_ms: i64, until_ms: i64) -> usize {
        self.accounts.values_mut().map(|account| account.hurry(now_ms, until_ms)).sum()
    }

    /// When something will be due next, milliseconds since 1970.
    pub fn next_due_ms(&self, now_ms: i64) -> Option<i64> {
        let next = |account: &Account| {
            let timer = account.timers.first().map(|(at_ms, _)| *at_ms);
            [timer, account.next_due_ms(now_ms)].into_iter().flatten().min()
        };
        self.accounts.values().filter_map(next).min()
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

    fn run_timers(&mut self, until_ms: i64, now_ms: i64) -> usize {
        let mut count = 0;
        while let Some((at_ms, timer)) = self.timers.pop_first() {
            if at_ms > until_ms {
                self.timers.insert((at_ms, timer));
                break;
            }
            match timer {
                Timer::CloseCheckout(id) => self.close(&id),
                Timer::SettlePending(psp) => self.settle_pending(&psp, now_ms),
                // What follows from it is due that much later, so that one jump in time runs the whole chain.
                Timer::Modify(psp) => self.finish_modification(&psp, at_ms, now_ms),
                Timer::ModifyFails(psp) => {
                    self.fail_modification(&psp, now_ms);
                }
                Timer::CaptureDelayed(psp) => self.capture_by_itself(&psp, at_ms, now_ms),
                Timer::ExpirePayment(psp) => {
                    self.expire_payment(&psp, now_ms);
                }
            }
            count += 1;
        }
        count
    }
}
