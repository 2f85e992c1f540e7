//! What merchants must hear. Rows are added by `crate::record` alone, in the transaction of the change.

use domain::id::PaymentId;
use domain::payment::Told;

use super::Connection;
use super::ledger::Posting;
use super::many::{portions, values};
use super::row::{Columns, to_json};
use super::statement::query;
use crate::error::Error;

/// Adds rows.
pub async fn insert(connection: &mut Connection, rows: &[(Posting, Told)]) -> Result<(), Error> {
    for portion in portions(rows) {
        let text = values(
            connection,
            "INSERT INTO outbox (payment_id, seq, line, merchant_id, name, data, live, created) VALUES {}",
            portion.len(),
            8,
        );
        let mut insert = query(text);
        for (posting, told) in portion {
            insert = insert
                .bind(posting.payment.as_str())
                .bind(posting.seq)
                .bind(posting.line)
                .bind(posting.merchant.as_str())
                .bind(told.name())
                .bind(to_json(told)?)
                .bind(i64::from(posting.live))
                .bind(posting.at);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The names of a payment's rows, oldest first.
pub async fn names_of_payment(connection: &mut Connection, payment: &PaymentId) -> Result<Vec<String>, Error> {
    let rows = query("SELECT name FROM outbox WHERE payment_id = $1 ORDER BY seq, line LIMIT 10000")
        .bind(payment.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.text("name")).collect()
}

/// What a payment's rows say, oldest first, with the number of the event each was written with.
pub async fn of_payment(connection: &mut Connection, payment: &PaymentId) -> Result<Vec<(i64, Told)>, Error> {
    let rows = query("SELECT seq, data FROM outbox WHERE payment_id = $1 ORDER BY seq, line LIMIT 10000")
        .bind(payment.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.number("seq")?, row.json("data")?))).collect()
}
