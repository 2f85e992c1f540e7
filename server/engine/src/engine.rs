//! The engine: starts and stops a server's work, and hands out the services.

use std::sync::Arc;

use connectors::Registry;
use domain::Millis;
use domain::payment::RequestKey;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::admin::{Accounts, Events, Keys, Links, Merchants, Scopes, Upkeep};
use crate::checkout::Checkout;
use crate::context::{Context, Settings};
use crate::env::Env;
use crate::error::Error;
use crate::inbox::{Inbox, applier};
use crate::money::Payments;
use crate::readiness::{NotReady, Readiness};
use crate::scope::{ENGINE, Installation, Scope};
use crate::seal::Keyring;
use crate::store::{Dialect, Store, accounts, inbox};
use crate::tuning::Tuning;
use crate::{jobs, live};

/// The application core. Cloning is cheap.
#[derive(Clone)]
pub struct Engine {
    context: Context,
    checkout: Checkout,
    inbox: Inbox,
    readiness: Arc<Readiness>,
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
        let context = Context::new(env, store, keyring, settings, tuning);
        let (checkout, inbox) = (Checkout::new(context.clone()), Inbox::new(context.clone()));
        Engine { context, checkout, inbox, readiness: Arc::default() }
    }

    /// The shoppers' actions. A token is a capability: it makes the scope.
    #[must_use]
    pub fn checkout(&self) -> &Checkout {
        &self.checkout
    }

    /// Deliveries from providers.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// A merchant's payments and their money.
    #[must_use]
    pub fn money(&self, scope: &Scope) -> Payments {
        Payments::new(self.context.clone(), scope.clone())
    }

    /// A merchant's payment links.
    #[must_use]
    pub fn links(&self, scope: &Scope) -> Links {
        Links::new(self.context.clone(), scope.clone())
    }

    /// A merchant's accounts at providers.
    #[must_use]
    pub fn accounts(&self, scope: &Scope) -> Accounts {
        Accounts::new(self.context.clone(), scope.clone())
    }

    /// A merchant's API keys.
    #[must_use]
    pub fn keys(&self, scope: &Scope) -> Keys {
        Keys::new(self.context.clone(), scope.clone())
    }

    /// A merchant's events.
    #[must_use]
    pub fn events(&self, scope: &Scope) -> Events {
        Events::new(self.context.clone(), scope.clone())
    }

    /// The merchants of the installation.
    #[must_use]
    pub fn merchants(&self, installation: &Installation) -> Merchants {
        Merchants::new(self.context.clone(), installation.clone())
    }

    /// The scopes of rows that an operator names by their ids.
    #[must_use]
    pub fn scopes(&self, installation: &Installation) -> Scopes {
        Scopes::new(self.context.clone(), installation.clone())
    }

    /// Alerts, jobs, deliveries, sealing, and the audit of the ledger.
    #[must_use]
    pub fn upkeep(&self, installation: &Installation) -> Upkeep {
        Upkeep::new(self.inbox.clone(), installation.clone())
    }

    /// The scope of an API key, by its secret. None if there is no such key, or if it was revoked.
    pub async fn scope_of_secret(&self, secret: &str) -> Result<Option<Scope>, Error> {
        crate::admin::scope_of_secret(&self.context, secret).await
    }

    /// Runs jobs and listens for news until shutdown, then lets running jobs finish. Returns false if a background task ended by itself.
    /// The server must then stop too, because it would acknowledge deliveries that are never applied.
    pub async fn run(&self, shutdown: CancellationToken) -> bool {
        jobs::plant(&self.context).await;
        let mut tasks = JoinSet::new();
        tasks.spawn(jobs::run(self.inbox.clone(), shutdown.clone()));
        tasks.spawn(applier::run(self.inbox.clone(), shutdown.clone()));
        if self.store().dialect() == Dialect::Postgres {
            tasks.spawn(live::listen(self.context.clone(), shutdown.clone()));
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
        self.inbox.flush().await;
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
        let rows = accounts::all(&mut *self.store().reader().await?, &ENGINE).await?;
        rows.iter().try_for_each(|row| self.context.secrets(row).map(|_| ()))
    }

    /// Whether this server can do its work, found out at most once in a moment. The error names the missing part.
    pub async fn readiness(&self) -> Result<(), NotReady> {
        self.readiness.ask(self).await
    }

    /// How many stored deliveries wait to be applied.
    pub async fn backlog(&self) -> Result<i64, Error> {
        inbox::backlog(&mut *self.store().reader().await?, &ENGINE).await
    }

    /// The address under which shoppers and providers reach this installation, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        self.context.public_url()
    }

    /// The time, by the engine's clock.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.context.env().now()
    }

    /// The providers that accounts can use.
    #[must_use]
    pub fn connectors(&self) -> &Registry {
        self.context.connectors()
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.context.store()
    }

    /// A key for a request to which the merchant has given none.
    #[must_use]
    pub fn new_request_key(&self) -> RequestKey {
        RequestKey::from_random(self.context.env().bits())
    }

    /// Runs one job that is due, if there is one, and returns its kind and subject. For callers that drive the engine by hand instead of
    /// by [`Engine::run`].
    pub async fn run_one_due(&self) -> Result<Option<String>, Error> {
        jobs::run_one_due(&self.inbox).await
    }

    /// When the next job is due, if there is one.
    pub async fn next_job_due(&self) -> Result<Option<Millis>, Error> {
        jobs::next_job_due(&self.context).await
    }
}
