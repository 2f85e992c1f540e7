//! The ledger. Rows are added by `crate::record` alone, and never changed.

use std::collections::BTreeMap;

use domain::Millis;
use domain::currency::Currency;
use domain::id::{MerchantId, PaymentId};
use domain::ledger::{Account, Entry};
use serde::Serialize;

use super::Connection;
use super::many::{portions, values};
use super::row::Columns;
use super::statement::query;
use crate::error::Error;

/// A row, for a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    /// The payment's event it was posted with.
    pub seq: i64,
    /// The business event.
    pub business: String,
    /// The provider account whose receivable it is.
    pub provider_account: String,
    /// The account debited.
    pub debit: String,
    /// The account credited.
    pub credit: String,
    /// Minor units.
    pub amount: i64,
    /// When, in milliseconds since 1970.
    pub at: Millis,
}

/// Whose a row of the ledger is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The payment.
    pub payment: PaymentId,
    /// Its merchant.
    pub merchant: MerchantId,
    /// The payment's event.
    pub seq: i64,
    /// The row's place among those of the event, from zero.
    pub line: i64,
    /// The currency.
    pub currency: Currency,
    /// Whether real money moved.
    pub live: bool,
    /// When.
    pub at: Millis,
}

/// Adds rows.
pub async fn insert(connection: &mut Connection, rows: &[(Posting, Entry)]) -> Result<(), Error> {
    for portion in portions(rows) {
        let text = values(
            connection,
            "INSERT INTO ledger (payment_id, seq, line, merchant_id, provider_account_id, currency, business,
                debit_account, credit_account, amount, live, at) VALUES {}",
            portion.len(),
            12,
        );
        let mut insert = query(text);
        for (posting, entry) in portion {
            insert = insert
                .bind(posting.payment.as_str())
                .bind(posting.seq)
                .bind(posting.line)
                .bind(posting.merchant.as_str())
                .bind(entry.provider_account.as_str())
                .bind(posting.currency.code())
                .bind(entry.business.as_str())
                .bind(entry.debit.as_str())
                .bind(entry.credit.as_str())
                .bind(entry.amount)
                .bind(i64::from(posting.live))
                .bind(posting.at);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// A payment's rows, oldest first.
pub async fn of_payment(connection: &mut Connection, payment: &PaymentId) -> Result<Vec<LedgerRow>, Error> {
    let rows = query("SELECT * FROM ledger WHERE payment_id = $1 ORDER BY seq, line LIMIT 10000")
        .bind(payment.as_str())
        .fetch_all(connection)
        .await?;
    let row = |row: &sqlx::any::AnyRow| {
        Ok(LedgerRow {
            seq: row.number("seq")?,
            business: row.text("business")?,
            provider_account: row.text("provider_account_id")?,
            debit: row.text("debit_account")?,
            credit: row.text("credit_account")?,
            amount: row.number("amount")?,
            at: row.number("at")?,
        })
    };
    rows.iter().map(row).collect()
}

/// A payment's balances by account; debit balances are positive.
pub async fn balances_of_payment(
    connection: &mut Connection,
    payment: &PaymentId,
) -> Result<BTreeMap<String, i64>, Error> {
    let mut balances = BTreeMap::new();
    for row in of_payment(connection, payment).await? {
        *balances.entry(row.debit).or_insert(0) += row.amount;
        *balances.entry(row.credit).or_insert(0) -= row.amount;
    }
    Ok(balances)
}

/// A merchant's balances by currency, in the order of the chart of accounts.
pub async fn balances(
    connection: &mut Connection,
    merchant: &MerchantId,
    live: bool,
) -> Result<Vec<(Currency, String, i64)>, Error> {
    // PostgreSQL's sum over BIGINT is NUMERIC, which the driver does not read.
    let rows = query(
        "SELECT currency, account, CAST(SUM(amount) AS BIGINT) AS minor FROM (
            SELECT currency, debit_account AS account, amount FROM ledger WHERE merchant_id = $1 AND live = $2
            UNION ALL
            SELECT currency, credit_account AS account, -amount FROM ledger WHERE merchant_id = $1 AND live = $2
         ) AS lines GROUP BY currency, account ORDER BY currency, account",
    )
    .bind(merchant.as_str())
    .bind(i64::from(live))
    .fetch_all(connection)
    .await?;
    let balance = |row: &sqlx::any::AnyRow| {
        Ok::<_, Error>((row.parsed::<Currency>("currency")?, row.text("account")?, row.number("minor")?))
    };
    let mut balances = rows.iter().map(balance).collect::<Result<Vec<_>, _>>()?;
    let place = |name: &str| Account::ALL.iter().position(|account| account.as_str() == name);
    balances.sort_by_key(|(currency, account, _)| (currency.code(), place(account)));
    Ok(balances)
}
