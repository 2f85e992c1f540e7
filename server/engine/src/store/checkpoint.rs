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
const EVERY: Duration = Duration::from_millis(200);
/// Write transactions that are worth it at once.
const MANY: u64 = 100;
/// How long fewer may wait: what is in the log is as safe, but it is read again at the next start.
const FEW_WAIT_MAX: Duration = Duration::from_secs(30);
/// Pages of the log from which on it is begun anew, when everything in it has been moved.
const LOG_PAGES: i64 = 4_096;
/// Pages of a log that somebody keeps from being begun anew, and how often that is said.
const LOG_PAGES_ODD: i64 = 65_536;
const SAY_EVERY: Duration = Duration::from_secs(60);

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
        let (mut connection, mut said) = (None, None::<Instant>);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(EVERY) => {}
            }
            let written = self.written.so_far();
            if !due.is_now(written) {
                continue;
            }
            let may_say = said.is_none_or(|said| said.elapsed() >= SAY_EVERY);
            match self.checkpoint(statement, &mut connection).await {
                Ok(pages) => {
                    due.set_done(written);
                    metrics::gauge!("till_wal_pages").set(f64::from(i32::try_from(pages).unwrap_or(i32::MAX)));
                    if pages >= LOG_PAGES_ODD && may_say {
                        warn!(
                            pages,
                            "the database's log grows; a reader that does not end keeps it from being begun anew"
                        );
                        said = Some(Instant::now());
                    }
                }
                Err(error) => {
                    connection = None;
                    if may_say {
                        warn!(%error, "the database's log could not be moved into its file; it is tried again");
                        said = Some(Instant::now());
                    }
                }
            }
        }
    }

    /// Moves what is in the log while others go on writing. When nobody else writes, only what came meanwhile is moved, and the
    /// file is synced if that was not done yet: then the log can be begun anew instead of growing. Returns the log's pages.
    async fn checkpoint(&self, statement: &'static str, own: &mut Option<AnyConnection>) -> Result<i64, Error> {
        if own.is_none() {
            let mut connection = AnyConnection::connect(&self.url).await?;
            self.dialect.prepare(&mut connection, false).await?;
            *own = Some(connection);
        }
        let Some(connection) = own else { return Ok(0) };
        let pages = connection.fetch_one(statement).await?.try_get("log")?;
        if pages >= LOG_PAGES {
            let mut writer = self.write.acquire().await?;
            (&mut *writer).execute(statement).await?;
        }
        Ok(pages)
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
