//! A running provider with the one lock around its state, which is never held across an await; and the house of all providers.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    Error,
    clock::{self, Now},
    control::faults::Faults,
    provider::{About, Entry, Mounted, Provider},
    snapshot::Saved,
};

/// The time in which an endpoint must answer a webhook.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// The parts that all providers share.
#[derive(Debug)]
pub struct Shared {
    /// The public address, without a trailing slash.
    pub base: String,
    /// The waiting faults.
    pub faults: Faults,
    /// Signals a change that should be saved.
    pub dirty: Notify,
    /// Signals that a timer or delivery may be due.
    pub wake: Notify,
}

/// A running provider.
#[derive(Debug)]
pub struct Core<P> {
    /// The parts that all providers share.
    pub shared: Arc<Shared>,
    state: Mutex<P>,
}

impl<P: Provider> Core<P> {
    /// A provider with this state.
    pub fn new(shared: Arc<Shared>, state: P) -> Core<P> {
        Core { shared, state: Mutex::new(state) }
    }

    /// The public address of the sandbox, without a trailing slash.
    pub fn base(&self) -> &str {
        &self.shared.base
    }

    /// The state, to be read.
    pub fn lock(&self) -> MutexGuard<'_, P> {
        // A panic elsewhere must not stop the simulator, because each operation leaves a usable state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes the tasks that save it and that run timers and deliveries.
    pub fn change<R>(&self, change: impl FnOnce(&mut P) -> R) -> R {
        let result = change(&mut self.lock());
        self.shared.dirty.notify_one();
        self.shared.wake.notify_one();
        result
    }

    /// The current time and the sandbox's address.
    pub fn now(&self) -> Now<'_> {
        Now { ms: clock::now_ms(), base: self.base() }
    }
}

/// All running providers.
#[derive(Debug)]
pub struct House {
    /// The parts that all providers share.
    pub shared: Arc<Shared>,
    /// The providers, in the order of the registry.
    pub providers: Vec<Arc<dyn Mounted>>,
    /// The file in which the state is saved.
    pub snapshot: Option<PathBuf>,
    /// The client that sends webhooks.
    pub client: reqwest::Client,
}

impl House {
    /// Starts these providers, each with its part of a snapshot.
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox stands for somebody else's system: it has a transport of its own"
    )]
    pub fn new(base: &str, snapshot: Option<PathBuf>, saved: &Saved, entries: &[Entry]) -> Result<House, Error> {
        let about: Vec<About> = entries.iter().map(|entry| entry.about).collect();
        let shared = Arc::new(Shared {
            base: base.trim_end_matches('/').to_owned(),
            faults: Faults::of(about),
            dirty: Notify::new(),
            wake: Notify::new(),
        });
        let open = |entry: &Entry| entry.open(shared.clone(), saved.get(entry.about.name).map(AsRef::as_ref));
        let providers = entries.iter().map(open).collect::<Result<_, _>>()?;
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(WEBHOOK_TIMEOUT)
            .no_proxy()
            .build()?;
        Ok(House { shared, providers, snapshot, client })
    }
}
