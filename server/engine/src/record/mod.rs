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

use domain::id::PaymentId;
use domain::payment::{Fact, Payment};

pub(crate) use batch::{Batch, Written};
pub(crate) use breach::{PAYMENT_BREACH, advice as breach_advice, is_breach, tell_breach};
pub(crate) use follow_up::OPEN_GRACE;

use crate::context::Context;
use crate::error::Error;
use crate::scope::Actor;
use crate::store::Tx;

/// The origin of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source<'a> {
    Shopper,
    /// A merchant's request, with the actor who made it.
    Merchant(&'a Actor),
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
            Source::Merchant(_) => "merchant",
            Source::Engine => "engine",
            Source::Fetch => "fetch",
            Source::Webhook(_) => "webhook",
        }
    }

    /// The actor: a delivery and the answer to a fetch are the provider's words.
    pub(crate) fn actor(self) -> String {
        match self {
            Source::Shopper => Actor::Shopper.to_string(),
            Source::Merchant(actor) => actor.to_string(),
            Source::Engine => Actor::Engine.to_string(),
            Source::Fetch | Source::Webhook(_) => Actor::Provider.to_string(),
        }
    }

    fn cause(&self) -> Option<&str> {
        match self {
            Source::Webhook(inbox) => Some(inbox),
            _ => None,
        }
    }
}

/// Records a fact in a transaction of its own and returns the payment after the fact.
pub(crate) async fn record(
    context: &Context,
    id: &PaymentId,
    fact: &Fact,
    source: Source<'_>,
) -> Result<Payment, Error> {
    let mut tx = context.store().begin().await?;
    let recorded = match record_in(context, &mut tx, id, fact, source).await {
        Ok(recorded) => recorded,
        Err(error) => {
            tx.rollback().await?;
            return tell_breach(context, id, source.name(), Err(error)).await;
        }
    };
    if !recorded.1 {
        // Without a change, open pages need not look again.
        tx.rollback().await?;
        return Ok(recorded.0);
    }
    context.commit(tx).await?;
    context.live().tell(id);
    Ok(recorded.0)
}

/// Records the fact that `fact` chooses for the locked payment. Returns the payment after the fact, or none if `fact` chooses none.
/// An error of `fact` changes nothing.
pub(crate) async fn record_if(
    context: &Context,
    id: &PaymentId,
    source: Source<'_>,
    fact: impl FnOnce(&Payment) -> Result<Option<Fact>, Error>,
) -> Result<Option<Payment>, Error> {
    let mut tx = context.store().begin().await?;
    let mut batch = Batch::lock(context, &mut tx, std::slice::from_ref(id)).await?;
    let Some(fact) = fact(batch.payment(id)?)? else { return Ok(None) };
    if let Err(error) = batch.take(id, &fact, source) {
        tx.rollback().await?;
        return tell_breach(context, id, source.name(), Err(error)).await;
    }
    let payment = batch.payment(id)?.clone();
    batch.write(&mut tx).await?;
    context.commit(tx).await?;
    context.live().tell(id);
    Ok(Some(payment))
}

/// Records a fact in the caller's transaction and returns whether the fact was new. After the commit the caller notifies
/// [`crate::live`].
pub(crate) async fn record_in(
    context: &Context,
    tx: &mut Tx,
    id: &PaymentId,
    fact: &Fact,
    source: Source<'_>,
) -> Result<(Payment, bool), Error> {
    let mut batch = Batch::lock(context, tx, std::slice::from_ref(id)).await?;
    let news = batch.take(id, fact, source)?;
    let payment = batch.payment(id)?.clone();
    batch.write(tx).await?;
    Ok((payment, news))
}
