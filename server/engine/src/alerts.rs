//! Alerts for the operator: each is a row in the database, a line in the log and a count in the metrics. An alert is closed when its
//! cause is gone, or when a person has dealt with it; `docs/OPERATIONS.md` says for each kind which of the two applies.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{MINUTE, Millis};
use tracing::{info, warn};

use crate::context::Context;
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::{Connection, alerts};

/// The most characters kept of an alert's text.
const DETAIL_CHARS_MAX: usize = 500;

/// How long a closed alert is assumed to be still closed. Another server may raise the alert again in that time.
const CLOSED_HOLDS: Millis = 10 * MINUTE;
/// The most closed alerts that are remembered.
const CLOSED_MAX: usize = 10_000;

/// Alerts known to be closed. They spare the database a query after every success.
#[derive(Default)]
pub(crate) struct Closed(Mutex<HashMap<(&'static str, String), Millis>>);

impl Closed {
    fn known(&self) -> MutexGuard<'_, HashMap<(&'static str, String), Millis>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, kind: &'static str, subject: &str) {
        self.known().remove(&(kind, subject.to_owned()));
    }

    /// Whether the alert may be open, as far as is remembered. From now on the alert is assumed to be closed.
    fn may_be_open(&self, kind: &'static str, subject: &str, now: Millis) -> bool {
        let mut known = self.known();
        if known.len() >= CLOSED_MAX {
            known.clear();
        }
        let before = known.insert((kind, subject.to_owned()), now);
        let holds = before.is_some_and(|closed| (0..CLOSED_HOLDS).contains(&now.saturating_sub(closed)));
        if let Some(closed) = before.filter(|_| holds) {
            known.insert((kind, subject.to_owned()), closed);
        }
        !holds
    }
}

/// Raises an alert in the caller's transaction.
pub(crate) async fn raise(
    context: &Context,
    connection: &mut Connection,
    kind: &'static str,
    subject: &str,
    detail: &str,
) -> Result<(), Error> {
    raise_times(context, connection, kind, subject, detail, 1).await
}

/// Raises an alert in the caller's transaction for several occurrences.
pub(crate) async fn raise_times(
    context: &Context,
    connection: &mut Connection,
    kind: &'static str,
    subject: &str,
    detail: &str,
    times: i64,
) -> Result<(), Error> {
    let detail: String = detail.chars().take(DETAIL_CHARS_MAX).collect();
    warn!(alert = kind, subject, detail, times, "something a person should look at");
    metrics::counter!("till_alerts_total", "kind" => kind).increment(times.unsigned_abs());
    context.closed_alerts().forget(kind, subject);
    alerts::raise(connection, &ENGINE, kind, subject, &detail, times, context.env().now()).await
}

/// Rewords an open alert in the caller's transaction: its cause has changed but has not occurred again.
pub(crate) async fn reword(
    connection: &mut Connection,
    kind: &'static str,
    subject: &str,
    detail: &str,
) -> Result<(), Error> {
    let detail: String = detail.chars().take(DETAIL_CHARS_MAX).collect();
    if alerts::reword(connection, &ENGINE, kind, subject, &detail).await? {
        info!(alert = kind, subject, detail, "the cause of an alert has changed");
    }
    Ok(())
}

/// Closes an alert in the caller's transaction, because its cause is gone.
pub(crate) async fn close(connection: &mut Connection, kind: &str, subject: &str) -> Result<(), Error> {
    if alerts::close(connection, &ENGINE, kind, subject).await? {
        info!(alert = kind, subject, "the cause of an alert is gone; it is closed");
    }
    Ok(())
}

impl Context {
    /// Closes an alert in a transaction of its own. Callers may do so after every success: for an alert remembered as closed, the
    /// database is asked only once in a while. A failure to close is logged, because the caller's own work matters more.
    pub(crate) async fn close_alert(&self, kind: &'static str, subject: &str) {
        if !self.closed_alerts().may_be_open(kind, subject, self.env().now()) {
            return;
        }
        let closed = async {
            let mut tx = self.store().begin().await?;
            close(&mut tx, kind, subject).await?;
            Ok::<(), Error>(tx.commit().await?)
        };
        if let Err(error) = closed.await {
            self.closed_alerts().forget(kind, subject);
            warn!(alert = kind, subject, %error, "an alert could not be closed");
        }
    }

    /// Raises an alert in a transaction of its own. A failure is logged, because the caller's own work matters more.
    pub(crate) async fn alert(&self, kind: &'static str, subject: &str, detail: &str) {
        if let Err(error) = self.alert_times(kind, subject, detail, 1).await {
            warn!(alert = kind, subject, %error, "an alert could not be stored");
        }
    }

    /// Raises an alert about a lasting cause, unless the alert is already open.
    pub(crate) async fn alert_once(&self, kind: &'static str, subject: &str, detail: &str) {
        let known = async { alerts::is_raised(&mut *self.store().reader().await?, &ENGINE, kind, subject).await };
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
}
