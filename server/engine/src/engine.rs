//! The engine: the one value that all operations are called on.

use std::sync::Arc;

use connectors::{Account, Connector, Registry, tidy};
use domain::Millis;
use domain::id::ProviderAccountId;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::accounts::Accounts;
use crate::alerts::Closed;
use crate::breaker::Breakers;
use crate::env::Env;
use crate::error::{Error, Thing};
use crate::inbox::{Handover, Intake, QUESTIONS_AT_A_TIME, Rejections, Tuning, applier};
use crate::live::Live;
use crate::readiness::{NotReady, Readiness};
use crate::record::Work;
use crate::seal::Keyring;
use crate::store::accounts::AccountRow;
use crate::store::{Dialect, Store, Tx, accounts, inbox};
use crate::tls::NewTls;
use crate::{jobs, live};

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

/// The application core. Cloning is cheap.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    env: Env,
    store: Store,
    keyring: Keyring,
    settings: Settings,
    live: Live,
    work: Notify,
    accounts: Accounts,
    breakers: Breakers,
    closed_alerts: Closed,
    intake: Intake,
    handover: Handover,
    rejections: Rejections,
    tuning: Tuning,
    actions: Arc<Semaphore>,
    readiness: Readiness,
    questions: Semaphore,
}

/// The sealed content of an account's row.
#[derive(Serialize, Deserialize)]
pub(crate) struct Secrets {
    pub credentials: std::collections::BTreeMap<String, String>,
    pub webhook_secrets: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<NewTls>,
}

impl Engine {
    /// An engine on a database whose structure is current.
    #[must_use]
    pub fn new(env: Env, store: Store, keyring: Keyring, settings: Settings) -> Self {
        let tuning = Tuning::of(store.dialect());
        Self::tuned(env, store, keyring, settings, tuning)
    }

    /// An engine of another size.
    #[must_use]
    pub fn tuned(env: Env, store: Store, keyring: Keyring, settings: Settings, tuning: Tuning) -> Self {
        Engine(Arc::new(Inner {
            env,
            store,
            keyring,
            settings,
            live: Live::new(),
            work: Notify::new(),
            accounts: Accounts::default(),
            breakers: Breakers::default(),
            closed_alerts: Closed::default(),
            intake: Intake::default(),
            handover: Handover::default(),
            rejections: Rejections::default(),
            tuning,
            actions: Arc::new(Semaphore::new(tuning.actions)),
            readiness: Readiness::default(),
            questions: Semaphore::new(QUESTIONS_AT_A_TIME),
        }))
    }

    /// Runs jobs and listens for news until shutdown, then lets running jobs finish. Returns false if a background task ended by itself.
    /// The server must then stop too, because it would acknowledge deliveries that are never applied.
    pub async fn run(&self, shutdown: CancellationToken) -> bool {
        jobs::plant(self).await;
        let mut tasks = JoinSet::new();
        tasks.spawn(jobs::run(self.clone(), shutdown.clone()));
        tasks.spawn(applier::run(self.clone(), shutdown.clone()));
        if self.store().dialect() == Dialect::Postgres {
            tasks.spawn(live::listen(self.clone(), shutdown.clone()));
        }
        let (store, told) = (self.store().clone(), shutdown.clone());
        tasks.spawn(async move {
            store.checkpoints(told.clone()).await;
            told.cancelled().await;
        });
        let mut as_told = true;
        while let Some(ended) = tasks.join_next().await {
            if !shutdown.is_cancelled() || ended.is_err() {
                error!(?ended, "background work broke off");
                as_told = false;
                shutdown.cancel();
            }
        }
        self.rejections().flush(self).await;
        as_told
    }

    /// Brings the database's structure up to date.
    pub async fn migrate(&self) -> Result<(), Error> {
        self.store().migrate().await
    }

    /// Whether the database answers and has this version's structure.
    pub async fn is_migrated(&self) -> bool {
        self.store().is_current().await.unwrap_or(false)
    }

    /// Checks that the master key opens every account's credentials. With a wrong key, no call to a provider would work.
    pub async fn check_seals(&self) -> Result<(), Error> {
        let rows = accounts::all(&mut *self.store().reader().await?).await?;
        rows.iter().try_for_each(|row| self.secrets(row).map(|_| ()))
    }

    /// Whether this server can do its work, found out at most once in a moment. The error names the missing part.
    pub async fn readiness(&self) -> Result<(), NotReady> {
        self.0.readiness.ask(self).await
    }

    /// How many stored deliveries wait to be applied.
    pub async fn backlog(&self) -> Result<i64, Error> {
        inbox::backlog(&mut *self.store().reader().await?).await
    }

    /// The address under which shoppers and providers reach this installation, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.0.settings.public_url
    }

    /// The time, by the engine's clock.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.env().now()
    }

    /// The providers that accounts can use.
    #[must_use]
    pub fn connectors(&self) -> &Registry {
        &self.0.settings.connectors
    }

    /// The connector of an account's provider.
    pub(crate) fn connector_of(&self, provider: &str) -> Result<&'static dyn Connector, Error> {
        self.connectors().get(provider).ok_or_else(|| Error::NotFound(Thing::Connector(provider.to_owned())))
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
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
            self.0.work.notify_one();
        }
        if work.deliveries {
            self.0.handover.wake();
        }
    }

    pub(crate) async fn work(&self) {
        self.0.work.notified().await;
    }

    pub(crate) fn ready_accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    pub(crate) fn closed_alerts(&self) -> &Closed {
        &self.0.closed_alerts
    }

    pub(crate) fn breakers(&self) -> &Breakers {
        &self.0.breakers
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.0.intake
    }

    pub(crate) fn handover(&self) -> &Handover {
        &self.0.handover
    }

    pub(crate) fn rejections(&self) -> &Rejections {
        &self.0.rejections
    }

    pub(crate) fn tuning(&self) -> &Tuning {
        &self.0.tuning
    }

    /// The permits for questions about deliveries.
    pub(crate) fn questions(&self) -> &Semaphore {
        &self.0.questions
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
        let row = accounts::find(&mut connection, id).await?;
        row.ok_or_else(|| Error::NotFound(Thing::Account(id.clone())))
    }
}
