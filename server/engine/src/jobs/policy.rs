//! Walks through a merchant's payments after the policy for surplus money was set. Each payment of which money may have to be sent back
//! gets a job of its own. Subject: merchant, or merchant/payment to continue after that payment.
//!
//! A merchant may have millions of payments, and SQLite admits no other writer during a transaction. So one run examines a small number
//! of payments and leaves the rest to a next job, which is enqueued in the same transaction.

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
