//! The things that every service works with: environment, database, keys, settings, and the handles that a server's tasks share. Knows no service.

use std::sync::Arc;

use connectors::{Account, Connector, Registry, tidy};
use domain::id::ProviderAccountId;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::accounts::ReadyAccounts;
use crate::alerts::Closed;
use crate::breaker::Breakers;
use crate::env::Env;
use crate::error::{Error, Thing};
use crate::live::Live;
use crate::scope::{ENGINE, Scope};
use crate::seal::Keyring;
use crate::store::accounts::AccountRow;
use crate::store::{Store, Tx, accounts, merchants};
use crate::tls::NewTls;
use crate::tuning::Tuning;
use crate::work::Work;

/// The engine's settings, fixed when it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address under which shoppers and providers reach this installation, without a slash at the end.
    pub public_url: String,
    /// The providers that accounts can use.
    pub connectors: Registry,
}

impl Settings {
    /// Settings for an installation at this address, with the built-in providers.
    #[must_use]
    pub fn new(public_url: impl Into<String>) -> Settings {
        Settings { public_url: public_url.into(), connectors: Registry::default() }
    }
}

/// The context of all services of one server. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Context(Arc<Inner>);

struct Inner {
    env: Env,
    store: Store,
    keyring: Keyring,
    settings: Settings,
    live: Live,
    jobs: Notify,
    deliveries: Notify,
    accounts: ReadyAccounts,
    breakers: Breakers,
    closed_alerts: Closed,
    tuning: Tuning,
    actions: Arc<Semaphore>,
}

/// The sealed content of an account's row.
#[derive(Serialize, Deserialize)]
pub(crate) struct Secrets {
    pub credentials: std::collections::BTreeMap<String, String>,
    pub webhook_secrets: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<NewTls>,
}

impl Context {
    pub(crate) fn new(env: Env, store: Store, keyring: Keyring, settings: Settings, tuning: Tuning) -> Context {
        Context(Arc::new(Inner {
            env,
            store,
            keyring,
            settings,
            live: Live::new(),
            jobs: Notify::new(),
            deliveries: Notify::new(),
            accounts: ReadyAccounts::default(),
            breakers: Breakers::default(),
            closed_alerts: Closed::default(),
            tuning,
            actions: Arc::new(Semaphore::new(tuning.actions)),
        }))
    }

    /// The address under which shoppers and providers reach this installation, without a slash at the end.
    pub(crate) fn public_url(&self) -> &str {
        &self.0.settings.public_url
    }

    /// The providers that accounts can use.
    pub(crate) fn connectors(&self) -> &Registry {
        &self.0.settings.connectors
    }

    /// The connector of an account's provider.
    pub(crate) fn connector_of(&self, provider: &str) -> Result<&'static dyn Connector, Error> {
        self.connectors().get(provider).ok_or_else(|| Error::NotFound(Thing::Connector(provider.to_owned())))
    }

    /// The database.
    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    pub(crate) fn env(&self) -> &Env {
        &self.0.env
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    /// Wakes this server's workers: a job or a delivery may be due.
    pub(crate) fn wake(&self) {
        self.wake_for(Work { jobs: true, deliveries: true });
    }

    /// Wakes the workers for the kinds of work that are due.
    pub(crate) fn wake_for(&self, work: Work) {
        if work.jobs {
            self.0.jobs.notify_one();
        }
        if work.deliveries {
            self.0.deliveries.notify_one();
        }
    }

    /// Waits until a job may be due.
    pub(crate) async fn job_work(&self) {
        self.0.jobs.notified().await;
    }

    /// Waits until a delivery in the database may be due.
    pub(crate) async fn delivery_work(&self) {
        self.0.deliveries.notified().await;
    }

    pub(crate) fn ready_accounts(&self) -> &ReadyAccounts {
        &self.0.accounts
    }

    pub(crate) fn closed_alerts(&self) -> &Closed {
        &self.0.closed_alerts
    }

    pub(crate) fn breakers(&self) -> &Breakers {
        &self.0.breakers
    }

    pub(crate) fn tuning(&self) -> &Tuning {
        &self.0.tuning
    }

    /// A permit for one more action of a shopper, if there is one.
    pub(crate) fn action(&self) -> Option<OwnedSemaphorePermit> {
        self.0.actions.clone().try_acquire_owned().ok()
    }

    /// Commits and wakes the workers for the jobs and deliveries that the transaction enqueued.
    pub(crate) async fn commit(&self, tx: Tx) -> Result<(), Error> {
        tx.commit().await?;
        self.wake();
        self.store().reached("has written").await;
        Ok(())
    }

    pub(crate) fn seal(&self, id: &ProviderAccountId, secrets: &Secrets) -> Result<Vec<u8>, Error> {
        let plain = serde_json::to_vec(secrets).map_err(Error::corrupt)?;
        Ok(self.0.keyring.seal(&*self.0.env.random, id.as_str(), &plain)?)
    }

    pub(crate) fn secrets(&self, row: &AccountRow) -> Result<Secrets, Error> {
        let plain = self.0.keyring.open(row.id.as_str(), &row.sealed)?;
        serde_json::from_slice(&plain).map_err(Error::corrupt)
    }

    /// An account ready for use, with its connector.
    pub(crate) fn unseal(&self, row: &AccountRow) -> Result<(Account, &'static dyn Connector), Error> {
        let connector = self.connector_of(&row.provider)?;
        let secrets = self.secrets(row)?;
        let account = Account {
            id: row.id.clone(),
            base_url: row.base_url.clone(),
            live: row.live,
            // Earlier versions sealed line ends along with the values.
            credentials: secrets.credentials.into_iter().map(|(k, v)| (k, SecretString::from(tidy(&v)))).collect(),
            webhook_secrets: secrets.webhook_secrets.iter().map(|secret| SecretString::from(tidy(secret))).collect(),
            tls: secrets.tls.map(NewTls::ready),
        };
        Ok((account, connector))
    }

    pub(crate) async fn account(&self, id: &ProviderAccountId) -> Result<AccountRow, Error> {
        let mut connection = self.store().reader().await?;
        let row = accounts::find(&mut connection, &ENGINE, id).await?;
        row.ok_or_else(|| Error::NotFound(Thing::Account(id.clone())))
    }
}

/// Checks that the merchant of a scope exists. Lists and additions fail for a mistyped merchant, instead of finding nothing.
pub(crate) async fn check_merchant(context: &Context, scope: &Scope) -> Result<(), Error> {
    let found = merchants::find(&mut *context.store().reader().await?, scope).await?;
    let id = scope.merchant();
    found.map(|_| ()).ok_or_else(|| Error::NotFound(Thing::Merchant(id.clone())))
}
