//! Merchants' idempotency keys of captures, voids and refunds. Rows are added by `crate::record` alone, with the request that the key
//! names.

use domain::id::{AttemptId, MerchantId, ModificationId, PaymentId};
use domain::payment::RequestKey;

use super::Connection;
use super::many::{portions, values};
use super::row::Columns;
use crate::error::Error;
use crate::scope::{Installation, Scope};

/// The request that a key names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The merchant.
    pub merchant: MerchantId,
    /// Whether real money moves.
    pub live: bool,
    /// The key.
    pub key: RequestKey,
    /// The payment of the request.
    pub payment: PaymentId,
    /// The attempt of the request.
    pub attempt: AttemptId,
    /// The capture, void or refund.
    pub modification: ModificationId,
}

/// Adds keys.
///
/// # Errors
/// The merchant has used one of the keys before.
pub async fn insert(connection: &mut Connection, by: &Installation, rows: &[KeyRow]) -> Result<(), Error> {
    for portion in portions(rows) {
        let text = values(
            connection,
            "INSERT INTO modification_keys (merchant_id, live, request_key, payment_id, attempt_id, modification_id)
             VALUES {}",
            portion.len(),
            6,
        );
        let mut insert = by.query(text);
        for row in portion {
            insert = insert
                .bind(row.merchant.as_str())
                .bind(i64::from(row.live))
                .bind(row.key.as_str())
                .bind(row.payment.as_str())
                .bind(row.attempt.as_str())
                .bind(row.modification.as_str());
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The request that a merchant's key names, if the key has been used.
pub async fn find(connection: &mut Connection, scope: &Scope, key: &RequestKey) -> Result<Option<KeyRow>, Error> {
    let row = scope
        .query("SELECT * FROM modification_keys WHERE merchant_id = $1 AND live = $2 AND request_key = $3")
        .bind(key.as_str())
        .fetch_optional(connection)
        .await?;
    let read = |row: sqlx::any::AnyRow| {
        Ok(KeyRow {
            merchant: row.parsed("merchant_id")?,
            live: row.flag("live")?,
            key: row.parsed("request_key")?,
            payment: row.parsed("payment_id")?,
            attempt: row.parsed("attempt_id")?,
            modification: row.parsed("modification_id")?,
        })
    };
    row.map(read).transpose()
}
