//! Exchanges between Till and the providers, with secrets masked.

use domain::Millis;
use domain::id::{AttemptId, ProviderAccountId};

use super::Connection;
use super::row::Columns;
use crate::error::Error;
use crate::scope::{Installation, Scope};

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The account.
    pub account: ProviderAccountId,
    /// The attempt, if the exchange concerns one.
    pub attempt: Option<AttemptId>,
    /// The operation, such as `checkout.sessions.create`.
    pub operation: String,
    /// Method, path and masked body.
    pub request: String,
    /// The reply's status, if there was a reply.
    pub status: Option<i64>,
    /// The masked reply, or why there was none.
    pub reply: String,
    /// How long the exchange took, in milliseconds.
    pub duration: Millis,
    /// When the exchange began.
    pub at: Millis,
}

/// Stores an exchange.
pub async fn insert(
    connection: &mut Connection,
    by: &Installation,
    id: &str,
    exchange: &Exchange,
) -> Result<(), Error> {
    by.query(
        "INSERT INTO exchanges (id, account_id, attempt_id, operation, request, status, reply, duration, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id)
    .bind(exchange.account.as_str())
    .bind(exchange.attempt.as_ref().map(AttemptId::as_str))
    .bind(&exchange.operation)
    .bind(&exchange.request)
    .bind(exchange.status)
    .bind(&exchange.reply)
    .bind(exchange.duration)
    .bind(exchange.at)
    .execute(connection)
    .await?;
    Ok(())
}

/// An attempt's exchanges, oldest first.
pub async fn of_attempt(
    connection: &mut Connection,
    scope: &Scope,
    attempt: &AttemptId,
) -> Result<Vec<Exchange>, Error> {
    let rows = scope
        .query(
            "SELECT * FROM exchanges WHERE attempt_id = $3 AND EXISTS (SELECT 1 FROM provider_accounts
            WHERE merchant_id = $1 AND live = $2 AND provider_accounts.id = exchanges.account_id)
         ORDER BY at, id LIMIT 1000",
        )
        .bind(attempt.as_str())
        .fetch_all(connection)
        .await?;
    let exchange = |row: &sqlx::any::AnyRow| {
        Ok(Exchange {
            account: row.parsed("account_id")?,
            attempt: Some(row.parsed("attempt_id")?),
            operation: row.text("operation")?,
            request: row.text("request")?,
            status: row.maybe_number("status")?,
            reply: row.text("reply")?,
            duration: row.number("duration")?,
            at: row.number("at")?,
        })
    };
    rows.iter().map(exchange).collect()
}

/// When an attempt's last exchange with this operation began.
pub async fn last(
    connection: &mut Connection,
    by: &Installation,
    attempt: &AttemptId,
    operation: &str,
) -> Result<Option<Millis>, Error> {
    let row = by
        .query("SELECT at FROM exchanges WHERE attempt_id = $1 AND operation = $2 ORDER BY at DESC LIMIT 1")
        .bind(attempt.as_str())
        .bind(operation)
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.number("at")).transpose()
}

/// Removes at most `limit` exchanges older than a time. Returns their number.
pub async fn prune(connection: &mut Connection, by: &Installation, before: Millis, limit: i64) -> Result<u64, Error> {
    let done =
        by.query("DELETE FROM exchanges WHERE id IN (SELECT id FROM exchanges WHERE at < $1 ORDER BY at LIMIT $2)");
    Ok(done.bind(before).bind(limit).execute(connection).await?.rows_affected())
}
