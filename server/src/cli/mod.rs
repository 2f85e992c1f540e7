//! The command line.

mod alerts;
mod backup;
mod delivery;
mod demo;
mod event;
mod failure;
mod jobs;
mod key;
mod ledger;
mod link;
mod merchant;
mod migrate;
mod movement;
mod output;
mod payment;
mod provider;
mod sandbox;
mod secret;
mod serve;
mod simulate;
mod statement;
mod whose;
pub mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{logging, terminal};
pub(crate) use failure::Failure;
use output::aside;

/// The exit code of a program ended by a broken pipe, as shells report it: 128 and the number of SIGPIPE. Rust's
/// programs ignore the signal and must report it themselves.
const READER_GONE: u8 = 141;
/// The log filter of a command that is not a server: warnings of Till's own crates. Libraries log their inner workings,
/// such as the time of a database statement.
const OWN_WORDS: &str = "off,server=warn,engine=warn,sandbox=warn,simulate=warn";

/// Self-hosted hosted checkout and pay-by-link.
///
/// Every setting is an environment variable and a command line option; the option wins.
#[derive(Parser, Debug)]
#[command(name = "till", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    /// How much to log to standard error: error, warn, info, debug or trace
    #[arg(long, global = true, env = "TILL_LOG", default_value = "info")]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Try Till: a server, a provider sandbox and a seeded shop; prints a link that can be paid
    Demo(demo::Demo),
    /// Run the server
    Serve(serve::Serve),
    /// Run the provider simulators alone
    Sandbox(sandbox::SandboxCommand),
    /// Bring the database's structure up to date
    Migrate(migrate::Migrate),
    /// Copy an SQLite database while servers work on it, and verify the copy
    Backup(backup::Backup),
    /// Add and list merchants
    Merchant(merchant::MerchantCommand),
    /// Make, list and revoke a merchant's API keys
    Key(key::KeyCommand),
    /// Add and list a merchant's provider accounts, rotate their secrets and the master key
    Provider(provider::ProviderCommand),
    /// Make, list and switch payment links
    Link(link::LinkCommand),
    /// List, show, capture, void, refund and cancel payments
    Payment(payment::PaymentCommand),
    /// List and find captures, refunds, disputes and returns
    Movement(movement::MovementCommand),
    /// List a merchant's events
    Event(event::EventCommand),
    /// Print a merchant's balances, and compare the ledger with the payments
    Ledger(ledger::LedgerCommand),
    /// List the providers' deliveries with their states, and show a delivery as it was sent
    Delivery(delivery::DeliveryCommand),
    /// List jobs that fail or were given up, and run them again
    Jobs(jobs::JobsCommand),
    /// Run the payment protocol through random faults, deterministically
    Simulate(simulate::Simulate),
    /// List matters that need a person: rejected webhooks, mismatches, failing jobs
    Alerts(alerts::Alerts),
}

impl Command {
    async fn run(self) -> Result<(), Failure> {
        match self {
            Command::Demo(command) => command.run().await,
            Command::Serve(command) => command.run().await,
            Command::Sandbox(command) => command.run().await,
            Command::Migrate(command) => command.run().await,
            Command::Backup(command) => command.run().await,
            Command::Merchant(command) => command.run().await,
            Command::Key(command) => command.run().await,
            Command::Provider(command) => command.run().await,
            Command::Link(command) => command.run().await,
            Command::Payment(command) => command.run().await,
            Command::Movement(command) => command.run().await,
            Command::Event(command) => command.run().await,
            Command::Ledger(command) => command.run().await,
            Command::Delivery(command) => command.run().await,
            Command::Jobs(command) => command.run().await,
            Command::Simulate(command) => command.run().await,
            Command::Alerts(command) => command.run().await,
        }
    }

    /// Whether the command is a server. Servers log their work; other commands only print their result, and warnings.
    fn is_server(&self) -> bool {
        matches!(self, Command::Demo(_) | Command::Serve(_) | Command::Sandbox(_))
    }
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            aside(&terminal::lines(&error.render().to_string()));
            return ExitCode::from(2);
        }
        // The user asked for help or the version.
        Err(error) => error.exit(),
    };
    let level = if cli.log == "info" && !cli.command.is_server() { OWN_WORDS } else { &cli.log };
    if let Err(error) = logging::start(level) {
        return fail(&error);
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    match runtime.block_on(cli.command.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::ReaderGone) => ExitCode::from(READER_GONE),
        Err(Failure::Told(reason)) => fail(&reason),
    }
}

fn fail(text: &str) -> ExitCode {
    aside(&format!("till: {}\n", terminal::lines(text)));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent_and_explains_itself() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        for sub in command.get_subcommands() {
            assert!(sub.get_about().is_some() || sub.get_name() == "help", "{}", sub.get_name());
        }
    }
}
