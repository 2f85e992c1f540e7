//! The engine layer: the real engine, twice, on one real SQLite database; clock, randomness and provider are the simulation's.

mod actors;
mod check;
mod gate;
mod outside;
mod provider;
mod servers;
mod steps;

use std::sync::Arc;

use domain::Millis;
use domain::id::{MerchantId, PaymentId, Token};
use tokio::runtime::Runtime;
use tracing::subscriber::{DefaultGuard, NoSubscriber};

use self::outside::Shared;
use self::servers::{Flow, Server};
use crate::census::Census;
use crate::random::Random;
use crate::report::{Failure, Violation};
use crate::run::Layer;

/// The time at which every world begins.
const START: Millis = 1_700_000_000_000;
/// The database only grows, so it is replaced after this many seeds.
const SEEDS_PER_DATABASE: u64 = 200;

/// A tab of the shopper.
#[derive(Debug, Clone, Copy, Default)]
struct Tab {
    /// The provider's page that is open in the tab.
    page: Option<usize>,
}

/// The world of the engine layer, without its runtime.
struct World {
    shared: Arc<Shared>,
    random: Random,
    servers: Vec<Server>,
    /// The seed's merchant.
    merchant: Option<MerchantId>,
    /// The merchant's account.
    account: String,
    lives: u32,
    flows: Vec<Flow>,
    tabs: [Tab; 2],
    token: Option<Token>,
    payment: Option<PaymentId>,
    amount: i64,
    faults: u32,
    /// Whether banks are slow and the shopper has no patience: the life in which a debt is paid twice.
    hasty: bool,
    ending: bool,
    seeds: u64,
    /// How often the account's events were listed at the end of the seed.
    listed: usize,
    /// Whether an unsigned delivery was sent. The engine counts further ones in its own time.
    forged_unsigned: bool,
    census: Census,
    violation: Option<Violation>,
    trace: Option<Vec<String>>,
    /// The directory of the database, removed with the world.
    _directory: tempfile::TempDir,
}

/// Runs seeds one after another on one thread.
pub struct EngineWorld {
    // The field order drops the world first: its connections need the runtime to close.
    world: Option<World>,
    census: Census,
    runtime: Runtime,
    _quiet: DefaultGuard,
}

impl EngineWorld {
    fn fresh(&mut self) -> Result<&mut World, String> {
        if self.world.as_ref().is_none_or(|world| world.seeds >= SEEDS_PER_DATABASE) {
            self.drop_world();
            self.world = Some(self.runtime.block_on(World::new())?);
        }
        self.world.as_mut().ok_or_else(|| "there is no world".to_owned())
    }

    fn drop_world(&mut self) {
        if let Some(world) = self.world.take() {
            self.census.add(&world.census);
            self.runtime.block_on(world.close());
        }
    }

    fn once(&mut self, seed: u64, traced: bool) -> (Result<(), Violation>, Vec<String>) {
        let broken = |detail: String| Violation { invariant: "the simulation itself works", detail };
        if let Err(error) = self.fresh() {
            return (Err(broken(error)), vec![]);
        }
        let Some(mut world) = self.world.take() else { return (Err(broken("no world".to_owned())), vec![]) };
        world.trace = traced.then(Vec::new);
        let result = self.runtime.block_on(async {
            let result = world.run(seed).await;
            (world, result)
        });
        let (mut world, result) = result;
        let trace = world.trace.take().unwrap_or_default();
        let result = result.map_err(|error| world.violation.take().unwrap_or_else(|| broken(error.to_string())));
        self.world = Some(world);
        if result.is_err() {
            // The remains of a failed seed must not disturb the next.
            self.drop_world();
        }
        (result, trace)
    }
}

impl Layer for EngineWorld {
    const BATCH: u64 = 4;

    fn new() -> Result<Self, String> {
        pin();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(EngineWorld {
            world: None,
            census: Census::default(),
            runtime: runtime.map_err(|error| error.to_string())?,
            // The engine logs faults, and here faults are the rule.
            _quiet: tracing::subscriber::set_default(NoSubscriber::default()),
        })
    }

    fn run(&mut self, seed: u64) -> Result<(), Violation> {
        self.once(seed, false).0
    }

    fn replay(&mut self, seed: u64) -> Failure {
        self.drop_world();
        let (result, trace) = self.once(seed, true);
        Failure { seed, violation: result.err(), trace }
    }

    fn census(&self) -> Census {
        let mut all = self.census.clone();
        self.world.iter().for_each(|world| all.add(&world.census));
        all
    }
}

impl Drop for EngineWorld {
    fn drop(&mut self) {
        self.drop_world();
    }
}

/// Keeps this thread, and the SQLite threads that it will start, on one processor. Only one of these threads works at a
/// time, and a switch to another processor costs more than the work itself.
#[cfg(target_os = "linux")]
fn pin() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let Ok(allowed) = sched_getaffinity(None) else { return };
    let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
    if let Some(cpu) = all.get(NEXT.fetch_add(1, Ordering::Relaxed) % all.len().max(1)) {
        let mut one = CpuSet::new();
        one.set(*cpu);
        // Pinning only saves time, so a failure does not matter.
        let _ = sched_setaffinity(None, &one);
    }
}

#[cfg(not(target_os = "linux"))]
fn pin() {}
