//! A shop under load, and the end of a run: all work is finished, the server is stopped, and the database is checked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::block_in_place;
use tokio::time::sleep;

use super::Faults;
use super::rounds::Rounds;
use crate::Failure;
use crate::checks::{self, Evidence, Snapshot};
use crate::database::Database;
use crate::load::merchant::Asked;
use crate::load::{Load, Running};
use crate::process::Process;
use crate::random::Random;
use crate::shop::Shop;

/// One-time links of a run.
const ONCE_LINKS: u32 = 24;
/// The longest time after the faults until every delivery is acknowledged.
const FLUSH_MAX: Duration = Duration::from_secs(90);
/// The longest time for an orderly stop.
const STOP_MAX: Duration = Duration::from_secs(30);

/// The number of unsettled rows: pending deliveries, deliveries that wait for an attempt which is known, and requests
/// to the provider without an answer.
/// Structured values are JSON without spaces, as the engine writes them.
const WAITING: &str = "SELECT CAST(
    (SELECT COUNT(*) FROM inbox WHERE state = 'pending') +
    (SELECT COUNT(*) FROM inbox JOIN inbox_waits ON inbox_id = inbox.id JOIN attempts ON wanted = attempts.id
        WHERE state = 'waiting') +
    (SELECT COUNT(*) FROM inbox JOIN inbox_waits ON inbox_id = inbox.id
        JOIN attempt_references ON wanted = attempt_references.account_id || '/' || reference WHERE state = 'waiting') +
    (SELECT COUNT(*) FROM attempts WHERE data LIKE '%\"stage\":\"opening\"%' OR data LIKE '%\"stage\":\"unknown\"%'
        OR data LIKE '%\"stage\":\"requested\"%') AS BIGINT)";

/// The longest time for a server to recover after a fault.
const RECOVERY_MAX: Duration = Duration::from_secs(30);

/// The particulars of a run's server.
#[derive(Default)]
pub struct Setup {
    /// A program that starts the server, with arguments.
    pub wrapper: Vec<String>,
    /// More environment.
    pub env: Vec<(&'static str, String)>,
    /// Whether the server's clock may be wrong, so that it may refuse valid signatures.
    pub clock_moves: bool,
    /// Whether a merchant makes refunds meanwhile.
    pub merchant: bool,
}

/// A shop, its load and its server.
pub struct Site {
    /// The running load.
    pub running: Running,
    /// The server.
    pub server: Process,
    name: String,
    worked_off: Duration,
}

impl Site {
    /// Opens a shop on a database and sends shoppers in.
    pub async fn open(options: &Faults, name: &str, database: Database, setup: Setup) -> Result<Site, Failure> {
        let name = format!("{name} {}", database.name);
        let mut random = Random::new(options.seed, 1);
        let mut shop = Shop::open(&options.till, database, &mut random).await?;
        let links = options.rounds.min(ONCE_LINKS);
        let once = (0..links).map(|_| shop.add_link("EUR", "Pot=18.50", true)).collect::<Result<Vec<_>, _>>()?;
        let shop = Arc::new(shop);
        let server = shop.serve_with(&setup.wrapper, &setup.env).await?;
        let running = Running::start(shop, once, options.seed, setup.clock_moves, setup.merchant);
        Ok(Site { running, server, name, worked_off: Duration::ZERO })
    }

    /// The state that the clients share.
    pub fn load(&self) -> &Load {
        &self.running.load
    }

    /// The shop.
    pub fn shop(&self) -> &Shop {
        &self.running.load.shop
    }

    /// Prints one line about the progress.
    pub async fn report(&self, what: &str) -> Result<(), Failure> {
        let text = summary(self.load()).await?;
        println!("{}: {what}: {text}", self.name);
        Ok(())
    }

    /// The number of replies to deliveries with a status.
    pub fn replies(&self, status: u16) -> u64 {
        self.load().record().replies.get(&status).copied().unwrap_or(0)
    }

    /// Waits until the same process acknowledges deliveries again. Returns the time that took.
    pub async fn recovered(&mut self, options: &Faults, since: &str) -> Result<Duration, Failure> {
        let (began, before) = (Instant::now(), self.replies(200));
        while self.replies(200) == before {
            if let Some(status) = self.server.ended() {
                return Err(self.broken(options, format!("the server ended: {status}")));
            }
            if began.elapsed() > RECOVERY_MAX {
                return Err(
                    self.broken(options, format!("nothing was acknowledged for {RECOVERY_MAX:?} since {since}"))
                );
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(began.elapsed())
    }

    /// Waits until the merchant has made a refund, so that no run ends without one.
    pub async fn refunded(&self, options: &Faults) -> Result<(), Failure> {
        let began = Instant::now();
        while self.load().record().merchant.sent == 0 {
            if began.elapsed() > RECOVERY_MAX {
                return Err(self.broken(options, format!("the merchant could send nothing back in {RECOVERY_MAX:?}")));
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// A violation, with the details needed to investigate.
    pub fn broken(&self, options: &Faults, error: impl std::fmt::Display) -> Failure {
        let kept = keep(&self.shop().log(), &self.name, options.seed);
        let (name, seed, kept) = (&self.name, options.seed, kept.display());
        format!("{name}, seed {seed}: {error}\nthe server's log is kept in {kept}").into()
    }

    /// Ends the load, waits until all work is finished, stops the server and checks.
    pub async fn conclude(self, options: &Faults, rounds: &Rounds, what: &str) -> Result<(), Failure> {
        self.conclude_then(options, rounds, what, async || Ok(())).await
    }

    /// The same, with the caller's own look at the stopped database.
    pub async fn conclude_then(
        mut self,
        options: &Faults,
        rounds: &Rounds,
        what: &str,
        look: impl AsyncFnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let concluded = async {
            let rounds = rounds.verdict()?;
            self.work_off(options).await?;
            look().await?;
            self.check(&format!("{rounds}, {what}")).await
        };
        match concluded.await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.broken(options, format!("{what}: {error}"))),
        }
    }

    async fn work_off(&mut self, options: &Faults) -> Result<(), Failure> {
        self.running.finish(FLUSH_MAX).await?;
        let began = Instant::now();
        let patience = Duration::from_secs(options.drain_seconds);
        while self.shop().database.number(WAITING).await? > 0 && began.elapsed() < patience {
            sleep(Duration::from_millis(200)).await;
        }
        self.worked_off = began.elapsed();
        self.server.stop(STOP_MAX).await?;
        block_in_place(|| self.shop().audit())
    }

    async fn check(&self, what: &str) -> Result<(), Failure> {
        let shop = self.shop();
        let found = Snapshot::read(&shop.database).await?;
        let (provider, refunds) = (shop.provider_sessions().await?, shop.provider_refunds().await?);
        let listed = shop.provider_events().await?;
        let text = summary(self.load()).await?;
        let record = self.load().record().clone();
        let (account, other) = (&shop.account.id, &shop.other.id);
        let (found, record) = (&found, &record);
        let evidence =
            Evidence { found, record, provider: &provider, refunds: &refunds, listed: &listed, account, other };
        let result = checks::run(&evidence);
        shop.database.remove().await?;
        let verdict = if result.is_ok() { "0 violations" } else { "VIOLATIONS" };
        println!("{}: {what}: {text}, worked off in {} ms, {verdict}", self.name, self.worked_off.as_millis());
        result
    }
}

async fn summary(load: &Load) -> Result<String, Failure> {
    let applied = load.shop.database.number("SELECT COUNT(*) FROM inbox WHERE state <> 'pending'").await?;
    let record = load.record();
    let replies: Vec<String> = record.replies.iter().map(|(status, count)| format!("{status}×{count}")).collect();
    let merchant = match record.merchant {
        Asked { sent: 0, killed: 0, refused: 0 } => String::new(),
        Asked { sent, killed, refused } => format!(", refunds {sent} sent {killed} killed {refused} refused"),
    };
    Ok(format!(
        "{} sessions, {} payments opened, {} deliveries acknowledged, {applied} settled, {} duplicates, replies {}{merchant}",
        record.opened,
        record.cases.len(),
        record.acknowledged(),
        record.duplicates(),
        replies.join(" ")
    ))
}

/// Copies the server's log to a place that outlives the run.
fn keep(log: &std::path::Path, name: &str, seed: u64) -> PathBuf {
    let kept = std::env::temp_dir().join(format!("till-stress-{}-{seed}.log", name.replace(' ', "-")));
    let _ = std::fs::copy(log, &kept);
    kept
}
