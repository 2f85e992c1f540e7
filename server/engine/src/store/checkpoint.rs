//! Moves committed pages from SQLite's log into the file, while servers write. Left to itself, SQLite moves them within a commit, and
//! every request that waits for that commit waits for tens of megabytes to be written.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::{AnyConnection, Connection, Executor, Row};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Store;
use crate::error::Error;

/// How often the log is examined. Under load it grows by more than a hundred megabytes a second.
const EVERY: Duration = Duration::from_millis(100);
/// Write transactions that are worth a checkpoint at once.
const MANY: u64 = 100;
/// How long fewer transactions may wait. The log is as safe as the file, but it is read again at the next start.
const FEW_WAIT_MAX: Duration = Duration::from_secs(30);
/// Pages of the log from which on the log is restarted, once all of its pages have been moved.
const LOG_PAGES: i64 = 4_096;
/// How many passes move the latest pages before a restart of the log. SQLite syncs the file only if no transaction commits during a
/// pass. A short pass has a good chance of that, and pages that it syncs need not be synced while every writer waits.
const CATCH_UP: usize = 2;
/// Pages of a log that a reader keeps from being restarted, and how often a warning is logged.
const LOG_PAGES_ODD: i64 = 65_536;
const SAY_EVERY: Duration = Duration::from_secs(60);
/// The pause after a failure. Frequent tries do not empty a full disk, but the log grows until it is moved.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(200);

/// Counts the transactions that may have written.
#[derive(Default)]
pub(super) struct Written(AtomicU64);

impl Written {
    /// Counts a transaction that may write, when it begins.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// When the next checkpoint is due.
struct Due {
    /// How many transactions had begun at the last checkpoint.
    done: u64,
    last: Instant,
    /// Whether a transaction may have committed only after that checkpoint.
    again: bool,
}

impl Due {
    fn is_now(&self, written: u64) -> bool {
        let waiting = written.wrapping_sub(self.done);
        waiting >= MANY || ((waiting > 0 || self.again) && self.last.elapsed() >= FEW_WAIT_MAX)
    }

    fn set_done(&mut self, written: u64) {
        *self = Due { done: written, last: Instant::now(), again: written != self.done };
    }
}

impl Store {
    /// Checkpoints until shutdown. Returns at once where the database does so itself.
    pub(crate) async fn checkpoints(&self, shutdown: CancellationToken) {
        let Some(statement) = self.dialect.checkpoint() else { return };
        let mut due = Due { done: 0, last: Instant::now(), again: false };
        let (mut own, mut pause) = (None, EVERY);
        let (mut grows, mut fails) = (Seldom::default(), Seldom::default());
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(pause) => pause = EVERY,
            }
            let written = self.written.so_far();
            if !due.is_now(written) {
                continue;
            }
            match self.checkpoint(statement, &mut own).await {
                Ok(Some(pages)) => {
                    due.set_done(written);
                    metrics::gauge!("till_wal_pages").set(f64::from(i32::try_from(pages).unwrap_or(i32::MAX)));
                    if pages >= LOG_PAGES_ODD && grows.may_be_said() {
                        warn!(
                            pages,
                            "the database's log grows; perhaps a reader does not end and keeps it from being begun anew"
                        );
                    }
                }
                // Another connection is making a checkpoint.
                Ok(None) => {}
                Err(error) => {
                    pause = PAUSE_AFTER_ERROR;
                    if fails.may_be_said() {
                        warn!(%error, "the database's log could not be moved into its file; it is tried again");
                    }
                }
            }
        }
    }

    /// Moves the log's pages into the file while others write. For a long log, the latest pages are then moved while no other
    /// transaction writes, and the file is synced if it was not yet: the log can restart instead of growing. Returns the log's pages, or
    /// none if another connection is making a checkpoint.
    async fn checkpoint(&self, statement: &'static str, own: &mut Option<AnyConnection>) -> Result<Option<i64>, Error> {
        let mut connection = match own.take() {
            Some(connection) => connection,
            None => {
                let mut connection = AnyConnection::connect(&self.url).await?;
                self.dialect.prepare(&mut connection, false).await?;
                connection
            }
        };
        let row = connection.fetch_one(statement).await?;
        let (busy, pages): (i64, i64) = (row.try_get("busy")?, row.try_get("log")?);
        let anew = busy == 0 && pages >= LOG_PAGES;
        for _ in 0..if anew { CATCH_UP } else { 0 } {
            connection.execute(statement).await?;
        }
        *own = Some(connection);
        if busy != 0 || pages < 0 {
            return Ok(None);
        }
        if anew {
            let mut writer = self.write.acquire().await?;
            (&mut *writer).execute(statement).await?;
        }
        Ok(Some(pages))
    }
}

/// A message that is logged once in a while.
#[derive(Default)]
struct Seldom(Option<Instant>);

impl Seldom {
    fn may_be_said(&mut self) -> bool {
        let may = self.0.is_none_or(|said| said.elapsed() >= SAY_EVERY);
        if may {
            self.0 = Some(Instant::now());
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_due_at_once_and_few_after_a_while() {
        let long_ago = Instant::now().checked_sub(FEW_WAIT_MAX).unwrap();
        let due = |done, last, again| Due { done, last, again };
        assert!(!due(5, Instant::now(), false).is_now(5 + MANY - 1));
        assert!(due(5, Instant::now(), false).is_now(5 + MANY));
        assert!(due(5, long_ago, false).is_now(6));
        assert!(!due(5, long_ago, false).is_now(5), "an idle server writes nothing");
    }

    #[test]
    fn what_may_have_committed_afterwards_is_done_once_more() {
        let mut due = Due { done: 0, last: Instant::now(), again: false };
        for (written, again) in [(3, true), (3, false), (3, false), (4, true)] {
            due.set_done(written);
            assert_eq!(due.again, again, "{written}");
        }
    }
}
