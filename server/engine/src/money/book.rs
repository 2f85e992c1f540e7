//! The ledger, read and audited.

use domain::currency::Currency;
use domain::id::{MerchantId, PaymentId};
use domain::money::Money;
use serde::Serialize;

use super::audit::{Discrepancy, judge, judge_rows};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::{Connection, ledger as book, movements, payments};

/// Payments compared in one step of an audit.
const STEP: i64 = 200;

/// The balance of an account, in minor units; debit balances are positive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The currency.
    pub currency: Currency,
    /// The account of the chart, see `docs/LEDGER.md`.
    pub account: String,
    /// Minor units.
    pub minor: i64,
    /// For people.
    pub amount: String,
}

impl Engine {
    /// A merchant's balances, test and live mode apart.
    ///
    /// # Errors
    /// There is no such merchant.
    pub async fn balances(&self, merchant: &MerchantId, live: bool) -> Result<Vec<Balance>, Error> {
        self.check_merchant(merchant).await?;
        let rows = book::balances(&mut *self.store().reader().await?, merchant, live).await?;
        let balance = |(currency, account, minor): (Currency, String, i64)| Balance {
            currency,
            account,
            minor,
            amount: Money::new(minor, currency).to_string(),
        };
        Ok(rows.into_iter().map(balance).collect())
    }

    /// Judges every payment's books by its history and what is written in the ledger. Returns how many were judged and what is
    /// wrong.
    pub async fn audit_ledger(&self) -> Result<(usize, Vec<Discrepancy>), Error> {
        let (mut judged, mut found, mut after) = (0, vec![], String::new());
        loop {
            let mut tx = self.store().moment().await?;
            let ids = payments::ids_after(&mut tx, &after, STEP).await?;
            for id in &ids {
                found.extend(audit(&mut tx, id).await?);
            }
            tx.rollback().await?;
            judged += ids.len();
            match ids.last() {
                Some(last) => last.as_str().clone_into(&mut after),
                None => return Ok((judged, found)),
            }
        }
    }

    /// Judges one payment's books in the same way.
    pub async fn audit_payment(&self, id: &PaymentId) -> Result<Vec<Discrepancy>, Error> {
        audit(&mut *self.store().moment().await?, id).await
    }
}

async fn audit(connection: &mut Connection, id: &PaymentId) -> Result<Vec<Discrepancy>, Error> {
    let Some(stored) = payments::find(connection, id).await? else { return Ok(vec![]) };
    let events = payments::events(connection, id).await?;
    let written = book::balances_of_payment(connection, id).await?;
    let rows = movements::of_payment(connection, id).await?;
    let mut wrong = judge(&stored.payment, &events, &written);
    wrong.extend(judge_rows(&stored.payment, &events, &rows));
    Ok(wrong)
}
