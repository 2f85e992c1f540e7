//! The state everything shares, and the one lock around it, which is never held across an await.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{
    AdyenSeed, Error, Seed,
    adyen::{self, state::Adyen},
    clock,
    control::faults::Faults,
    stripe::{
        auth,
        objects::{endpoint::Endpoint, event::Cause},
        payment::Moment,
        rights::Restricted,
        state::{Account, Timer},
        webhooks::Rules,
    },
};

/// Accounts that may make themselves by a new key.
const ACCOUNTS: usize = 1_000;

/// How the seed's endpoint is recognised after a restart.
const SEEDED: &str = "Set up with the sandbox";

/// How long an endpoint may take to answer a webhook.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// All accounts, by secret key, and what the control API has set.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By secret key.
    pub accounts: BTreeMap<String, Account>,
    /// Restricted keys of Stripe's accounts.
    #[serde(default)]
    pub restricted: BTreeMap<String, Restricted>,
    /// The second provider.
    #[serde(default)]
    pub adyen: Adyen,
    /// For accounts that are yet to come.
    #[serde(skip)]
    pub rules: Rules,
    /// Faults still to happen; every account holds the same list.
    #[serde(skip)]
    pub faults: Faults,
}

/// The running sandbox.
#[derive(Debug)]
pub struct Core {
    /// The public address, without a trailing slash.
    pub base: String,
    /// Where the state is saved.
    pub snapshot: Option<PathBuf>,
    /// Sends webhooks.
    pub client: reqwest::Client,
    /// Something changed that should be saved.
    pub dirty: Notify,
    /// Something may be due.
    pub wake: Notify,
    state: Mutex<State>,
}

impl Core {
    /// A sandbox with this state.
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox stands for somebody else's system: it has a transport of its own"
    )]
    pub fn new(base: String, snapshot: Option<PathBuf>, mut state: State) -> Result<Core, Error> {
        let now_ms = clock::now_ms();
        for (key, account) in &mut state.accounts {
            account.key.clone_from(key);
            account.faults = state.faults.clone();
            account.keys.recover();
            account.recover_deliveries(now_ms);
        }
        state.adyen.recover(&state.faults);
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(WEBHOOK_TIMEOUT)
            .no_proxy()
            .user_agent("Stripe/1.0 (+https://stripe.com/docs/webhooks)")
            .build()?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Core { base, snapshot, client, dirty: Notify::new(), wake: Notify::new(), state: Mutex::new(state) })
    }

    /// Makes sure the seed's account and endpoint exist.
    pub fn seed(&self, seed: &Seed) -> Result<(), Error> {
        if !auth::is_test_key(&seed.secret_key) {
            return Err(Error::SeedKey);
        }
        let mut state = self.lock();
        let Some(account) = state.account(&seed.secret_key) else {
            return Err(Error::SeedKey);
        };
        // The demo may move to another address between two starts; its endpoint moves with it.
        let known = account
            .endpoints
            .oldest()
            .find(|endpoint| endpoint.description.as_deref() == Some(SEEDED))
            .map(|known| known.id.clone());
        if let Some(endpoint) = known.and_then(|id| account.endpoints.get_mut(&id)) {
            endpoint.url.clone_from(&seed.webhook_url);
            endpoint.secret.clone_from(&seed.webhook_secret);
            return Ok(());
        }
        account.endpoints.insert(Endpoint {
            id: crate::stripe::ids::object("we_1"),
            url: seed.webhook_url.clone(),
            secret: seed.webhook_secret.clone(),
            enabled_events: vec!["*".to_owned()],
            disabled: false,
            description: Some(SEEDED.to_owned()),
            metadata: BTreeMap::new(),
            api_version: None,
            created: clock::now_ms() / 1000,
        });
        Ok(())
    }

    /// Makes sure the seed's account at the second provider and its endpoint exist.
    pub fn seed_adyen(&self, seed: AdyenSeed) -> Result<(), Error> {
        if !adyen::auth::is_test_key(&seed.api_key) || !adyen::notify::is_hmac_key(&seed.hmac_key) {
            return Err(Error::AdyenSeed);
        }
        let mut state = self.lock();
        let account = state.adyen.account(&seed.api_key).ok_or(Error::AdyenSeed)?;
        account.merchant_account = Some(seed.merchant_account);
        let endpoint =
            adyen::state::Endpoint { url: seed.webhook_url, hmac_key: seed.hmac_key, basic: seed.webhook_basic };
        account.set_endpoint(Some(endpoint), clock::now_ms());
        Ok(())
    }

    /// The state, to read.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not stop a simulator whose operations each leave a usable state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state; it will be saved, and timers and deliveries looked at.
    pub fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.lock());
        self.dirty.notify_one();
        self.wake.notify_one();
        result
    }

    /// Faults still to happen.
    pub fn faults(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// A moment with no API call behind it.
    pub fn moment(&self) -> Moment<'_> {
        Moment { now_ms: clock::now_ms(), base: &self.base, cause: Cause::default() }
    }
}

impl State {
    /// The account of a key, made on first use; nothing when there are too many.
    pub fn account(&mut self, key: &str) -> Option<&mut Account> {
        if !self.accounts.contains_key(key) {
            if self.accounts.len() >= ACCOUNTS {
                return None;
            }
            let mut account = Account::new(self.rules.clone());
            account.key = key.to_owned();
            account.faults = self.faults.clone();
            self.accounts.insert(key.to_owned(), account);
        }
        self.accounts.get_mut(key)
    }

    /// The account that has this session.
    pub fn account_of_session(&mut self, session: &str) -> Option<&mut Account> {
        self.accounts.values_mut().find(|account| account.sessions.get(session).is_some())
    }

    /// Runs every timer that is due at `until_ms`; events bear the time of `moment`.
    pub fn run_timers(&mut self, until_ms: i64, moment: &Moment<'_>) -> usize {
        let mut count = self.adyen.run_timers(until_ms, moment.now_ms);
        for account in self.accounts.values_mut() {
            while let Some((at_ms, timer)) = account.timers.pop_first() {
                if at_ms > until_ms {
                    account.timers.insert((at_ms, timer));
                    break;
                }
                account.run_timer(timer, moment);
                count += 1;
            }
        }
        count
    }

    /// When something will be due next, milliseconds since 1970.
    pub fn next_due_ms(&self, now_ms: i64) -> Option<i64> {
        let next = |account: &Account| {
            let timer = account.timers.first().map(|(at_ms, _)| *at_ms);
            [timer, account.next_due_ms(now_ms)].into_iter().flatten().min()
        };
        self.accounts.values().filter_map(next).chain(self.adyen.next_due_ms(now_ms)).min()
    }
}

impl Account {
    fn run_timer(&mut self, timer: Timer, moment: &Moment<'_>) {
        match timer {
            Timer::ExpireSession(session) => {
                self.expire(&session, moment);
            }
            Timer::SettleDebit(charge) => self.settle_debit(&charge, moment),
            Timer::MoveRefund(refund) => self.move_refund(&refund, moment),
            Timer::OpenDispute(charge) => {
                self.dispute(&charge, None, "fraudulent", moment);
            }
        }
    }
}
