//! Moves what is committed from SQLite's log into the file, while others write. Left to itself SQLite does it within a commit, and
//! everybody who waits for that commit waits for tens of megabytes to be written.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::{Executor, Row};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Store;
use crate::error::Error;

/// How often it is looked whether there is something to do: under load the log grows by more than a hundred megabytes a second.
const EVERY: Duration = Duration::from_millis(200);
/// Write transactions that are worth it at once.
const MANY: u64 = 100;
/// How long fewer may wait: what is in the log is as safe, but it is read again at the next start.
const FEW_WAIT_MAX: Duration = Duration::from_secs(30);
/// Pages of the log from which on it is begun anew, when everything in it has been moved.
const LOG_PAGES: i64 = 4_096;

/// Counts what there may be to do.
#[derive(Default)]
pub(super) struct Written(AtomicU64);

impl Written {
    /// A transaction that may write has begun.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Store {
    /// Checkpoints until told to stop. Returns at once where the database does so itself.
    pub(crate) async fn checkpoints(&self, shutdown: CancellationToken) {
        let Some(statement) = self.dialect.checkpoint() else { return };
        let (mut done, mut last) = (0, Instant::now());
        while !shutdown.is_cancelled() {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(EVERY) => {}
            }
            let written = self.written.0.load(Ordering::Relaxed);
            let waiting = written.wrapping_sub(done);
            if waiting >= MANY || (waiting > 0 && last.elapsed() >= FEW_WAIT_MAX) {
                if let Err(error) = self.checkpoint(statement).await {
                    warn!(%error, "the database's log could not be moved into its file; it is tried again");
                }
                (done, last) = (written, Instant::now());
            }
        }
    }

    /// Moves what is in the log while others go on writing. Only the little that came meanwhile is moved when nobody else
    /// writes: then the log can be begun anew instead of growing.
    async fn checkpoint(&self, statement: &'static str) -> Result<(), Error> {
        let mut reader = self.read.acquire().await?;
        let row = (&mut *reader).fetch_one(statement).await?;
        drop(reader);
        let pages: i64 = row.try_get("log")?;
        if pages >= LOG_PAGES {
            let mut writer = self.write.acquire().await?;
            (&mut *writer).execute(statement).await?;
        }
        Ok(())
    }
}
