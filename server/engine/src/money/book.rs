//! Reads and audits the journal.

use domain::currency::Currency;
use domain::id::PaymentId;
use domain::money::Money;
use serde::Serialize;

use super::Payments;
use super::audit::{Discrepancy, judge, judge_rows, judge_sums};
use crate::context::{Context, check_merchant};
use crate::error::Error;
use crate::scope::Installation;
use crate::store::{Connection, journal, movements, payments};

/// Payments compared in one step of an audit.
const STEP: i64 = 200;

/// The balance of an account, in minor units; debit balances are positive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The currency.
    pub currency: Currency,
    /// The account of the chart, see `docs/LEDGER.md`.
    pub account: String,
    /// The balance in minor units.
    pub minor: i64,
    /// The balance as text for people.
    pub amount: String,
}

impl Payments {
    /// The merchant's balances in the scope's mode.
    ///
    /// # Errors
    /// There is no such merchant.
    pub async fn balances(&self) -> Result<Vec<Balance>, Error> {
        check_merchant(&self.context, &self.scope).await?;
        let rows = journal::balances(&mut *self.context.store().reader().await?, &self.scope).await?;
        let balance = |(currency, account, minor): (Currency, String, i64)| Balance {
            currency,
            account,
            minor,
            amount: Money::new(minor, currency).to_string(),
        };
        Ok(rows.into_iter().map(balance).collect())
    }
}

/// Judges every payment's books, and the stored balances. Returns the number of judged payments and the errors found.
pub(crate) async fn audit_ledger(
    context: &Context,
    installation: &Installation,
) -> Result<(usize, Vec<Discrepancy>), Error> {
    let (mut judged, mut found, mut after) = (0, vec![], String::new());
    loop {
        let mut tx = context.store().moment().await?;
        let ids = payments::ids_after(&mut tx, installation, &after, STEP).await?;
        for id in &ids {
            found.extend(audit(&mut tx, installation, id).await?);
        }
        tx.rollback().await?;
        judged += ids.len();
        match ids.last() {
            Some(last) => last.as_str().clone_into(&mut after),
            None => break,
        }
    }
    found.extend(audit_sums(context, installation).await?);
    Ok((judged, found))
}

/// All errors in the journal's sums. All portions are read at one moment, so that no change between two of them counts for one side
/// alone.
async fn audit_sums(context: &Context, installation: &Installation) -> Result<Vec<Discrepancy>, Error> {
    let mut moment = context.store().moment().await?;
    let kept = journal::kept(&mut moment, installation).await?;
    let (sums, unbalanced) = journal::added_up(&mut moment, installation).await?;
    moment.rollback().await?;
    Ok(judge_sums(&kept, &sums, &unbalanced))
}

/// Judges one payment's books by its history and its entries in the journal.
pub(crate) async fn audit_payment(
    context: &Context,
    installation: &Installation,
    id: &PaymentId,
) -> Result<Vec<Discrepancy>, Error> {
    audit(&mut *context.store().moment().await?, installation, id).await
}

async fn audit(connection: &mut Connection, by: &Installation, id: &PaymentId) -> Result<Vec<Discrepancy>, Error> {
    let Some(stored) = payments::find(connection, by, id).await? else { return Ok(vec![]) };
    let events = payments::events(connection, by, id).await?;
    let written = journal::balances_of_payment(connection, by, id).await?;
    let rows = movements::of_payment(connection, by, id).await?;
    let mut wrong = judge(&stored.payment, &events, &written);
    wrong.extend(judge_rows(&stored.payment, &events, &rows));
    Ok(wrong)
}
