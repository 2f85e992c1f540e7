//! Merchants' idempotency keys of captures, voids and refunds. Rows are added by `crate::record` alone, with the request that the key
//! names.

use domain::id::{AttemptId, MerchantId, ModificationId, PaymentId};
use domain::payment::RequestKey;

use super::Connection;
use super::many::{portions, values};
use super::row::Columns;
use super::statement::query;
use crate::error::Error;

/// The request that a key names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The merchant.
    pub merchant: MerchantId,
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
pub async fn insert(connection: &mut Connection, rows: &[KeyRow]) -> Result<(), Error> {
    for portion in portions(rows) {
        let text = values(
            connection,
            "INSERT INTO modification_keys (merchant_id, request_key, payment_id, attempt_id, modification_id) VALUES {}",
            portion.len(),
            5,
        );
        let mut insert = query(text);
        for row in portion {
            insert = insert
                .bind(row.merchant.as_str())
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
pub async fn find(
    connection: &mut Connection,
    merchant: &MerchantId,
    key: &RequestKey,
) -> Result<Option<KeyRow>, Error> {
    let row = query("SELECT * FROM modification_keys WHERE merchant_id = $1 AND request_key = $2")
        .bind(merchant.as_str())
        .bind(key.as_str())
        .fetch_optional(connection)
        .await?;
    let read = |row: sqlx::any::AnyRow| {
        Ok(KeyRow {
            merchant: row.parsed("merchant_id")?,
            key: row.parsed("request_key")?,
            payment: row.parsed("payment_id")?,
            attempt: row.parsed("attempt_id")?,
            modification: row.parsed("modification_id")?,
        })
    };
    row.map(read).transpose()
}
