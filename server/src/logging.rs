//! Logs: readable on a terminal, JSON elsewhere, always on standard error.

use std::io::{IsTerminal, Write, stderr};

use tracing_subscriber::EnvFilter;

use crate::terminal;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Starts logging at a level, or with a filter such as `engine=debug,info`.
pub(crate) fn start(filter: &str) -> Result<(), String> {
    let advice = "use error, warn, info, debug, trace or a filter such as engine=debug,info";
    // The filter would take a bare word that is not a level for a module's name, and silence everything else.
    if let Some(word) = filter.split(',').map(str::trim).find(|part| !part.contains('=') && !LEVELS.contains(part)) {
        return Err(format!("TILL_LOG is {filter:?}: {word:?} is no level; {advice}"));
    }
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("TILL_LOG is {filter:?}: {error}; {advice}"))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
    let started = if stderr().is_terminal() {
        subscriber.with_writer(|| Lines(terminal::coloured)).try_init()
    } else {
        subscriber.json().with_writer(|| Lines(terminal::json)).try_init()
    };
    started.map_err(|error| error.to_string())
}

/// Writes each line of the log with terminal control characters made visible. A line comes in one piece.
struct Lines(fn(&str) -> String);

impl Write for Lines {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(piece);
        let (line, end) = text.strip_suffix('\n').map_or((&*text, ""), |line| (line, "\n"));
        // A reader that has gone away must not stop a server: the subscriber would panic at the error.
        let _ = stderr().write_all(format!("{}{end}", (self.0)(line)).as_bytes());
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let _ = stderr().flush();
        Ok(())
    }
}
