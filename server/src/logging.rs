//! Logs: readable on a terminal, JSON elsewhere, always on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// Starts logging at a level, or with a filter such as `engine=debug,info`.
pub(crate) fn start(filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        format!(
            "TILL_LOG is {filter:?}: {error}; use error, warn, info, debug, trace or a filter such as engine=debug,info"
        )
    })?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let started = if stderr().is_terminal() { subscriber.try_init() } else { subscriber.json().try_init() };
    started.map_err(|error| error.to_string())
}
