//! The words of the command line for the engine's errors. Every word that tells a person what went wrong and what to do about it is here;
//! the engine's errors are data.

mod account;
mod amount;
mod database;
mod link;
mod money;
mod order;
mod refusal;
mod tls;

pub use database::body;
pub use order::{money_error, order};

use connectors::Fail;
use engine::problem::MerchantProblem;
use engine::{
    CallError, Error, HostProblem, KeyringError, Later, Raced, Retention, RetentionError, SealError, Thing,
    TransportError,
};

/// An error in words, for the person at the command line.
#[must_use]
pub fn of(error: &Error) -> String {
    match error {
        Error::Store(error) => format!("the database: {}", database::trouble(&engine::Trouble::of(error))),
        Error::Migrate(error) => {
            let (step, found) = engine::Trouble::of_step(error);
            database::migration(step, &found)
        }
        Error::Database(problem) => database::problem(problem),
        Error::Corrupt(what) => format!("a stored value cannot be read: {what}"),
        Error::Refused(refusal) => refusal::words(refusal),
        Error::NotFound(thing) => missing(thing),
        Error::Order(error) => order(error),
        Error::Amount(rule) => amount::rule(rule),
        Error::Merchant(problem) => merchant(*problem),
        Error::Account(problem) => account::words(problem),
        Error::Link(problem) => link::words(problem),
        Error::Money(problem) => money::words(problem),
        Error::Provider(error) => provider(error),
        Error::Later(later) => of_later(later),
        Error::Raced(Raced::Deliveries) => "another server was faster".to_owned(),
        Error::Raced(Raced::Sealing(account)) => format!("{account} is changed all the time; run this again"),
        Error::Seal(error) => seal(error),
    }
}

fn missing(thing: &Thing) -> String {
    match thing {
        Thing::Merchant(id) => format!("there is no merchant {id}; see `till merchant list`"),
        Thing::ActiveKey(id) => format!("there is no active key {id}"),
        Thing::Account(id) => {
            format!("there is no provider account {id}; see `till provider list --merchant mer_…`")
        }
        Thing::Connector(provider) => format!("there is no connector for provider {provider}"),
        Thing::Link(id) => format!("there is no link {id}"),
        Thing::Order(id) => format!("there is no order {id}"),
        Thing::Session(id) => format!("there is no session {id}"),
        Thing::Payment(id) => format!("there is no payment {id}"),
        Thing::Attempt(id) => format!("there is no attempt {id}"),
        Thing::Modification(id) => format!("there is no modification {id}"),
        Thing::Movement(name) => {
            format!("there is no capture, refund, dispute or return with the id or reference {name}")
        }
        Thing::Delivery(id) => format!("there is no delivery {id}"),
        Thing::Alert { kind, subject } => format!("there is no alert {kind} about {subject}; see `till alerts`"),
        Thing::Job(id) => format!("there is no job {id} that could be run now; see `till jobs list`"),
        Thing::JobKind(kind) => format!("there is no job of kind {kind}"),
        Thing::Row(after) => {
            format!("--after {after}: there is no such row in this list (any more); begin at the top, without --after")
        }
    }
}

fn merchant(problem: MerchantProblem) -> String {
    match problem {
        MerchantProblem::Name { chars_max } => format!(
            "the name must have 1 to {chars_max} characters, at least one of them visible, no control characters and none that \
             change the direction of text"
        ),
        MerchantProblem::SupportEmail { local_bytes_max, bytes_max } => format!(
            "the support e-mail must be one address such as help@example.com: up to {local_bytes_max} characters before the @, \
             {bytes_max} in all, and nothing else"
        ),
    }
}

/// The provider's own text is data, and is passed on.
fn provider(error: &CallError) -> String {
    match error {
        CallError::Fail(Fail::Refused(why)) => format!("the provider refused: {why}"),
        CallError::Fail(Fail::Unauthorized(why)) => format!("the provider did not accept the credentials: {why}"),
        CallError::Fail(Fail::TurnedAway(why)) => {
            format!("the credentials were not accepted, but that is not the provider's own reply: {why}")
        }
        CallError::Fail(Fail::Unsupported(why)) => format!("not supported: {why}"),
        CallError::Fail(Fail::RateLimited(_)) => "the provider asks for fewer requests".to_owned(),
        CallError::Fail(Fail::Unsure(why)) => format!("the outcome at the provider is unknown: {why}"),
        CallError::Transport(
            error @ (TransportError::NotSent(_) | TransportError::Lost(_) | TransportError::TooLarge(_)),
        ) => error.to_string(),
    }
}

fn of_later(later: &Later) -> String {
    match later {
        Later::NotOpen(_) => "not open yet".to_owned(),
        Later::NotAnswered { kind, .. } => format!("{} not answered yet", kind.as_str()),
        Later::NoEvents(_) => "the provider listed no events".to_owned(),
        Later::InboxFull => "the inbox is full or the database away".to_owned(),
        Later::Panicked => "panicked".to_owned(),
        Later::TookTooLong(most) => format!("took longer than {most:?}"),
        Later::NewsClosed => "the connection was closed".to_owned(),
        Later::NewsSilent => "the connection does not answer".to_owned(),
    }
}

fn seal(error: &SealError) -> String {
    match error {
        SealError::OtherKey => {
            "the credentials in this database were sealed under another master key; set TILL_MASTER_KEY to that one, or put the \
             master.key it was kept in back beside the database file"
                .to_owned()
        }
        SealError::Damaged => "sealed credentials are damaged".to_owned(),
    }
}

/// A master key that cannot be used.
#[must_use]
pub fn keyring(error: KeyringError) -> &'static str {
    match error {
        KeyringError::Form => {
            "TILL_MASTER_KEY must be 64 hexadecimal digits (32 random bytes); several, separated by commas, while rotating, the newest \
             first"
        }
        KeyringError::Guessable => {
            "TILL_MASTER_KEY repeats one byte, so that anybody can guess it: make a random key with `openssl rand -hex 32`, and set it \
             in front of this one (new,old) if credentials are sealed already"
        }
    }
}

/// Days that cannot be kept.
#[must_use]
pub fn retention(error: &RetentionError) -> String {
    match error {
        RetentionError::Form(pair) => format!("{pair:?} is not of the form name=days"),
        RetentionError::Unknown(name) => {
            format!("{name:?} is nothing that is kept; there are {}", Retention::names().join(", "))
        }
        RetentionError::Days { name, least, most } => {
            format!("{name} must be a number of days from {least} to {most}")
        }
        RetentionError::WaitsWithoutBodies { waits, bodies } => format!(
            "waits={waits} is longer than bodies={bodies}; a delivery that waits needs its bytes, so raise bodies or lower waits"
        ),
    }
}

/// A web address that cannot be reached on any network.
#[must_use]
pub fn host(problem: HostProblem) -> &'static str {
    match problem {
        HostProblem::Name => {
            "the host must be a full name of letters, digits, hyphens and single dots, without * or _ and without a dot at the end"
        }
        HostProblem::NoMachine => "the host is no address of one machine",
        HostProblem::PortZero => "there is no port 0",
    }
}

#[cfg(test)]
mod tests;
