//! What a person should look at.

use domain::Millis;

use super::Connection;
use super::row::Columns;
use super::statement::query;
use crate::error::Error;

/// An alert, counted over its repetitions.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Alert {
    /// What happened.
    pub kind: String,
    /// To what.
    pub subject: String,
    /// The newest occurrence in words.
    pub detail: String,
    /// How often.
    pub times: i64,
    /// First seen, in milliseconds since 1970.
    pub first_at: Millis,
    /// Last seen, in milliseconds since 1970.
    pub last_at: Millis,
}

/// Counts occurrences.
pub async fn raise(
    connection: &mut Connection,
    kind: &str,
    subject: &str,
    detail: &str,
    times: i64,
    now: Millis,
) -> Result<(), Error> {
    query(
        "INSERT INTO alerts (kind, subject, detail, times, first_at, last_at) VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (kind, subject) DO UPDATE SET
            times = alerts.times + excluded.times, detail = excluded.detail, last_at = excluded.last_at",
    )
    .bind(kind)
    .bind(subject)
    .bind(detail)
    .bind(times)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// The alerts, newest first.
pub async fn list(connection: &mut Connection, limit: i64) -> Result<Vec<Alert>, Error> {
    let rows = query("SELECT * FROM alerts ORDER BY last_at DESC, kind, subject LIMIT $1")
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let alert = |row: &sqlx::any::AnyRow| {
        Ok(Alert {
            kind: row.text("kind")?,
            subject: row.text("subject")?,
            detail: row.text("detail")?,
            times: row.number("times")?,
            first_at: row.number("first_at")?,
            last_at: row.number("last_at")?,
        })
    };
    rows.iter().map(alert).collect()
}
