//! A shop under load, and its end: everything worked off, the server stopped, the database looked at.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::Faults;
use crate::Failure;
use crate::checks::{self, Evidence, Snapshot};
use crate::database::Database;
use crate::load::{Load, Running};
use crate::process::Process;
use crate::random::Random;
use crate::shop::Shop;

/// One-time links of a run.
const ONCE_LINKS: u32 = 24;
/// How long the provider goes on after the faults until everything is acknowledged.
const FLUSH_MAX: Duration = Duration::from_secs(90);
/// How long an orderly stop may take.
const STOP_MAX: Duration = Duration::from_secs(30);

const WAITING: &str =
    "SELECT (SELECT COUNT(*) FROM inbox WHERE state = 'pending') + (SELECT COUNT(*) FROM jobs WHERE kind = 'apply')";

/// A shop, its load and its server.
pub struct Site {
    /// The load at work.
    pub running: Running,
    /// The server.
    pub server: Process,
    name: String,
}

impl Site {
    /// Opens a shop on a database and sends shoppers in. `clock_moves`: Till's clock may be wrong.
    pub async fn open(
        options: &Faults,
        name: &str,
        database: Database,
        env: &[(&str, String)],
        clock_moves: bool,
    ) -> Result<Site, Failure> {
        let name = format!("{name} {}", database.name);
        let mut random = Random::new(options.seed, 1);
        let mut shop = Shop::open(&options.till, database, &mut random).await?;
        let links = options.rounds.min(ONCE_LINKS);
        let once = (0..links).map(|_| shop.add_link("EUR", "Pot=18.50", true)).collect::<Result<Vec<_>, _>>()?;
        let shop = Arc::new(shop);
        let server = shop.serve_with(&[], env).await?;
        let running = Running::start(shop, once, options.seed, clock_moves);
        Ok(Site { running, server, name })
    }

    /// What the clients share.
    pub fn load(&self) -> &Load {
        &self.running.load
    }

    /// The shop.
    pub fn shop(&self) -> &Shop {
        &self.running.load.shop
    }

    /// One line about how far things are.
    pub async fn report(&self, what: &str) -> Result<(), Failure> {
        let text = summary(self.load()).await?;
        println!("{}: {what}: {text}", self.name);
        Ok(())
    }

    /// Ends the load, waits until all is worked off, stops the server and checks.
    pub async fn conclude(self, options: &Faults, what: &str) -> Result<(), Failure> {
        let log = self.shop().log();
        let (name, seed) = (self.name.clone(), options.seed);
        match self.try_to_conclude(options, what).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let kept = keep(&log, &name, seed);
                Err(format!("{name}, seed {seed}: {what}: {error}\nthe server's log is kept in {}", kept.display()).into())
            }
        }
    }

    async fn try_to_conclude(mut self, options: &Faults, what: &str) -> Result<(), Failure> {
        let load = self.running.finish(FLUSH_MAX).await?;
        let began = Instant::now();
        let patience = Duration::from_secs(options.drain_seconds);
        while load.shop.database.number(WAITING).await? > 0 && began.elapsed() < patience {
            sleep(Duration::from_millis(200)).await;
        }
        let drained = began.elapsed();
        self.server.stop(STOP_MAX).await?;
        let found = Snapshot::read(&load.shop.database).await?;
        let provider = load.shop.provider_sessions().await?;
        let text = summary(&load).await?;
        let record = load.record().clone();
        let (account, other) = (&load.shop.account.id, &load.shop.other.id);
        let evidence = Evidence { found: &found, record: &record, provider: &provider, account, other };
        let result = checks::run(&evidence);
        load.shop.database.remove().await?;
        let verdict = if result.is_ok() { "0 violations" } else { "VIOLATIONS" };
        println!("{}: {what}: {text}, worked off in {} ms, {verdict}", self.name, drained.as_millis());
        result
    }
}

async fn summary(load: &Load) -> Result<String, Failure> {
    let applied = load.shop.database.number("SELECT COUNT(*) FROM inbox WHERE state <> 'pending'").await?;
    let record = load.record();
    let replies: Vec<String> = record.replies.iter().map(|(status, count)| format!("{status}×{count}")).collect();
    Ok(format!(
        "{} sessions, {} payments opened, {} deliveries acknowledged, {applied} settled, {} duplicates, replies {}",
        record.opened,
        record.cases.len(),
        record.acknowledged(),
        record.duplicates(),
        replies.join(" ")
    ))
}

/// Copies the server's log to where it outlives the run.
fn keep(log: &std::path::Path, name: &str, seed: u64) -> PathBuf {
    let kept = std::env::temp_dir().join(format!("till-stress-{}-{seed}.log", name.replace(' ', "-")));
    let _ = std::fs::copy(log, &kept);
    kept
}
