//! `till simulate`.

use std::io::IsTerminal;
use std::time::Duration;

use clap::{Args, ValueEnum};
use simulate::{Layer, Options, Report, core::Core, engine::EngineWorld};

use super::Failure;
use super::output::{aside, say};

/// Run the payment protocol through random faults and check that no money is lost, doubled or invented.
///
/// A seed decides every event: shoppers, banks, crashes, lost and forged messages. A seed that fails fails again;
/// `--replay` prints every step. The run changes nothing outside this process.
#[derive(Args, Debug)]
pub(super) struct Simulate {
    /// How many seeds to run in each layer
    #[arg(long, default_value_t = 100_000, conflicts_with = "replay")]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    first_seed: u64,
    /// The layer: the rules alone, the real engine on a real database, or one after the other
    #[arg(long, value_enum, default_value_t = Which::Core)]
    layer: Which,
    /// Run one seed and print its trace
    #[arg(long, value_name = "SEED")]
    replay: Option<u64>,
    /// Threads; as many as there are processors unless given
    #[arg(long)]
    threads: Option<usize>,
    /// Begin no more seeds of a layer after so many seconds
    #[arg(long, value_name = "SECONDS")]
    budget: Option<u64>,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Core,
    Engine,
    Both,
}

/// A run ends after this many failures: more failures show nothing new.
const FAILURES_MAX: usize = 10;

impl Simulate {
    pub async fn run(self) -> Result<(), Failure> {
        tokio::task::spawn_blocking(move || self.both()).await?
    }

    fn both(self) -> Result<(), Failure> {
        let mut failed = 0;
        if self.layer != Which::Engine {
            failed += self.one::<Core>("core")?;
        }
        if self.layer != Which::Core {
            failed += self.one::<EngineWorld>("engine")?;
        }
        if failed > 0 { Err(format!("{failed} seeds failed").into()) } else { Ok(()) }
    }

    fn one<L: Layer>(&self, name: &str) -> Result<usize, Failure> {
        if let Some(seed) = self.replay {
            let replayed = L::new()?.replay(seed);
            say(&replayed.to_string())?;
            return Ok(usize::from(replayed.violation.is_some()));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let options = Options {
            first: self.first_seed,
            seeds: self.seeds,
            threads: self.threads.unwrap_or(cores),
            budget: self.budget.map(Duration::from_secs),
            failures_max: FAILURES_MAX,
        };
        let show = std::io::stderr().is_terminal();
        let report = simulate::run::<L>(options, |done, failed| {
            if show {
                aside(&format!("\r{name}: {done} of {} seeds, {failed} failed ", self.seeds));
            }
        })?;
        if show {
            aside("\n");
        }
        say(&summary(name, &report, options.threads))?;
        if let Some((seed, _)) = report.failed.first() {
            let replayed = L::new()?.replay(*seed);
            say(&format!("\n{replayed}\nagain: till simulate --layer {name} --replay {seed}"))?;
        }
        Ok(report.failed.len())
    }
}

fn summary(name: &str, report: &Report, threads: usize) -> String {
    let first = format!(
        "{name}: {} seeds in {}.{:01} s on {threads} threads, {} a second; {} failed",
        report.seeds,
        report.took.as_secs(),
        report.took.subsec_millis() / 100,
        report.speed(),
        report.failed.len()
    );
    let census = report.census.rows().map(|(text, count)| format!("{count:>12}  {text}"));
    let failed = report.failed.iter().map(|(seed, violation)| format!("seed {seed}: {violation}"));
    std::iter::once(first).chain(census).chain(failed).collect::<Vec<_>>().join("\n")
}
