//! The ledger, read and audited.

use domain::currency::Currency;
use domain::id::{MerchantId, PaymentId};
use domain::ledger;
use domain::money::Money;
use serde::Serialize;

use crate::engine::Engine;
use crate::error::Error;
use crate::store::{ledger as book, payments};

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

/// A payment about which ledger and totals disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Discrepancy {
    /// The payment.
    pub payment: PaymentId,
    /// The account.
    pub account: String,
    /// What the ledger says, in minor units.
    pub ledger: i64,
    /// What the payment says, in minor units.
    pub payment_says: i64,
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

    /// Compares the ledger with every payment. Returns how many were compared and where they disagree.
    pub async fn audit_ledger(&self) -> Result<(usize, Vec<Discrepancy>), Error> {
        let (mut compared, mut found, mut after) = (0, vec![], String::new());
        loop {
            let mut tx = self.store().moment().await?;
            let ids = payments::ids_after(&mut tx, &after, STEP).await?;
            for id in &ids {
                let stored = payments::find(&mut tx, id).await?;
                let Some(stored) = stored else { continue };
                let written = book::balances_of_payment(&mut tx, id).await?;
                for (account, expected) in ledger::balances(&stored.payment) {
                    let ledger = written.get(account.as_str()).copied().unwrap_or(0);
                    if ledger != expected {
                        let account = account.as_str().to_owned();
                        found.push(Discrepancy { payment: id.clone(), account, ledger, payment_says: expected });
                    }
                }
            }
            tx.rollback().await?;
            compared += ids.len();
            match ids.last() {
                Some(last) => last.as_str().clone_into(&mut after),
                None => return Ok((compared, found)),
            }
        }
    }
}
