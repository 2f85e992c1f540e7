//! `stress`: real faults and benchmarks for the real `till` binary, as separate processes on this machine.

mod bench;
mod checks;
mod clock;
mod cluster;
mod database;
mod faults;
mod http;
mod load;
mod process;
mod random;
mod record;
mod shop;
mod stripe;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The reason for a run's failure, for people.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Faults and load for the real till binary. Everything runs on this machine and is removed afterwards.
#[derive(Parser, Debug)]
#[command(name = "stress", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Kill, starve and mislead a server under load, and check afterwards that nothing is lost and nothing happened twice
    Faults(faults::Faults),
    /// Measure deliveries per second, latency, memory and news to open pages, as ratios between variants
    Bench(bench::Bench),
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Faults(command) => command.run().await,
        Command::Bench(command) => command.run().await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stress: {error}");
            ExitCode::FAILURE
        }
    }
}
