//! All accounts of one provider, by key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Account, Change, Common, Rules};
use crate::{clock::Now, control::faults::Faults};

/// The most accounts that new keys may open.
const MOST: usize = 1_000;

/// Accounts by key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "A: Serialize", deserialize = "A: Account"))]
pub struct Accounts<A: Account> {
    by_key: BTreeMap<String, A>,
    /// The switches of future accounts.
    #[serde(skip)]
    rules: Rules<A::Own>,
    /// The waiting faults. Every account holds the same list.
    #[serde(skip)]
    faults: Faults,
    /// The provider's name.
    #[serde(skip)]
    provider: &'static str,
}

impl<A: Account> Default for Accounts<A> {
    fn default() -> Self {
        Accounts { by_key: BTreeMap::new(), rules: Rules::default(), faults: Faults::default(), provider: "" }
    }
}

impl<A: Account> Accounts<A> {
    /// Connects the accounts with their provider and its faults, and recovers from a stopped process.
    pub fn begin(&mut self, provider: &'static str, faults: &Faults, now_ms: i64) {
        self.provider = provider;
        self.faults = faults.clone();
        for (key, account) in &mut self.by_key {
            let common = account.common_mut();
            common.provider = provider;
            common.key.clone_from(key);
            common.faults = faults.clone();
            common.keys.recover();
            account.recover(now_ms);
        }
    }

    /// The account of a key, which its first use creates. `None` when there are too many accounts.
    pub fn open(&mut self, key: &str) -> Option<&mut A> {
        if !self.by_key.contains_key(key) {
            if self.by_key.len() >= MOST {
                return None;
            }
            let common = Common {
                provider: self.provider,
                key: key.to_owned(),
                rules: self.rules.clone(),
                faults: self.faults.clone(),
                ..Common::default()
            };
            self.by_key.insert(key.to_owned(), A::new(common));
        }
        self.by_key.get_mut(key)
    }

    /// The account of a key, if there is one.
    pub fn get(&self, key: &str) -> Option<&A> {
        self.by_key.get(key)
    }

    /// The account of a key, if there is one, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut A> {
        self.by_key.get_mut(key)
    }

    /// The first account that satisfies a condition.
    pub fn with(&mut self, has: impl Fn(&A) -> bool) -> Option<&mut A> {
        self.by_key.values_mut().find(|account| has(account))
    }

    /// All accounts with their keys, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &A)> {
        self.by_key.iter().map(|(key, account)| (key.as_str(), account))
    }

    /// All accounts with their keys, or only the account of one key.
    pub fn of<'s>(&'s self, key: Option<&'s str>) -> impl Iterator<Item = (&'s str, &'s A)> {
        self.iter().filter(move |(known, _)| key.is_none_or(|key| key == *known))
    }

    /// All accounts with their keys, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut A)> {
        self.by_key.iter_mut().map(|(key, account)| (key.as_str(), account))
    }

    /// The switches of future accounts.
    pub fn rules(&self) -> &Rules<A::Own> {
        &self.rules
    }

    /// Changes the switches of one account, or of all present and future accounts. Returns the number of released deliveries.
    ///
    /// # Errors
    /// Fails with a sentence for the caller. The switches then stay as they were.
    pub fn turn(&mut self, change: &Change, now_ms: i64) -> Result<usize, String> {
        let rules = change.apply(&self.rules)?;
        if change.account.is_none() {
            self.rules = rules;
        }
        let mut released = 0;
        for (key, account) in &mut self.by_key {
            if change.account.as_ref().is_none_or(|wanted| wanted == key) {
                account.common_mut().rules = change.apply(&account.common().rules)?;
                if change.hold == Some(false) {
                    released += account.release(now_ms, change.reversed);
                }
            }
        }
        Ok(released)
    }

    /// Starts or stops holding webhooks of all present and future accounts.
    pub fn hold(&mut self, hold: bool) {
        self.rules.hold = hold;
        self.by_key.values_mut().for_each(|account| account.common_mut().rules.hold = hold);
    }

    /// Resets the switches and releases held deliveries. Objects stay.
    pub fn reset(&mut self, now_ms: i64) {
        self.rules = Rules::default();
        for account in self.by_key.values_mut() {
            account.common_mut().rules = Rules::default();
            account.release(now_ms, false);
        }
    }

    /// Runs every timer that is due at `until_ms`. Its effects carry the current time. Returns the number of timers.
    pub fn run_timers(&mut self, until_ms: i64, now: &Now<'_>) -> usize {
        let mut count = 0;
        for account in self.by_key.values_mut() {
            // A timer that runs may set another timer that is due as well.
            while let Some(timer) = account.common_mut().timers.pop_first() {
                if timer.0 > until_ms {
                    account.common_mut().timers.insert(timer);
                    break;
                }
                account.ring(timer.1, timer.0, now);
                count += 1;
            }
        }
        count
    }

    /// Makes deliveries due now that would be due until a given time. Returns their number.
    pub fn hurry(&mut self, now_ms: i64, until_ms: i64) -> usize {
        self.by_key.values_mut().map(|account| account.hurry(now_ms, until_ms)).sum()
    }

    /// The next time at which a timer or delivery is due, in milliseconds since 1970.
    pub fn next_due_ms(&self, now_ms: i64) -> Option<i64> {
        let next = |account: &A| {
            let timer = account.common().timers.first().map(|(at_ms, _)| *at_ms);
            [timer, account.next_due_ms(now_ms)].into_iter().flatten().min()
        };
        self.by_key.values().filter_map(next).min()
    }
}
