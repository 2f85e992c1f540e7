//! Provider simulators on their own origin. Shares no code with the connectors.
//!
//! It simulates Stripe and Adyen: their APIs, their hosted payment pages with the well-known test cards, their
//! signed webhooks, and a control API that makes things go wrong on purpose. Everything is written from the
//! provider's documents; nothing here may move real money.

// The provider's objects have up to 70 keys, each of which is a step of the `json!` macro.
#![recursion_limit = "512"]

mod adyen;
mod api;
mod background;
mod cards;
mod clock;
mod control;
mod core;
mod delivery;
mod http;
mod idempotency;
mod ids;
mod money;
mod page;
mod route;
mod snapshot;
mod store;
mod stripe;
mod words;

use std::{path::PathBuf, sync::Arc};

use tokio_util::sync::CancellationToken;

/// How a sandbox is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where shoppers reach the sandbox, without a trailing slash, for example `http://127.0.0.1:3400`.
    pub public_url: String,
    /// A file that keeps the state over a restart. Without it the state lives in memory only.
    pub snapshot: Option<PathBuf>,
    /// An account that exists from the start, for a demo that chooses its own keys.
    pub seed: Option<Seed>,
    /// The same at the second provider, Adyen.
    pub adyen: Option<AdyenSeed>,
}

/// An account with one webhook endpoint whose secret the caller chose.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The account's secret key, `sk_test_…`.
    pub secret_key: String,
    /// Where its webhooks go.
    pub webhook_url: String,
    /// The endpoint's signing secret, `whsec_…`.
    pub webhook_secret: String,
}

/// An account at the simulated Adyen with one standard webhook.
#[derive(Debug, Clone)]
pub struct AdyenSeed {
    /// The API key: `AQE…` or `test_…`, 16 to 512 visible characters.
    pub api_key: String,
    /// The merchant account code the key has rights on.
    pub merchant_account: String,
    /// Where its notifications go.
    pub webhook_url: String,
    /// The HMAC key, 64 hexadecimal digits.
    pub hmac_key: String,
    /// User and password of HTTP Basic, where the endpoint asks for them.
    pub webhook_basic: Option<(String, String)>,
}

/// Why a sandbox could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The snapshot or the listener failed.
    #[error("sandbox input or output: {0}")]
    Io(#[from] std::io::Error),
    /// The snapshot is not one this version wrote.
    #[error("sandbox snapshot: {0}")]
    Snapshot(#[from] serde_json::Error),
    /// The HTTP client for webhooks could not be built.
    #[error("sandbox HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// The seed's secret key is not a test key.
    #[error("the seed's secret key must look like sk_test_ followed by at least 8 letters or digits")]
    SeedKey,
    /// The second seed's keys are not keys.
    #[error(
        "the Adyen seed needs an API key (AQE… or test_…, at least 16 characters) and 64 hexadecimal digits as HMAC key"
    )]
    AdyenSeed,
}

/// One running set of simulators. Cheap to clone the router from; the state is shared.
#[derive(Debug)]
pub struct Sandbox {
    core: Arc<core::Core>,
}

impl Sandbox {
    /// Loads the snapshot if there is one, and adds the seed's account if it is missing.
    ///
    /// # Errors
    /// When the snapshot exists but cannot be read, or a seed's key is not a test key.
    pub async fn new(options: Options) -> Result<Sandbox, Error> {
        // Another crate in the process may have installed it already; either is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let state = match &options.snapshot {
            Some(path) => snapshot::load(path).await?,
            None => core::State::default(),
        };
        let core = core::Core::new(options.public_url, options.snapshot, state)?;
        if let Some(seed) = options.seed {
            core.seed(&seed)?;
        }
        if let Some(seed) = options.adyen {
            core.seed_adyen(seed)?;
        }
        Ok(Sandbox { core: Arc::new(core) })
    }

    /// Every address of the sandbox: API, hosted page, control. Webhooks and timers need [`Sandbox::run`].
    pub fn router(&self) -> axum::Router {
        http::router(self.core.clone())
    }

    /// Serves, delivers webhooks and runs timers until cancelled, then saves the snapshot.
    ///
    /// # Errors
    /// When the listener fails or the last save does.
    pub async fn run(self, listener: tokio::net::TcpListener, shutdown: CancellationToken) -> Result<(), Error> {
        let router = self.router();
        background::run(self.core, router, listener, shutdown).await
    }
}
