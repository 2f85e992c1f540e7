//! Taking deliveries up, and writing down what became of them.

use bytes::Bytes;
use connectors::Incoming;
use domain::Millis;
use domain::id::{InboxId, ProviderAccountId};
use sqlx::any::AnyRow;

use super::InboxState;
use crate::error::Error;
use crate::store::Connection;
use crate::store::dialect::Dialect;
use crate::store::many::{portions, values};
use crate::store::packs::{self, Place};
use crate::store::row::Columns;
use crate::store::statement::query;

/// An event taken up to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The id.
    pub id: InboxId,
    /// The account it came in for.
    pub account: ProviderAccountId,
    /// The event's bytes, or why they cannot be had.
    pub body: Result<Bytes, String>,
    /// When it arrived.
    pub received: Millis,
    /// When it is due again, as it was taken up. If that has changed, somebody has brought it forward meanwhile.
    pub due: Millis,
    /// How often it was taken up, this time included, since it last waited for its payment.
    pub tries: i64,
    /// Whether it comes from memory, just stored, and not from the database.
    pub handed: bool,
    /// What it says, if it has been read already.
    pub reading: Option<Box<Incoming>>,
}

/// Takes up events that are due, the oldest first, and makes them due again at `again`.
pub async fn claim(
    connection: &mut Connection,
    dialect: Dialect,
    now: Millis,
    again: Millis,
    limit: i64,
) -> Result<Vec<Taken>, Error> {
    let rows = query(dialect.claim_inbox()).bind(again).bind(now).bind(limit).fetch_all(&mut *connection).await?;
    let places: Vec<Place> = rows.iter().map(Place::of).collect::<Result<_, Error>>()?;
    let bodies = packs::read(connection, &places).await?;
    let taken = |(row, body): (&AnyRow, Result<Bytes, String>)| {
        Ok(Taken {
            id: row.parsed("id")?,
            account: row.parsed("account_id")?,
            body,
            received: row.number("received")?,
            due: again,
            tries: row.number("tries")?,
            handed: false,
            reading: None,
        })
    };
    let mut taken: Vec<Taken> = rows.iter().zip(bodies).map(taken).collect::<Result<_, Error>>()?;
    taken.sort_by(|a, b| (a.received, &a.id).cmp(&(b.received, &b.id)));
    Ok(taken)
}

/// When the next pending event is due, if there is one.
pub async fn next_due(connection: &mut Connection) -> Result<Option<Millis>, Error> {
    let row = query("SELECT MIN(due) AS next FROM inbox WHERE state = 'pending'").fetch_one(connection).await?;
    row.maybe_number("next")
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Which.
    pub id: InboxId,
    /// What.
    pub state: InboxState,
    /// The provider's name of the event, if it could be read.
    pub kind: Option<String>,
    /// Why, for a person.
    pub note: Option<String>,
}

/// Writes down what became of events that were still pending, and tells how many were: another server may have been faster.
pub async fn settle(connection: &mut Connection, rows: &[Settled], now: Millis) -> Result<u64, Error> {
    let mut settled = 0;
    for portion in portions(rows) {
        let text = values(
            connection,
            "UPDATE inbox SET state = v.column2, kind = v.column3, note = v.column4, settled = v.column5
             FROM (VALUES {}) AS v WHERE inbox.id = v.column1 AND inbox.state = 'pending'",
            portion.len(),
            5,
        );
        let mut update = query(text);
        for row in portion {
            update = update.bind(row.id.as_str()).bind(row.state.as_str()).bind(&row.kind).bind(&row.note);
            update = update.bind(now);
        }
        settled += update.execute(&mut *connection).await?.rows_affected();
    }
    Ok(settled)
}

/// Puts an event off that could not be applied, with the reason, unless it was brought forward meanwhile.
pub async fn put_off(connection: &mut Connection, row: &Taken, due: Millis, why: &str) -> Result<(), Error> {
    query(
        "UPDATE inbox SET due = CASE WHEN due = $1 THEN $2 ELSE due END, note = $3 WHERE id = $4 AND state = 'pending'",
    )
    .bind(row.due)
    .bind(due)
    .bind(why)
    .bind(row.id.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes events due that are put off further than they ever are: the clock was set back. Tells how many.
pub async fn rescue(connection: &mut Connection, now: Millis) -> Result<u64, Error> {
    let done = query("UPDATE inbox SET due = $1 WHERE state = 'pending' AND due > $2")
        .bind(now)
        .bind(now + PUT_OFF_MAX)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Whether there are events to be rescued.
pub async fn is_stranded(connection: &mut Connection, now: Millis) -> Result<bool, Error> {
    let row = query("SELECT id FROM inbox WHERE state = 'pending' AND due > $1 LIMIT 1")
        .bind(now + PUT_OFF_MAX)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Further than this into the future no event is ever put off.
const PUT_OFF_MAX: Millis = 20 * domain::MINUTE;

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
    // In the order of the index, or PostgreSQL may look through all that wait for the first one.
    let row = query(
        "SELECT id FROM inbox WHERE state = 'pending' AND received >= $1 AND account_id = $2 ORDER BY received LIMIT 1",
    )
    .bind(since)
    .bind(account.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}
