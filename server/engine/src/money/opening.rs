//! Opening entries: payments from before there was a ledger.

use domain::ledger::entries;
use domain::payment::Payment;

use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::Kind;
use crate::store::ledger::{self, Posting};
use crate::store::payments;

/// Payments of one transaction.
const STEP: i64 = 100;

impl Engine {
    /// Brings the database up to date: its structure, then the books of payments that are older than the ledger.
    pub async fn migrate(&self) -> Result<(), Error> {
        self.store().migrate().await?;
        while self.post_opening_entries().await? {}
        Ok(())
    }

    /// Posts what payments from before the ledger should have there. Returns whether there may be more.
    async fn post_opening_entries(&self) -> Result<bool, Error> {
        let mut tx = self.store().begin_patient().await?;
        let ids = payments::unposted(&mut tx, STEP).await?;
        let now = self.env().now();
        for id in &ids {
            payments::set_posted(&mut tx, id).await?;
            let Some(stored) = payments::find(&mut tx, id).await? else { continue };
            let payment = stored.payment;
            let empty = Payment { attempts: vec![], canceled: false, ..payment.clone() };
            let posting = |line| Posting {
                payment: id.clone(),
                merchant: payment.merchant.clone(),
                seq: 0,
                line,
                currency: payment.amount.currency,
                live: stored.live,
                at: now,
            };
            let rows: Vec<_> =
                (0..).zip(entries(&empty, &payment)).map(|(line, entry)| (posting(line), entry)).collect();
            ledger::insert(&mut tx, &rows).await?;
            if payment.wanted_back().is_some() {
                self.enqueue(&mut tx, Kind::Surplus, None, id.as_str(), now).await?;
            }
        }
        self.commit(tx).await?;
        Ok(!ids.is_empty())
    }
}
