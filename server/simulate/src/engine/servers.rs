//! Two servers on one database, and the tasks that run on them.

use std::future::Future;
use std::sync::Arc;

use domain::Mode;
use domain::id::MerchantId;
use engine::store::Store;
use engine::store::merchants::SurplusPolicy;
use engine::{Engine, Env, Installation, Keyring, Scope, Settings};
use tokio::task::JoinHandle;

use super::outside::{Port, Shared};
use super::provider::{Dialect, account};

use super::{START, Tab, World};
use crate::census::{Census, Seen};
use crate::random::Random;

/// One server.
pub(super) struct Server {
    pub store: Store,
    pub engine: Engine,
    pub life: u32,
}

/// The result of a task.
#[derive(Debug)]
pub(super) enum Output {
    Nothing,
    /// A press of the button in this tab, with the redirect address if there is one.
    Started(usize, Option<String>),
    /// The page that was shown.
    Viewed(domain::checkout::Phase),
    /// The reply to a delivery of this event.
    Delivered(usize, u16),
    /// A result in words.
    Said(String),
}

/// A running task.
pub(super) struct Flow {
    pub handle: JoinHandle<Output>,
    pub life: u32,
    pub name: String,
    /// Whether the task may store deliveries.
    pub stores: bool,
}

/// The name of a task that runs a job.
pub(super) const A_JOB: &str = "a job is run";

/// Any key will do: the sealed data is no secret.
const KEY: &str = "5111000000000000000000000000000000000000000000000000000000000000";

fn engine(shared: &Arc<Shared>, store: &Store, life: u32) -> Result<Engine, String> {
    let port = Arc::new(Port { shared: Arc::clone(shared), life });
    let env = Env { clock: port.clone(), random: port.clone(), transport: port.clone() };
    let keyring = Keyring::parse(KEY).map_err(|error| error.to_string())?;
    let settings = Settings::new("https://till.example");
    Ok(Engine::new(env, store.with_points(port), keyring, settings))
}

/// A directory in memory, where the system has one: syncs cost little there.
fn directory() -> Result<tempfile::TempDir, String> {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.or_else(|_| tempfile::tempdir()).map_err(|error| format!("no place for the database: {error}"))
}

impl World {
    /// A world with a fresh database, two servers and two merchants.
    pub async fn new() -> Result<World, String> {
        let directory = directory()?;
        let url = format!("sqlite://{}", directory.path().join("till.db").display());
        let shared = Arc::new(Shared::new(START));
        shared.gate.set_open(true);
        let text = |error: engine::Error| error.to_string();
        let mut servers = vec![];
        for life in 0..2 {
            let store = Store::connect(&url).await.map_err(text)?;
            if life == 0 {
                store.migrate().await.map_err(text)?;
            }
            let engine = engine(&shared, &store, life)?;
            servers.push(Server { store, engine, life });
        }
        Ok(World {
            shared,
            random: Random::new(0),
            servers,
            merchant: None,
            account: String::new(),
            lives: 2,
            flows: vec![],
            tabs: [Tab::default(); 2],
            token: None,
            payment: None,
            amount: 0,
            faults: 0,
            hasty: false,
            ending: false,
            seeds: 0,
            listed: 0,
            forged_unsigned: false,
            census: Census::default(),
            violation: None,
            trace: None,
            _directory: directory,
        })
    }

    /// Ends the running tasks and closes the database.
    pub async fn close(mut self) {
        for server in 0..self.servers.len() {
            self.end_life(server).await;
        }
        for server in &self.servers {
            server.store.close().await;
        }
    }

    pub async fn end_life(&mut self, server: usize) {
        let life = self.servers[server].life;
        let (dying, others): (Vec<_>, Vec<_>) = self.flows.drain(..).partition(|flow| flow.life == life);
        self.flows = others;
        dying.iter().for_each(|flow| flow.handle.abort());
        self.shared.gate.kill(life).await;
        for flow in dying {
            let _ = flow.handle.await;
        }
    }

    /// A server dies with all its tasks, and another begins on the same database.
    pub async fn crash(&mut self, server: usize) -> Result<(), String> {
        let life = self.servers[server].life;
        let names: Vec<_> = self.flows.iter().filter(|flow| flow.life == life).map(|flow| flow.name.clone()).collect();
        self.note(|| format!("server {server} crashes; under way were: {}", names.join(", ")));
        self.census.count(Seen::Crash);
        self.end_life(server).await;
        self.deliver_again();
        self.begin_life(server)
    }

    /// A new engine on the server's database.
    pub fn begin_life(&mut self, server: usize) -> Result<(), String> {
        self.lives += 1;
        let server = &mut self.servers[server];
        server.life = self.lives;
        server.engine = engine(&self.shared, &server.store, server.life)?;
        Ok(())
    }

    /// A server without a task that stores deliveries. Deliveries that are stored together wait for each other, and the
    /// gate does not know of this wait.
    pub fn free_to_store(&mut self) -> Option<usize> {
        let first = self.random.below(self.servers.len());
        let busy = |server: &usize| {
            let life = self.servers[*server].life;
            self.flows.iter().any(|flow| flow.life == life && flow.stores)
        };
        [first, 1 - first].into_iter().find(|server| !busy(server))
    }

    /// Begins a task on a server and lets it pass `credit` points.
    pub async fn begin<F>(&mut self, server: usize, name: String, credit: u32, work: impl FnOnce(Engine) -> F)
    where
        F: Future<Output = Output> + Send + 'static,
    {
        let (engine, life) = (self.servers[server].engine.clone(), self.servers[server].life);
        let (gate, future) = (Arc::clone(&self.shared.gate), work(engine));
        self.note(|| format!("server {server}: {name}"));
        gate.begin(credit);
        let at_end = Arc::clone(&gate);
        let handle = tokio::spawn(async move {
            let output = future.await;
            at_end.ended();
            output
        });
        let stores = name.starts_with("event ") || name == A_JOB;
        self.flows.push(Flow { handle, life, name, stores });
        self.quiet().await;
    }

    /// Waits until the running task stops at the gate or ends.
    pub async fn quiet(&mut self) {
        if !self.shared.gate.quiet().await {
            let names: Vec<_> = self.flows.iter().map(|flow| flow.name.clone()).collect();
            self.violate("no task waits for another", format!("under way are: {}", names.join(", ")));
        }
    }

    /// The tasks that have ended, in the order in which they began.
    pub async fn ended(&mut self) -> Vec<(String, Output)> {
        let mut ended = vec![];
        let mut at = 0;
        while at < self.flows.len() {
            if self.flows[at].handle.is_finished() {
                let flow = self.flows.remove(at);
                ended.push((flow.name, flow.handle.await.unwrap_or(Output::Nothing)));
            } else {
                at += 1;
            }
        }
        ended
    }

    /// The operator acting for the seed's merchant.
    pub fn scope(&self) -> Option<Scope> {
        self.merchant.as_ref().map(acting_for)
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        let since = self.shared.now() - START;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>7}.{:03}s  {}", since / 1_000, since % 1_000, line()));
        }
    }

    /// Moves the provider's notes into the trace.
    pub fn note_provider(&mut self) {
        let lines = std::mem::take(&mut self.shared.provider().trace);
        if self.trace.is_some() {
            lines.into_iter().for_each(|line| self.note(|| line));
        }
    }
}

/// The operator acting for a merchant, in test mode.
pub(super) fn acting_for(merchant: &MerchantId) -> Scope {
    Installation::operator().acting_for(merchant, Mode::Test)
}

/// A merchant with an account at a provider.
pub(super) async fn merchant(
    engine: &Engine,
    policy: SurplusPolicy,
    dialect: Dialect,
) -> Result<(MerchantId, String), String> {
    let text = |error: engine::Error| error.to_string();
    let operator = Installation::operator();
    let merchant = engine.merchants(&operator).add("Simulated", None).await.map_err(text)?;
    let id: MerchantId = merchant.id.parse().map_err(|error: domain::id::BadId| error.to_string())?;
    engine.merchants(&operator).set_surplus_policy(&id, policy).await.map_err(text)?;
    let account = engine.accounts(&acting_for(&id)).add(account(dialect)).await.map_err(text)?;
    Ok((id, account.id))
}
