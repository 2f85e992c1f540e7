//! Moves what is committed from SQLite's log into the file, while others write. Left to itself SQLite does it within a commit, and
//! everybody who waits for that commit waits for tens of megabytes to be written.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::{AnyConnection, Connection, Executor, Row};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Store;
use crate::error::Error;

/// How often it is looked whether there is something to do: under load the log grows by more than a hundred megabytes a second.
const EVERY: Duration = Duration::from_millis(100);
/// Write transactions that are worth it at once.
const MANY: u64 = 100;
/// How long fewer may wait: what is in the log is as safe, but it is read again at the next start.
const FEW_WAIT_MAX: Duration = Duration::from_secs(30);
/// Pages of the log from which on it is begun anew, when everything in it has been moved.
const LOG_PAGES: i64 = 4_096;
/// How often what came meanwhile is moved before that. SQLite syncs the file only if nobody has committed during a pass; a short
/// one has a good chance, and what is synced then need not be synced while everybody waits.
const CATCH_UP: usize = 2;
/// Pages of a log that somebody keeps from being begun anew, and how often that is said.
const LOG_PAGES_ODD: i64 = 65_536;
const SAY_EVERY: Duration = Duration::from_secs(60);
/// The pause after a failure: a full disk is not emptied by asking it all the time, but the log grows until it is moved.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(200);

/// Counts what there may be to do.
#[derive(Default)]
pub(super) struct Written(AtomicU64);

impl Written {
    /// A transaction that may write has begun.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// When there is something to do.
struct Due {
    /// How many transactions had begun when it was last done.
    done: u64,
    last: Instant,
    /// One of them may have committed only afterwards.
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
    /// Checkpoints until told to stop. Returns at once where the database does so itself.
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
                // Somebody else is at it.
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

    /// Moves what is in the log while others go on writing. When nobody else writes, only what came meanwhile is moved, and the
    /// file is synced if that was not done yet: then the log can be begun anew instead of growing. Returns the log's pages, or
    /// nothing if another connection is at it.
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

/// Something that is said once in a while.
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
