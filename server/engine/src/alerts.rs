//! Telling a person: an alert in the database, a line in the log, a count in the metrics.

use domain::id::JobId;
use tracing::warn;

use crate::engine::Engine;
use crate::error::Error;
use crate::store::alerts::{Alert, list};
use crate::store::jobs::{JobRow, failing, retry};
use crate::store::{Connection, alerts};

/// Characters of an alert's text that are kept.
const DETAIL_CHARS_MAX: usize = 500;

/// Raises an alert in the caller's transaction.
pub(crate) async fn raise(
    engine: &Engine,
    connection: &mut Connection,
    kind: &'static str,
    subject: &str,
    detail: &str,
) -> Result<(), Error> {
    let detail: String = detail.chars().take(DETAIL_CHARS_MAX).collect();
    warn!(alert = kind, subject, detail, "something a person should look at");
    metrics::counter!("till_alerts_total", "kind" => kind).increment(1);
    alerts::raise(connection, kind, subject, &detail, engine.env().now()).await
}

impl Engine {
    /// Raises an alert in a transaction of its own. A failure to do so is logged: the caller's own work matters more.
    pub(crate) async fn alert(&self, kind: &'static str, subject: &str, detail: &str) {
        let stored = async {
            let mut tx = self.store().begin().await?;
            raise(self, &mut tx, kind, subject, detail).await?;
            self.commit(tx).await
        };
        if let Err(error) = stored.await {
            warn!(alert = kind, subject, %error, "an alert could not be stored");
        }
    }

    /// The alerts, newest first.
    pub async fn alerts(&self, limit: i64) -> Result<Vec<Alert>, Error> {
        let mut connection = self.store().reader().await?;
        list(&mut connection, limit.clamp(1, 1000)).await
    }

    /// Jobs that have failed, or only those that were given up.
    pub async fn failing_jobs(&self, dead: bool, limit: i64) -> Result<Vec<JobRow>, Error> {
        failing(&mut *self.store().reader().await?, dead, limit.clamp(1, 1000)).await
    }

    /// Runs a failed job again now, also one that was given up.
    pub async fn retry_job(&self, id: &JobId) -> Result<(), Error> {
        let mut tx = self.store().begin().await?;
        let found = retry(&mut tx, id, self.env().now()).await?;
        self.commit(tx).await?;
        if found { Ok(()) } else { Err(Error::NotFound(format!("job {id} that could be run now; see `till jobs`"))) }
    }
}
