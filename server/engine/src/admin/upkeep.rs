//! The operator's work for the whole installation: alerts, jobs, deliveries, and the audit of the ledger.

use bytes::Bytes;
use domain::id::{InboxId, JobId, PaymentId, ProviderAccountId};

use crate::context::Context;
use crate::error::{Error, Thing};
use crate::inbox::Inbox;
use crate::money::{self, Discrepancy};
use crate::paging::{Listed, Page};
use crate::problem::BodyProblem;
use crate::scope::Installation;
use crate::store::alerts::Alert;
use crate::store::inbox::InboxRow;
use crate::store::jobs::JobRow;
use crate::store::movements::Movement;
use crate::store::{accounts, alerts, inbox, jobs, movements};

/// Alerts, jobs, deliveries, sealing, and the audit of the ledger.
#[derive(Clone)]
pub struct Upkeep {
    inbox: Inbox,
    pub(super) installation: Installation,
}

impl Upkeep {
    pub(crate) fn new(inbox: Inbox, installation: Installation) -> Upkeep {
        Upkeep { inbox, installation }
    }

    pub(super) fn context(&self) -> &Context {
        self.inbox.context()
    }

    /// Dismisses an alert that a person has dealt with. A new cause raises it again.
    ///
    /// # Errors
    /// There is no such alert.
    pub async fn dismiss_alert(&self, kind: &str, subject: &str) -> Result<(), Error> {
        let mut tx = self.context().store().begin().await?;
        let found = alerts::close(&mut tx, &self.installation, kind, subject).await?;
        tx.commit().await?;
        let missing = || Thing::Alert { kind: kind.to_owned(), subject: subject.to_owned() };
        if found { Ok(()) } else { Err(Error::NotFound(missing())) }
    }

    /// The newest alerts.
    pub async fn alerts(&self, limit: i64) -> Result<Vec<Alert>, Error> {
        Ok(self.alerts_page(&Page::first(limit)).await?.rows)
    }

    /// The alerts, newest first.
    pub async fn alerts_page(&self, page: &Page) -> Result<Listed<Alert>, Error> {
        self.inbox.flush().await;
        alerts::list(&mut *self.context().store().reader().await?, &self.installation, page).await
    }

    /// The first jobs that have failed. With `dead`, only jobs that were given up.
    pub async fn failing_jobs(&self, dead: bool, limit: i64) -> Result<Vec<JobRow>, Error> {
        jobs::failing(&mut *self.context().store().reader().await?, &self.installation, dead, limit).await
    }

    /// Jobs that have failed; jobs that were given up come first. With `dead`, only jobs that were given up.
    pub async fn failing_jobs_page(&self, dead: bool, page: &Page) -> Result<Listed<JobRow>, Error> {
        jobs::failing_page(&mut *self.context().store().reader().await?, &self.installation, dead, page).await
    }

    /// Runs a failed job again now, also one that was given up.
    pub async fn retry_job(&self, id: &JobId) -> Result<(), Error> {
        let mut tx = self.context().store().begin().await?;
        let found = jobs::retry(&mut tx, &self.installation, id, self.context().env().now()).await?;
        if let Some(subject) = &found {
            for kind in ["job_dead", "job_failing"] {
                crate::alerts::close(&mut tx, kind, subject).await?;
            }
        }
        self.context().commit(tx).await?;
        if found.is_some() { Ok(()) } else { Err(Error::NotFound(Thing::Job(id.clone()))) }
    }

    /// The deliveries from an account's provider, the newest first.
    pub async fn deliveries(&self, account: &ProviderAccountId, page: &Page) -> Result<Listed<InboxRow>, Error> {
        let mut connection = self.context().store().reader().await?;
        let known = accounts::find(&mut connection, &self.installation, account).await?;
        known.ok_or_else(|| Error::NotFound(Thing::Account(account.clone())))?;
        inbox::page_of_account(&mut connection, &self.installation, account, page).await
    }

    /// A delivery with its bytes, or with the reason why they cannot be read.
    pub async fn delivery(&self, id: &InboxId) -> Result<(InboxRow, Result<Bytes, BodyProblem>), Error> {
        let mut connection = self.context().store().reader().await?;
        let found = inbox::find(&mut connection, &self.installation, id)
            .await?
            .ok_or_else(|| Error::NotFound(Thing::Delivery(id.clone())))?;
        let body = inbox::body(&mut connection, &self.installation, &found).await?;
        Ok((found, body))
    }

    /// Captures, refunds, disputes and returns of any merchant by id or by the provider's reference, oldest first.
    ///
    /// # Errors
    /// There is no row with this id or reference.
    pub async fn find_movements(&self, name: &str) -> Result<Vec<Movement>, Error> {
        let mut connection = self.context().store().reader().await?;
        movements::named(&mut connection, &self.installation, name).await
    }

    /// Judges every payment's books by its history and its entries in the journal, and the stored balances by the entries. Returns the
    /// number of judged payments and the errors found.
    pub async fn audit_ledger(&self) -> Result<(usize, Vec<Discrepancy>), Error> {
        money::audit_ledger(self.context(), &self.installation).await
    }

    /// Judges one payment's books by its history and its entries in the journal.
    pub async fn audit_payment(&self, id: &PaymentId) -> Result<Vec<Discrepancy>, Error> {
        money::audit_payment(self.context(), &self.installation, id).await
    }
}
