//! The journal and its balances. Transactions and entries are added and never changed.

use std::collections::BTreeMap;

use domain::Millis;
use domain::currency::Currency;
use domain::id::{MerchantId, PaymentId};
use domain::journal::Transaction;
use domain::ledger::Account;
use serde::Serialize;
use sqlx::any::AnyRow;

use super::Connection;
use super::many::{portions, values};
use super::row::Columns;
use super::statement::Reach;
use crate::error::Error;
use crate::scope::{Installation, Scope};

/// The rows over which a balance is spread. Transactions that post to different rows do not wait for each other.
const SHARDS: u8 = 8;
/// Transactions read in one step when all are added up.
const STEP: i64 = 2_000;

/// A transaction about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The lines and their source.
    pub transaction: Transaction,
    /// The merchant.
    pub merchant: MerchantId,
    /// Whether real money moved.
    pub live: bool,
    /// When the transaction is posted, in milliseconds since 1970.
    pub at: Millis,
}

/// A line of a payment's transactions, for a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    /// The number of the payment's event that the line was posted with.
    pub seq: i64,
    /// The business event.
    pub business: String,
    /// The account.
    pub account: String,
    /// The id of the account's owner, where each owner has an account.
    pub party: Option<String>,
    /// Minor units; a debit is positive.
    pub amount: i64,
    /// When the line was posted, in milliseconds since 1970.
    pub at: Millis,
}

/// The place of an amount: merchant, mode, currency, account and party.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The merchant.
    pub merchant: String,
    /// Whether the money is real.
    pub live: bool,
    /// The currency's code.
    pub currency: String,
    /// The account.
    pub account: String,
    /// The id of the account's owner; empty where there is one account for all.
    pub party: String,
}

/// Adds transactions with their lines, and the lines to the balances.
///
/// # Errors
/// A source has posted before, or the database cannot be written.
pub async fn post(connection: &mut Connection, by: &Installation, postings: &[Posting]) -> Result<(), Error> {
    let Some(first) = postings.first() else { return Ok(()) };
    insert_transactions(connection, by, postings).await?;
    insert_entries(connection, by, postings).await?;
    // All postings use one shard, so that the fewest rows are locked.
    let shard = first.transaction.source().id().bytes().last().unwrap_or_default() % SHARDS;
    add(connection, by, &sums(postings), shard.into()).await
}

async fn insert_transactions(
    connection: &mut Connection,
    by: &Installation,
    postings: &[Posting],
) -> Result<(), Error> {
    for portion in portions(postings) {
        let text = values(
            connection,
            "INSERT INTO transactions (source, source_id, number, merchant_id, live, posted_by, approved_by, at) VALUES {}",
            portion.len(),
            8,
        );
        let mut insert = by.query(text);
        for posting in portion {
            let source = posting.transaction.source();
            let actors = source.actors();
            insert = insert
                .bind(source.kind())
                .bind(source.id())
                .bind(source.number())
                .bind(posting.merchant.as_str())
                .bind(i64::from(posting.live))
                .bind(actors.map(|(by, _)| by))
                .bind(actors.map(|(_, approved_by)| approved_by))
                .bind(posting.at);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn insert_entries(connection: &mut Connection, by: &Installation, postings: &[Posting]) -> Result<(), Error> {
    let lines: Vec<_> = postings
        .iter()
        .flat_map(|posting| (0i64..).zip(posting.transaction.lines()).map(|line| (posting.transaction.source(), line)))
        .collect();
    for portion in portions(&lines) {
        let text = values(
            connection,
            "INSERT INTO entries (source_id, number, line, business, account, party, currency, amount) VALUES {}",
            portion.len(),
            8,
        );
        let mut insert = by.query(text);
        for (source, (number, line)) in portion {
            insert = insert
                .bind(source.id())
                .bind(source.number())
                .bind(*number)
                .bind(line.business)
                .bind(line.account.as_str())
                .bind(line.party.as_deref().unwrap_or_default())
                .bind(line.currency.code())
                .bind(line.amount);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The effect of transactions on balances, in the order in which the rows are locked.
fn sums(postings: &[Posting]) -> Vec<(Place, i64)> {
    let mut sums = BTreeMap::new();
    for posting in postings {
        for line in posting.transaction.lines() {
            let place = Place {
                merchant: posting.merchant.to_string(),
                live: posting.live,
                currency: line.currency.code().to_owned(),
                account: line.account.as_str().to_owned(),
                party: line.party.clone().unwrap_or_default(),
            };
            *sums.entry(place).or_insert(0) += line.amount;
        }
    }
    sums.into_iter().filter(|(_, amount)| *amount != 0).collect()
}

async fn add(connection: &mut Connection, by: &Installation, sums: &[(Place, i64)], shard: i64) -> Result<(), Error> {
    for portion in portions(sums) {
        let text = values(
            connection,
            "INSERT INTO balances (merchant_id, live, currency, account, party, shard, amount) VALUES {}
             ON CONFLICT (merchant_id, live, currency, account, party, shard)
                DO UPDATE SET amount = balances.amount + excluded.amount",
            portion.len(),
            7,
        );
        let mut insert = by.query(text);
        for (place, amount) in portion {
            insert = insert
                .bind(&place.merchant)
                .bind(i64::from(place.live))
                .bind(&place.currency)
                .bind(&place.account)
                .bind(&place.party)
                .bind(shard)
                .bind(*amount);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The lines of a payment's transactions, oldest first.
pub async fn of_payment(
    connection: &mut Connection,
    by: &impl Reach,
    payment: &PaymentId,
) -> Result<Vec<LedgerRow>, Error> {
    let rows = by
        .either(
            "SELECT entries.number, business, account, party, amount, at FROM entries
         JOIN transactions ON transactions.source_id = entries.source_id AND transactions.number = entries.number
         WHERE merchant_id = $1 AND live = $2 AND entries.source_id = $3 ORDER BY entries.number, line LIMIT 10000",
            "SELECT entries.number, business, account, party, amount, at FROM entries
         JOIN transactions ON transactions.source_id = entries.source_id AND transactions.number = entries.number
         WHERE entries.source_id = $1 ORDER BY entries.number, line LIMIT 10000",
        )
        .bind(payment.as_str())
        .fetch_all(connection)
        .await?;
    let row = |row: &AnyRow| {
        Ok(LedgerRow {
            seq: row.number("number")?,
            business: row.text("business")?,
            account: row.text("account")?,
            party: Some(row.text("party")?).filter(|party| !party.is_empty()),
            amount: row.number("amount")?,
            at: row.number("at")?,
        })
    };
    rows.iter().map(row).collect()
}

/// A payment's balances by account; debit balances are positive.
pub async fn balances_of_payment(
    connection: &mut Connection,
    by: &Installation,
    payment: &PaymentId,
) -> Result<BTreeMap<String, i64>, Error> {
    let mut balances = BTreeMap::new();
    for row in of_payment(connection, by, payment).await? {
        *balances.entry(row.account).or_insert(0) += row.amount;
    }
    Ok(balances)
}

/// A merchant's balances by currency, in the order of the chart of accounts, from the stored sums.
pub async fn balances(connection: &mut Connection, scope: &Scope) -> Result<Vec<(Currency, String, i64)>, Error> {
    // PostgreSQL's sum over BIGINT is NUMERIC, which the driver does not read.
    let rows = scope
        .query(
            "SELECT currency, account, CAST(SUM(amount) AS BIGINT) AS minor FROM balances
         WHERE merchant_id = $1 AND live = $2 GROUP BY currency, account ORDER BY currency, account",
        )
        .fetch_all(connection)
        .await?;
    let balance = |row: &AnyRow| {
        Ok::<_, Error>((row.parsed::<Currency>("currency")?, row.text("account")?, row.number("minor")?))
    };
    let mut balances = rows.iter().map(balance).collect::<Result<Vec<_>, _>>()?;
    let place = |name: &str| Account::ALL.iter().position(|account| account.as_str() == name);
    balances.sort_by_key(|(currency, account, _)| (currency.code(), place(account)));
    Ok(balances)
}

/// All stored balances, of every merchant.
pub async fn kept(connection: &mut Connection, by: &Installation) -> Result<BTreeMap<Place, i128>, Error> {
    let rows = by.query("SELECT * FROM balances").fetch_all(connection).await?;
    let mut kept = BTreeMap::new();
    for row in &rows {
        *kept.entry(place(row)?).or_insert(0) += i128::from(row.number("amount")?);
    }
    Ok(kept)
}

/// The sums of all entries, and the transactions whose lines do not add up to zero in each currency or that are missing: source and
/// number.
pub async fn added_up(
    connection: &mut Connection,
    by: &Installation,
) -> Result<(BTreeMap<Place, i128>, Vec<(String, i64)>), Error> {
    let (mut sums, mut unbalanced) = (BTreeMap::new(), vec![]);
    let mut after = (String::new(), 0);
    loop {
        let transactions = by
            .query(
                "SELECT source_id, number, merchant_id, live FROM transactions WHERE (source_id, number) > ($1, $2)
             ORDER BY source_id, number LIMIT $3",
            )
            .bind(&after.0)
            .bind(after.1)
            .bind(STEP)
            .fetch_all(&mut *connection)
            .await?;
        let key = |row: &AnyRow| Ok::<_, Error>((row.text("source_id")?, row.number("number")?));
        let Some(last) = transactions.last().map(key).transpose()? else {
            // Entries beyond the last transaction have none.
            let beyond = by
                .query(
                    "SELECT source_id, number FROM entries WHERE (source_id, number) > ($1, $2)
                     ORDER BY source_id, number LIMIT $3",
                )
                .bind(&after.0)
                .bind(after.1)
                .bind(STEP)
                .fetch_all(connection)
                .await?;
            unbalanced.extend(beyond.iter().map(key).collect::<Result<Vec<_>, _>>()?);
            unbalanced.dedup();
            return Ok((sums, unbalanced));
        };
        let entries = by
            .query(
                "SELECT source_id, number, currency, account, party, amount FROM entries
             WHERE (source_id, number) > ($1, $2) AND (source_id, number) <= ($3, $4)",
            )
            .bind(&after.0)
            .bind(after.1)
            .bind(&last.0)
            .bind(last.1)
            .fetch_all(&mut *connection)
            .await?;
        let mut open: BTreeMap<(String, i64), BTreeMap<String, i128>> = BTreeMap::new();
        let owner = |row: &AnyRow| Ok::<_, Error>((key(row)?, (row.text("merchant_id")?, row.number("live")? != 0)));
        let owners = transactions.iter().map(owner).collect::<Result<BTreeMap<_, _>, _>>()?;
        for entry in &entries {
            let source = key(entry)?;
            let Some((merchant, live)) = owners.get(&source) else {
                unbalanced.push(source);
                continue;
            };
            let place = Place {
                merchant: merchant.clone(),
                live: *live,
                currency: entry.text("currency")?,
                account: entry.text("account")?,
                party: entry.text("party")?,
            };
            let amount = i128::from(entry.number("amount")?);
            *open.entry(source).or_default().entry(place.currency.clone()).or_insert(0) += amount;
            *sums.entry(place).or_insert(0) += amount;
        }
        let odd = open.into_iter().filter(|(_, sums)| sums.values().any(|sum| *sum != 0));
        unbalanced.extend(odd.map(|(source, _)| source));
        after = last;
    }
}

fn place(row: &AnyRow) -> Result<Place, Error> {
    Ok(Place {
        merchant: row.text("merchant_id")?,
        live: row.number("live")? != 0,
        currency: row.text("currency")?,
        account: row.text("account")?,
        party: row.text("party")?,
    })
}
