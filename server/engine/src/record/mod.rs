//! The only way a payment changes: a fact, the domain's decision, and all its consequences in one transaction.

mod batch;
mod breach;
mod changes;
mod disputes;
mod fallen;
mod follow_up;
mod movements;
mod posting;
mod risen;
mod sent;

use domain::Millis;
use domain::id::{JobId, PaymentId, ProviderAccountId};
use domain::payment::{Fact, Payment};

pub(crate) use batch::{Batch, Written};
pub(crate) use breach::{PAYMENT_BREACH, advice as breach_advice, is_breach};
pub(crate) use changes::Work;
pub(crate) use follow_up::OPEN_GRACE;

use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::Kind;
use crate::store::jobs::NewJob;
use crate::store::{Connection, Tx, jobs};

/// The origin of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source<'a> {
    Shopper,
    Merchant,
    Engine,
    Fetch,
    /// A delivery, with the id of its inbox row.
    Webhook(&'a str),
}

impl Source<'_> {
    /// The name under which the source is stored.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Source::Shopper => "shopper",
            Source::Merchant => "merchant",
            Source::Engine => "engine",
            Source::Fetch => "fetch",
            Source::Webhook(_) => "webhook",
        }
    }

    fn cause(&self) -> Option<&str> {
        match self {
            Source::Webhook(inbox) => Some(inbox),
            _ => None,
        }
    }
}

impl Engine {
    /// Records a fact in a transaction of its own and returns the payment after the fact.
    pub(crate) async fn record(&self, id: &PaymentId, fact: &Fact, source: Source<'_>) -> Result<Payment, Error> {
        let mut tx = self.store().begin().await?;
        let recorded = match self.record_in(&mut tx, id, fact, source).await {
            Ok(recorded) => recorded,
            Err(error) => {
                tx.rollback().await?;
                return self.tell_breach(id, source.name(), Err(error)).await;
            }
        };
        if !recorded.1 {
            // Without a change, open pages need not look again.
            tx.rollback().await?;
            return Ok(recorded.0);
        }
        self.commit(tx).await?;
        self.live().tell(id);
        Ok(recorded.0)
    }

    /// Records the fact that `fact` chooses for the locked payment. Returns the payment after the fact, or none if `fact` chooses none.
    /// An error of `fact` changes nothing.
    pub(crate) async fn record_if(
        &self,
        id: &PaymentId,
        source: Source<'_>,
        fact: impl FnOnce(&Payment) -> Result<Option<Fact>, Error>,
    ) -> Result<Option<Payment>, Error> {
        let mut tx = self.store().begin().await?;
        let mut batch = Batch::lock(self, &mut tx, std::slice::from_ref(id)).await?;
        let Some(fact) = fact(batch.payment(id)?)? else { return Ok(None) };
        if let Err(error) = batch.take(id, &fact, source) {
            tx.rollback().await?;
            return self.tell_breach(id, source.name(), Err(error)).await;
        }
        let payment = batch.payment(id)?.clone();
        batch.write(&mut tx).await?;
        self.commit(tx).await?;
        self.live().tell(id);
        Ok(Some(payment))
    }

    /// Records a fact in the caller's transaction and returns whether the fact was new. After the commit the caller notifies
    /// [`crate::live`].
    pub(crate) async fn record_in(
        &self,
        tx: &mut Tx,
        id: &PaymentId,
        fact: &Fact,
        source: Source<'_>,
    ) -> Result<(Payment, bool), Error> {
        let mut batch = Batch::lock(self, tx, std::slice::from_ref(id)).await?;
        let news = batch.take(id, fact, source)?;
        let payment = batch.payment(id)?.clone();
        batch.write(tx).await?;
        Ok((payment, news))
    }

    /// Enqueues a job in the caller's transaction.
    pub(crate) async fn enqueue(
        &self,
        connection: &mut Connection,
        kind: Kind,
        account: Option<&ProviderAccountId>,
        subject: &str,
        run_at: Millis,
    ) -> Result<(), Error> {
        let job = self.new_job(kind, account, subject, run_at);
        jobs::enqueue(connection, std::slice::from_ref(&job), self.env().now()).await
    }

    fn new_job(&self, kind: Kind, account: Option<&ProviderAccountId>, subject: &str, run_at: Millis) -> NewJob {
        let id = JobId::from_random(self.env().timed_bits());
        NewJob { id, kind: kind.as_str(), subject: subject.to_owned(), account: account.cloned(), run_at }
    }
}
