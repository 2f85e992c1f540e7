//! Provider simulators on their own origin. Shares no code with the connectors.
//!
//! It simulates the providers of [`registry`]: their APIs, their hosted payment pages with the well-known test cards, their
//! signed webhooks, and a control API that makes things go wrong on purpose. Everything is written from the
//! providers' documents; nothing here may move real money.
//!
//! A provider is a folder that implements [`provider::Provider`]; the rest of the crate names none.

// The provider's objects have up to 70 keys, each of which is a step of the `json!` macro.
#![recursion_limit = "512"]

mod adyen;
pub mod api;
mod background;
pub mod cards;
pub mod clock;
pub mod control;
pub mod core;
pub mod delivery;
mod http;
pub mod idempotency;
pub mod ids;
pub mod money;
pub mod page;
pub mod provider;
pub mod registry;
pub mod route;
mod snapshot;
pub mod store;
mod stripe;
mod words;

use std::{path::PathBuf, sync::Arc};

use tokio_util::sync::CancellationToken;

use provider::Entry;
pub use provider::Seed;

/// How a sandbox is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where shoppers reach the sandbox, without a trailing slash, for example `http://127.0.0.1:3400`.
    pub public_url: String,
    /// A file that keeps the state over a restart. Without it the state lives in memory only.
    pub snapshot: Option<PathBuf>,
    /// Accounts that exist from the start, for a demo that chooses its own keys.
    pub seeds: Vec<Seed>,
}

/// Why a sandbox could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The snapshot or the listener failed.
    #[error("sandbox input or output: {0}")]
    Io(#[from] std::io::Error),
    /// The snapshot is not one this version wrote.
    #[error("sandbox snapshot: {0}; if another version wrote the file, delete it")]
    Snapshot(#[from] serde_json::Error),
    /// The HTTP client for webhooks could not be built.
    #[error("sandbox HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// A seed is for no provider, or not as its provider wants it.
    #[error("sandbox seed: {0}")]
    Seed(String),
}

/// One running set of simulators. Cheap to clone the router from; the state is shared.
#[derive(Debug)]
pub struct Sandbox {
    house: Arc<core::House>,
}

impl Sandbox {
    /// Every provider of the registry. Loads the snapshot if there is one, and adds the seeds' accounts that are missing.
    ///
    /// # Errors
    /// When the snapshot exists but cannot be read, or a seed's key is not a test key.
    pub async fn new(options: Options) -> Result<Sandbox, Error> {
        Sandbox::of(options, registry::PROVIDERS).await
    }

    /// The same of these providers.
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub async fn of(options: Options, providers: &[Entry]) -> Result<Sandbox, Error> {
        // Another crate in the process may have installed it already; either is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let saved = match &options.snapshot {
            Some(path) => snapshot::load(path).await?,
            None => snapshot::Saved::new(),
        };
        let house = core::House::new(&options.public_url, options.snapshot, &saved, providers)?;
        for seed in &options.seeds {
            let mut of_seed = house.providers.iter().filter(|provider| provider.about().name == seed.provider);
            let provider =
                of_seed.next().ok_or_else(|| Error::Seed(format!("there is no provider {}", seed.provider)))?;
            provider.seed(seed).map_err(Error::Seed)?;
        }
        Ok(Sandbox { house: Arc::new(house) })
    }

    /// Every address of the sandbox: API, hosted page, control. Webhooks and timers need [`Sandbox::run`].
    pub fn router(&self) -> axum::Router {
        http::router(&self.house)
    }

    /// Serves, delivers webhooks and runs timers until cancelled, then saves the snapshot.
    ///
    /// # Errors
    /// When the listener fails or the last save does.
    pub async fn run(self, listener: tokio::net::TcpListener, shutdown: CancellationToken) -> Result<(), Error> {
        let router = self.router();
        background::run(self.house, router, listener, shutdown).await
    }
}
