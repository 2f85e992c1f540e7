//! Provider deliveries, stored before the reply.

use domain::Millis;
use domain::id::{InboxId, ProviderAccountId};
use serde::{Deserialize, Serialize};
use sqlx::query;

use super::Connection;
use super::row::{Columns, word};
use crate::error::Error;

/// What became of a stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxState {
    /// Not looked at yet, or waiting for its payment to become known.
    Pending,
    /// Changed a payment, or said what was known already.
    Applied,
    /// Concerns no payment of ours.
    Ignored,
    /// Belongs to another account.
    Foreign,
    /// Speaks of another amount, currency or object than the payment.
    Mismatch,
    /// Its payment never became known.
    Orphan,
    /// Cannot be read.
    Unreadable,
}

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// The id.
    pub id: InboxId,
    /// The account it came in for.
    pub account: ProviderAccountId,
    /// The provider's id of the event.
    pub event: String,
    /// The event's bytes.
    pub body: Vec<u8>,
    /// What became of it.
    pub state: InboxState,
    /// The provider's name of the event, once read.
    pub kind: Option<String>,
    /// Why, for a person.
    pub note: Option<String>,
    /// When it arrived.
    pub received: Millis,
}

/// Stores an event. Returns false if the account already has one with the same id.
pub async fn insert(connection: &mut Connection, row: &InboxRow) -> Result<bool, Error> {
    let done = query(
        "INSERT INTO inbox (id, account_id, event, body, state, received) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id, event) DO NOTHING",
    )
    .bind(row.id.as_str())
    .bind(row.account.as_str())
    .bind(&row.event)
    .bind(row.body.as_slice())
    .bind(word(&row.state)?)
    .bind(row.received)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// A stored event by id.
pub async fn find(connection: &mut Connection, id: &InboxId) -> Result<Option<InboxRow>, Error> {
    let row = query("SELECT * FROM inbox WHERE id = $1").bind(id.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(inbox_row).transpose()
}

/// An account's events in the order of arrival.
pub async fn of_account(connection: &mut Connection, account: &ProviderAccountId) -> Result<Vec<InboxRow>, Error> {
    let rows = query("SELECT * FROM inbox WHERE account_id = $1 ORDER BY received, id LIMIT 1000")
        .bind(account.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(inbox_row).collect()
}

/// What an account has stored of an event: one row, or none.
pub async fn of_event(
    connection: &mut Connection,
    account: &ProviderAccountId,
    event: &str,
) -> Result<Vec<InboxRow>, Error> {
    let rows = query("SELECT * FROM inbox WHERE account_id = $1 AND event = $2")
        .bind(account.as_str())
        .bind(event)
        .fetch_all(connection)
        .await?;
    rows.iter().map(inbox_row).collect()
}

/// Writes down what became of an event that was still pending. Returns false if somebody else did so first.
pub async fn settle(
    connection: &mut Connection,
    id: &InboxId,
    state: InboxState,
    kind: Option<&str>,
    note: Option<&str>,
    now: Millis,
) -> Result<bool, Error> {
    let done =
        query("UPDATE inbox SET state = $1, kind = $2, note = $3, settled = $4 WHERE id = $5 AND state = 'pending'")
            .bind(word(&state)?)
            .bind(kind)
            .bind(note)
            .bind(now)
            .bind(id.as_str())
            .execute(connection)
            .await?;
    Ok(done.rows_affected() > 0)
}

/// How many events wait.
pub async fn backlog(connection: &mut Connection) -> Result<i64, Error> {
    let row = query("SELECT COUNT(*) AS waiting FROM inbox WHERE state = 'pending'").fetch_one(connection).await?;
    row.number("waiting")
}

/// Whether an account has events that arrived since a time and wait.
pub async fn has_pending(
    connection: &mut Connection,
    account: &ProviderAccountId,
    since: Millis,
) -> Result<bool, Error> {
    let row = query("SELECT id FROM inbox WHERE state = 'pending' AND received >= $1 AND account_id = $2 LIMIT 1")
        .bind(since)
        .bind(account.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

fn inbox_row(row: &sqlx::any::AnyRow) -> Result<InboxRow, Error> {
    Ok(InboxRow {
        id: row.parsed("id")?,
        account: row.parsed("account_id")?,
        event: row.text("event")?,
        body: row.bytes("body")?,
        state: row.word("state")?,
        kind: row.maybe_text("kind")?,
        note: row.maybe_text("note")?,
        received: row.number("received")?,
    })
}
