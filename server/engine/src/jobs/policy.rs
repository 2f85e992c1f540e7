//! Looks at payments anew after a merchant has set the policy for surplus money: of which something may be to be sent back, gets a job
//! of its own. Subject: merchant, or merchant/payment to go on after that payment.
//!
//! There may be millions of payments, and on SQLite nobody else writes during a transaction. So one run looks at a small number of them,
//! and leaves the rest to a next job, which is enqueued in the same transaction.

use domain::id::MerchantId;

use super::{Kind, Next};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::payments;

pub(super) async fn run(engine: &Engine, subject: &str) -> Result<Next, Error> {
    let (merchant, after) = subject.split_once('/').unwrap_or((subject, ""));
    let merchant: MerchantId = merchant.parse().map_err(Error::corrupt)?;
    let mut reader = engine.store().reader().await?;
    let (found, last) = payments::maybe_overpaid(&mut reader, &merchant, after, engine.tuning().walk).await?;
    drop(reader);
    let now = engine.env().now();
    let mut tx = engine.store().begin().await?;
    for payment in found {
        engine.enqueue(&mut tx, Kind::Surplus, None, payment.as_str(), now).await?;
    }
    if let Some(last) = last {
        engine.enqueue(&mut tx, Kind::Policy, None, &format!("{merchant}/{last}"), now).await?;
    }
    engine.commit(tx).await?;
    Ok(Next::Done)
}
