//! Logs: readable on a terminal, JSON elsewhere, always on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Starts logging at a level, or with a filter such as `engine=debug,info`.
pub(crate) fn start(filter: &str) -> Result<(), String> {
    let advice = "use error, warn, info, debug, trace or a filter such as engine=debug,info";
    // A bare word that is no level would be taken for the name of a module, and silence everything else.
    if let Some(word) = filter.split(',').map(str::trim).find(|part| !part.contains('=') && !LEVELS.contains(part)) {
        return Err(format!("TILL_LOG is {filter:?}: {word:?} is no level; {advice}"));
    }
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("TILL_LOG is {filter:?}: {error}; {advice}"))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let started = if stderr().is_terminal() { subscriber.try_init() } else { subscriber.json().try_init() };
    started.map_err(|error| error.to_string())
}
