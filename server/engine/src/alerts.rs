//! Telling a person: an alert in the database, a line in the log, a count in the metrics.

use domain::id::JobId;
use tracing::warn;

use crate::engine::Engine;
use crate::error::Error;
use crate::paging::{Listed, Page};
use crate::store::alerts::{Alert, list};
use crate::store::jobs::{JobRow, failing, failing_page, retry};
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
    raise_times(engine, connection, kind, subject, detail, 1).await
}

/// Raises an alert in the caller's transaction for several occurrences.
pub(crate) async fn raise_times(
    engine: &Engine,
    connection: &mut Connection,
    kind: &'static str,
    subject: &str,
    detail: &str,
    times: i64,
) -> Result<(), Error> {
    let detail: String = detail.chars().take(DETAIL_CHARS_MAX).collect();
    warn!(alert = kind, subject, detail, times, "something a person should look at");
    metrics::counter!("till_alerts_total", "kind" => kind).increment(times.unsigned_abs());
    alerts::raise(connection, kind, subject, &detail, times, engine.env().now()).await
}

impl Engine {
    /// Raises an alert in a transaction of its own. A failure to do so is logged: the caller's own work matters more.
    pub(crate) async fn alert(&self, kind: &'static str, subject: &str, detail: &str) {
        if let Err(error) = self.alert_times(kind, subject, detail, 1).await {
            warn!(alert = kind, subject, %error, "an alert could not be stored");
        }
    }

    /// Raises an alert about what lasts, unless it has been raised before: to say it again would be no news.
    pub(crate) async fn alert_once(&self, kind: &'static str, subject: &str, detail: &str) {
        let known = async { alerts::is_raised(&mut *self.store().reader().await?, kind, subject).await };
        match known.await {
            Ok(true) => {}
            Ok(false) => self.alert(kind, subject, detail).await,
            Err(error) => warn!(alert = kind, subject, %error, "an alert could not be looked up"),
        }
    }

    /// Raises an alert in a transaction of its own, for one or more occurrences.
    pub(crate) async fn alert_times(
        &self,
        kind: &'static str,
        subject: &str,
        detail: &str,
        times: i64,
    ) -> Result<(), Error> {
        let mut tx = self.store().begin().await?;
        raise_times(self, &mut tx, kind, subject, detail, times).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The newest alerts.
    pub async fn alerts(&self, limit: i64) -> Result<Vec<Alert>, Error> {
        Ok(self.alerts_page(&Page::first(limit)).await?.rows)
    }

    /// The alerts, newest first.
    pub async fn alerts_page(&self, page: &Page) -> Result<Listed<Alert>, Error> {
        self.rejections().flush(self).await;
        list(&mut *self.store().reader().await?, page).await
    }

    /// The first jobs that have failed, or only of those that were given up.
    pub async fn failing_jobs(&self, dead: bool, limit: i64) -> Result<Vec<JobRow>, Error> {
        failing(&mut *self.store().reader().await?, dead, limit).await
    }

    /// Jobs that have failed, or only those that were given up; those given up first.
    pub async fn failing_jobs_page(&self, dead: bool, page: &Page) -> Result<Listed<JobRow>, Error> {
        failing_page(&mut *self.store().reader().await?, dead, page).await
    }

    /// Runs a failed job again now, also one that was given up.
    pub async fn retry_job(&self, id: &JobId) -> Result<(), Error> {
        let mut tx = self.store().begin().await?;
        let found = retry(&mut tx, id, self.env().now()).await?;
        self.commit(tx).await?;
        if found { Ok(()) } else { Err(Error::NotFound(format!("job {id} that could be run now; see `till jobs`"))) }
    }
}
