//! Walks through a merchant's payments after the policy for surplus money was set. Each payment of which money may have to be sent back
//! gets a job of its own. Subject: merchant, or merchant/payment to continue after that payment.
//!
//! A merchant may have millions of payments, and SQLite admits no other writer during a transaction. So one run examines a small number
//! of payments and leaves the rest to a next job, which is enqueued in the same transaction.

use domain::id::MerchantId;

use crate::context::Context;
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::payments;
use crate::work::{Kind, Next};

pub(super) async fn run(context: &Context, subject: &str) -> Result<Next, Error> {
    let (merchant, after) = subject.split_once('/').unwrap_or((subject, ""));
    let merchant: MerchantId = merchant.parse().map_err(Error::corrupt)?;
    let mut reader = context.store().reader().await?;
    let (found, last) = payments::maybe_overpaid(&mut reader, &ENGINE, &merchant, after, context.tuning().walk).await?;
    drop(reader);
    let now = context.env().now();
    let mut tx = context.store().begin().await?;
    for payment in found {
        context.enqueue(&mut tx, Kind::Surplus, None, payment.as_str(), now).await?;
    }
    if let Some(last) = last {
        context.enqueue(&mut tx, Kind::Policy, None, &format!("{merchant}/{last}"), now).await?;
    }
    context.commit(tx).await?;
    Ok(Next::Done)
}
