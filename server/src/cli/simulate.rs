//! `till simulate`.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::{Args, ValueEnum};
use simulate::{Layer, Options, Report, core::Core, engine::EngineWorld};

use super::Failure;

/// Run the payment protocol through random faults and check that no money is lost, doubled or invented.
///
/// A seed decides everything that happens: shoppers, banks, crashes, lost and forged messages. A seed that fails fails again;
/// `--replay` prints every step. Nothing outside this process is touched.
#[derive(Args, Debug)]
pub(super) struct Simulate {
    /// How many seeds to run in each layer
    #[arg(long, default_value_t = 100_000, conflicts_with = "replay")]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    first_seed: u64,
    /// What to simulate: the rules alone, the real engine on a real database, or one after the other
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

/// Failures after which a run ends: more of the same tell nothing new.
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
            println!("{replayed}");
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
                eprint!("\r{name}: {done} of {} seeds, {failed} failed ", self.seeds);
                let _ = std::io::stderr().flush();
            }
        })?;
        if show {
            eprintln!();
        }
        print(name, &report, options.threads);
        if let Some((seed, _)) = report.failed.first() {
            println!("\n{}", L::new()?.replay(*seed));
            println!("again: till simulate --layer {name} --replay {seed}");
        }
        Ok(report.failed.len())
    }
}

fn print(name: &str, report: &Report, threads: usize) {
    println!(
        "{name}: {} seeds in {}.{:01} s on {threads} threads, {} a second; {} failed",
        report.seeds,
        report.took.as_secs(),
        report.took.subsec_millis() / 100,
        report.speed(),
        report.failed.len()
    );
    for (text, count) in report.census.rows() {
        println!("{count:>12}  {text}");
    }
    for (seed, violation) in &report.failed {
        println!("seed {seed}: {violation}");
    }
}
