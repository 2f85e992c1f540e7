//! Finds out whether this server can do its work. An answer is kept for a moment, because finding out writes to the database.

use std::time::Duration;

use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::engine::Engine;
use crate::error::Error;

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(2);
/// How long finding out may take. Longer than a request waits for a connection to the database.
const PATIENCE: Duration = Duration::from_secs(8);

/// Why a server is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotReady {
    /// The database has another version's structure, or does not answer.
    #[error("the database does not answer or is not migrated")]
    Database,
    /// The credentials are sealed with another master key.
    #[error("the master key does not open every provider account's credentials")]
    Seals,
    /// The database can be read but not written.
    #[error("the database cannot be written: it is read-only, full or held up")]
    Unwritable,
}

/// The last answer.
#[derive(Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, Result<(), NotReady>)>>);

impl Readiness {
    /// The newest answer. Callers that ask at the same time wait for one answer.
    pub async fn ask(&self, engine: &Engine) -> Result<(), NotReady> {
        let mut last = self.0.lock().await;
        if let Some((_, answer)) = last.filter(|(at, _)| at.elapsed() < HOLDS) {
            return answer;
        }
        let answer = timeout(PATIENCE, find_out(engine)).await.unwrap_or(Err(NotReady::Database));
        *last = Some((Instant::now(), answer));
        answer
    }
}

async fn find_out(engine: &Engine) -> Result<(), NotReady> {
    if !engine.is_migrated().await {
        return Err(NotReady::Database);
    }
    match engine.check_seals().await {
        Err(Error::Seal(_)) => return Err(NotReady::Seals),
        Err(_) => return Err(NotReady::Database),
        Ok(()) => {}
    }
    engine.store().try_write().await.map_err(|error| {
        warn!(%error, "the database cannot be written");
        NotReady::Unwritable
    })
}
