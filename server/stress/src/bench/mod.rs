//! `stress bench`: measures the server's throughput, as ratios between variants that were measured in turns in one run.

mod apply;
mod grown;
mod intake;
mod open_pages;
mod report;
mod seed;
mod site;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use clap::Args;
use tokio::task::block_in_place;

use crate::Failure;
use crate::cluster::Cluster;
use crate::database::Database;
use crate::faults::Which;
use crate::process::run as run_command;
use crate::random::Random;
use grown::Grown;
use intake::Kind;
use report::{Figures, Report};
use site::BenchSite;

/// The server's hidden variable that chooses how deliveries are stored. It exists for this comparison.
const SWITCH: &str = "TILL_BENCH_INBOX";
/// The core of the server, and of the run's own PostgreSQL.
const SERVER_CORE: &str = "0";
/// The core of the load generator.
const OUR_CORE: &str = "1";

/// The options of `stress bench`.
#[derive(Args, Debug, Clone)]
pub struct Bench {
    /// The binary under test
    #[arg(long, default_value = "dist/till")]
    pub till: PathBuf,
    /// The database to measure
    #[arg(long, value_enum, default_value_t = Which::Both)]
    pub database: Which,
    /// Connections that deliver at a time
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// About a minute for both databases: fewer and shorter measurements, which the options below can still change
    #[arg(long)]
    pub quick: bool,
    /// Milliseconds of one measurement [default: 5000; quick: 1000]
    #[arg(long)]
    pub millis: Option<u64>,
    /// The most deliveries of one measurement
    #[arg(long, default_value_t = 80_000)]
    pub deliveries: usize,
    /// How often each variant is measured, in turns with the others [default: 4; quick: 2]
    #[arg(long)]
    pub repetitions: Option<usize>,
    /// Payments that are opened and then paid for a measurement of applying, in the first variant
    #[arg(long, default_value_t = 20_000)]
    pub payments: usize,
    /// Deliveries whose time to an open page is measured, in the first variant
    #[arg(long, default_value_t = 100)]
    pub pushes: usize,
    /// Pages that are open at a time when their memory is measured, in the first variant; fewer if too few files may be open
    #[arg(long, default_value_t = 5_000)]
    pub pages: usize,
    /// How many events a second the provider has made, up to now: the events' ids begin with the second
    #[arg(long, default_value_t = 1_000)]
    pub made_per_second: usize,
    /// Give the events of the intake random ids, instead of ids that begin with their time as Stripe's do
    #[arg(long)]
    pub scattered_ids: bool,
    /// Instead of the above, measure pages, lists and balances on a database that has grown. Takes minutes and
    /// gigabytes
    #[arg(long, conflicts_with = "quick")]
    pub grown: bool,
    /// The number of payments and deliveries of a grown database
    #[arg(long, default_value_t = 1_000_000)]
    pub rows: usize,
    /// Write the figures to this file, as JSON
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Decides ids and amounts
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl Bench {
    /// Measures and prints.
    pub async fn run(self) -> Result<(), Failure> {
        let pinned = pin();
        if self.grown {
            return self.run_grown(pinned).await;
        }
        let mut report = Report::new(&self, pinned);
        if self.database != Which::Postgres {
            report.add("sqlite", self.measure(pinned, None).await?);
        }
        if self.database != Which::Sqlite {
            let cluster = cluster(pinned)?;
            report.add("postgres", self.measure(pinned, Some(&cluster.url())).await?);
        }
        println!("{report}");
        if let Some(file) = &self.json {
            std::fs::write(file, report.json())?;
            println!("the figures are in {}", file.display());
        }
        let beyond = report.beyond();
        if beyond.is_empty() { Ok(()) } else { Err(beyond.join("; ").into()) }
    }

    /// The same for grown databases, one after the other: two at a time take too much room.
    async fn run_grown(&self, pinned: bool) -> Result<(), Failure> {
        let mut random = Random::new(self.seed, 21);
        let mut all = vec![];
        if self.database != Which::Postgres {
            all.push(self.measure_grown(pinned, Database::sqlite()?, &mut random).await?);
        }
        if self.database != Which::Sqlite {
            let cluster = cluster(pinned)?;
            let database = Database::postgres(&cluster.url(), &random.word()).await?;
            all.push(self.measure_grown(pinned, database, &mut random).await?);
        }
        all.iter().flat_map(Grown::lines).for_each(|line| println!("{line}"));
        if let Some(file) = &self.json {
            let databases: Vec<_> = all.iter().map(Grown::json).collect();
            std::fs::write(file, serde_json::Value::from(databases).to_string())?;
            println!("the figures are in {}", file.display());
        }
        let beyond: Vec<String> = all.iter().flat_map(Grown::beyond).collect();
        if beyond.is_empty() { Ok(()) } else { Err(beyond.join("; ").into()) }
    }

    async fn measure_grown(&self, pinned: bool, database: Database, random: &mut Random) -> Result<Grown, Failure> {
        let site = BenchSite::open(&self.till, database, "group", pinned, random).await?;
        let grown = grown::measure(&site, self.rows, random).await?;
        site.shop.database.remove().await?;
        Ok(grown)
    }

    async fn measure(&self, pinned: bool, postgres: Option<&str>) -> Result<Vec<(String, Figures)>, Failure> {
        let mut sites = vec![];
        let mut random = Random::new(self.seed, 20);
        for variant in ["group", "single", "discard"] {
            let database = match postgres {
                Some(server) => Database::postgres(server, &random.word()).await?,
                None => Database::sqlite()?,
            };
            let site = BenchSite::open(&self.till, database, variant, pinned, &mut random).await?;
            if sites.is_empty() && !site.knows_variants().await? {
                println!("{}: this till has no {SWITCH}; it is measured as it is", site.shop.database.name);
                sites.push(site.without_switch());
                break;
            }
            sites.push(site);
        }
        let mut figures: Vec<Figures> = sites.iter().map(|_| Figures::default()).collect();
        if let (Some(site), Some(figures)) = (sites.first(), figures.first_mut()) {
            figures.open_pages = Some(open_pages::measure(self, site).await?);
        }
        let repetitions = self.repetitions();
        for repetition in 1..=repetitions {
            for (number, (site, figures)) in sites.iter().zip(&mut figures).enumerate() {
                println!("{} {}: {repetition} of {repetitions}", site.shop.database.name, site.variant);
                figures.intake.push(intake::measure(self, site, Kind::Idle, &mut random).await?);
                // The variants also treat deliveries about unknown payments alike: one variant is enough.
                if number == 0 {
                    figures.strangers.push(intake::measure(self, site, Kind::Stranger, &mut random).await?);
                }
                // All variants apply deliveries in the same way: one variant is enough.
                if number == 0 && (!self.quick || repetition == 1) {
                    apply::measure(self, site, figures, &mut random).await?;
                }
            }
        }
        for site in &sites {
            site.shop.database.remove().await?;
        }
        Ok(sites.into_iter().map(|site| site.variant.to_owned()).zip(figures).collect())
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.millis.unwrap_or(if self.quick { 1000 } else { 5000 }))
    }

    /// The duration of the warm-up, which is not counted.
    fn warm_up(&self) -> Duration {
        self.patience() / 4
    }

    /// How often the applying of deliveries is measured.
    fn applied_repetitions(&self) -> usize {
        if self.quick { 1 } else { self.repetitions() }
    }

    fn repetitions(&self) -> usize {
        self.repetitions.unwrap_or(if self.quick { 2 } else { 4 }).max(1)
    }
}

/// A PostgreSQL of the run's own, on the server's core.
fn cluster(pinned: bool) -> Result<Cluster, Failure> {
    let prefix: &[&str] = if pinned { &["taskset", "-c", SERVER_CORE] } else { &[] };
    block_in_place(|| Cluster::start_within(prefix))
}

/// Moves this process to one core and leaves the other to the server, if there are two. Returns whether that was
/// possible.
fn pin() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let own = std::process::id().to_string();
    cores >= 2 && run_command(Command::new("taskset").args(["-a", "-c", "-p", OUR_CORE, &own])).is_ok()
}
