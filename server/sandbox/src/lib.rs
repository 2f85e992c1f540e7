//! Simulators of providers on their own origin. The crate shares no code with the connectors.
//!
//! The sandbox simulates the providers of [`registry`]: their APIs, their hosted payment pages with the well-known test cards, their signed
//! webhooks, and a control API that injects faults. Everything is written from the providers' documents. The sandbox cannot move real
//! money.
//!
//! A provider is a folder that implements [`provider::Provider`]; the rest of the crate names no provider.

// The providers' objects have up to 70 keys, and each key is a recursion of the `json!` macro.
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

/// The settings of a sandbox.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The address at which shoppers reach the sandbox, without a trailing slash, for example `http://127.0.0.1:3400`.
    pub public_url: String,
    /// A file that keeps the state over a restart. Without it the state is only in memory.
    pub snapshot: Option<PathBuf>,
    /// Accounts that exist from the start, for a demo that chooses its own keys.
    pub seeds: Vec<Seed>,
}

/// The reason why a sandbox could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The snapshot or the listener failed.
    #[error("sandbox input or output: {0}")]
    Io(#[from] std::io::Error),
    /// Another version wrote the snapshot.
    #[error("sandbox snapshot: {0}; if another version wrote the file, delete it")]
    Snapshot(#[from] serde_json::Error),
    /// The HTTP client for webhooks could not be built.
    #[error("sandbox HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// A seed names no provider, or does not have the provider's form.
    #[error("sandbox seed: {0}")]
    Seed(String),
}

/// A running set of simulators with one shared state. A clone of its router is cheap.
#[derive(Debug)]
pub struct Sandbox {
    house: Arc<core::House>,
}

impl Sandbox {
    /// Starts every provider of the registry. Loads the snapshot if there is one, and adds the accounts of seeds that are missing.
    ///
    /// # Errors
    /// Fails when the snapshot exists but cannot be read, or when a seed's key is not a test key.
    pub async fn new(options: Options) -> Result<Sandbox, Error> {
        Sandbox::of(options, registry::PROVIDERS).await
    }

    /// Starts these providers, like [`Sandbox::new`].
    ///
    /// # Errors
    /// Fails like [`Sandbox::new`].
    pub async fn of(options: Options, providers: &[Entry]) -> Result<Sandbox, Error> {
        // Another crate in the process may have installed the provider already, so an error here does no harm.
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
    /// Fails when the listener or the last save fails.
    pub async fn run(self, listener: tokio::net::TcpListener, shutdown: CancellationToken) -> Result<(), Error> {
        let router = self.router();
        background::run(self.house, router, listener, shutdown).await
    }
}
