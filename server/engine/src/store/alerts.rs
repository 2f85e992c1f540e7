//! Alerts that a person should look at.

use domain::Millis;

use super::Connection;
use super::pages::{is_full, no_such_row};
use super::row::Columns;
use crate::error::Error;
use crate::paging::{Listed, Page};
use crate::scope::Installation;

/// An alert, counted over its repetitions.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Alert {
    /// The kind of the alert.
    pub kind: String,
    /// The subject of the alert.
    pub subject: String,
    /// The newest occurrence in words.
    pub detail: String,
    /// The number of occurrences.
    pub times: i64,
    /// First seen, in milliseconds since 1970.
    pub first_at: Millis,
    /// Last seen, in milliseconds since 1970.
    pub last_at: Millis,
}

/// Raises an alert, or counts further occurrences of an open one.
pub async fn raise(
    connection: &mut Connection,
    by: &Installation,
    kind: &str,
    subject: &str,
    detail: &str,
    times: i64,
    now: Millis,
) -> Result<(), Error> {
    by.query(
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

/// Gives an open alert another text. Returns whether there was one.
pub async fn reword(
    connection: &mut Connection,
    by: &Installation,
    kind: &str,
    subject: &str,
    detail: &str,
) -> Result<bool, Error> {
    let changed = by.query("UPDATE alerts SET detail = $3 WHERE kind = $1 AND subject = $2").bind(kind).bind(subject);
    Ok(changed.bind(detail).execute(connection).await?.rows_affected() > 0)
}

/// Removes an alert. Returns whether there was one.
pub async fn close(connection: &mut Connection, by: &Installation, kind: &str, subject: &str) -> Result<bool, Error> {
    let closed = by.query("DELETE FROM alerts WHERE kind = $1 AND subject = $2").bind(kind).bind(subject);
    Ok(closed.execute(connection).await?.rows_affected() > 0)
}

/// Whether an alert is open.
pub async fn is_raised(
    connection: &mut Connection,
    by: &Installation,
    kind: &str,
    subject: &str,
) -> Result<bool, Error> {
    let found = by.query("SELECT kind FROM alerts WHERE kind = $1 AND subject = $2").bind(kind).bind(subject);
    Ok(found.fetch_optional(connection).await?.is_some())
}

/// The alerts, newest first. A row is named by its kind, a colon and its subject.
pub async fn list(connection: &mut Connection, by: &Installation, page: &Page) -> Result<Listed<Alert>, Error> {
    let mut from = (Millis::MAX, String::new(), String::new());
    if let Some(after) = &page.after {
        let (kind, subject) = after.split_once(':').ok_or_else(|| no_such_row(after))?;
        let found = by.query("SELECT last_at FROM alerts WHERE kind = $1 AND subject = $2").bind(kind).bind(subject);
        let found = found.fetch_optional(&mut *connection).await?.ok_or_else(|| no_such_row(after))?;
        from = (found.number("last_at")?, kind.to_owned(), subject.to_owned());
    }
    let rows = by.query(
        "SELECT * FROM alerts
         WHERE last_at <= $1 AND (last_at < $1 OR kind > $2 OR (kind = $2 AND subject > $3))
         ORDER BY last_at DESC, kind, subject LIMIT $4",
    );
    let rows = rows.bind(from.0).bind(&from.1).bind(&from.2).bind(page.limit).fetch_all(&mut *connection).await?;
    let mut more = 0;
    if let Some(last) = rows.last().filter(|_| is_full(&rows, page)) {
        let count = by.query(
            "SELECT COUNT(*) AS more FROM (SELECT kind FROM alerts
             WHERE last_at <= $1 AND (last_at < $1 OR kind > $2 OR (kind = $2 AND subject > $3))
             ORDER BY last_at DESC, kind, subject LIMIT $4) AS rest",
        );
        let count = count.bind(last.number("last_at")?).bind(last.text("kind")?).bind(last.text("subject")?);
        more = count.bind(Page::COUNTED_MAX + 1).fetch_one(&mut *connection).await?.number("more")?;
    }
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
    Ok(Listed { rows: rows.iter().map(alert).collect::<Result<_, Error>>()?, more })
}
