//! Takes deliveries up, and stores their outcomes.

use bytes::Bytes;
use domain::Millis;
use domain::id::{InboxId, ProviderAccountId};
use sqlx::any::AnyRow;

use super::InboxState;
use crate::error::Error;
use crate::problem::BodyProblem;
use crate::scope::{Installation, Scope};
use crate::store::Connection;
use crate::store::dialect::Dialect;
use crate::store::many::{portions, values};
use crate::store::packs::{self, Place};
use crate::store::row::Columns;

/// An event taken up to be applied. `R` is the content that the caller has read; the store does not look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken<R = ()> {
    /// The id.
    pub id: InboxId,
    /// The account that the event arrived for.
    pub account: ProviderAccountId,
    /// The event's bytes, or why they cannot be read.
    pub body: Result<Bytes, BodyProblem>,
    /// When the event arrived.
    pub received: Millis,
    /// When the event is due again, as stored when it was taken up. If the stored time has changed, the event was brought forward
    /// meanwhile.
    pub due: Millis,
    /// How often the event was taken up, this time included, since it last waited for its payment.
    pub tries: i64,
    /// Whether the event was handed over in memory, just stored, and not read from the database.
    pub handed: bool,
    /// The event's content, if it has been read already.
    pub reading: Option<Box<R>>,
}

/// Takes up events that are due, the oldest first, and makes them due again at `again`.
pub async fn claim<R>(
    connection: &mut Connection,
    by: &Installation,
    dialect: Dialect,
    now: Millis,
    again: Millis,
    limit: i64,
) -> Result<Vec<Taken<R>>, Error> {
    let rows = by.query(dialect.claim_inbox()).bind(again).bind(now).bind(limit).fetch_all(&mut *connection).await?;
    let places: Vec<Place> = rows.iter().map(Place::of).collect::<Result<_, Error>>()?;
    let bodies = packs::read(connection, by, &places).await?;
    let taken = |(row, body): (&AnyRow, Result<Bytes, BodyProblem>)| {
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
    let mut taken: Vec<Taken<R>> = rows.iter().zip(bodies).map(taken).collect::<Result<_, Error>>()?;
    taken.sort_by(|a, b| (a.received, &a.id).cmp(&(b.received, &b.id)));
    Ok(taken)
}

/// When the next pending event is due, if there is one.
pub async fn next_due(connection: &mut Connection, by: &Installation) -> Result<Option<Millis>, Error> {
    let row = by.query("SELECT MIN(due) AS next FROM inbox WHERE state = 'pending'").fetch_one(connection).await?;
    row.maybe_number("next")
}

/// The outcome of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The event's id.
    pub id: InboxId,
    /// The event's new state.
    pub state: InboxState,
    /// The provider's name of the event, if it could be read.
    pub kind: Option<String>,
    /// The reason for the state, for a person.
    pub note: Option<String>,
}

/// Stores the outcome of events that are still pending, and returns how many were: another server may have been faster.
pub async fn settle(
    connection: &mut Connection,
    by: &Installation,
    rows: &[Settled],
    now: Millis,
) -> Result<u64, Error> {
    let mut settled = 0;
    for portion in portions(rows) {
        let text = values(
            connection,
            "UPDATE inbox SET state = v.column2, kind = v.column3, note = v.column4, settled = v.column5
             FROM (VALUES {}) AS v WHERE inbox.id = v.column1 AND inbox.state = 'pending'",
            portion.len(),
            5,
        );
        let mut update = by.query(text);
        for row in portion {
            update = update.bind(row.id.as_str()).bind(row.state.as_str()).bind(&row.kind).bind(&row.note);
            update = update.bind(now);
        }
        settled += update.execute(&mut *connection).await?.rows_affected();
    }
    Ok(settled)
}

/// Puts off an event that could not be applied, with the reason, unless it was brought forward meanwhile.
pub async fn put_off<R>(
    connection: &mut Connection,
    by: &Installation,
    row: &Taken<R>,
    due: Millis,
    why: &str,
) -> Result<(), Error> {
    by.query(
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

/// Makes events due that are put off further than `PUT_OFF_MAX`, because the clock was set back. Returns their number.
pub async fn rescue(connection: &mut Connection, by: &Installation, now: Millis) -> Result<u64, Error> {
    let done = by
        .query("UPDATE inbox SET due = $1 WHERE state = 'pending' AND due > $2")
        .bind(now)
        .bind(now + PUT_OFF_MAX)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Whether there are events to be rescued.
pub async fn is_stranded(connection: &mut Connection, by: &Installation, now: Millis) -> Result<bool, Error> {
    let row = by
        .query("SELECT id FROM inbox WHERE state = 'pending' AND due > $1 LIMIT 1")
        .bind(now + PUT_OFF_MAX)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// The furthest into the future that an event is ever put off.
const PUT_OFF_MAX: Millis = 20 * domain::MINUTE;

/// The number of pending events.
pub async fn backlog(connection: &mut Connection, by: &Installation) -> Result<i64, Error> {
    let row = by.query("SELECT COUNT(*) AS waiting FROM inbox WHERE state = 'pending'").fetch_one(connection).await?;
    row.number("waiting")
}

/// Whether an account has pending events that arrived since a time.
pub async fn has_pending(
    connection: &mut Connection,
    scope: &Scope,
    account: &ProviderAccountId,
    since: Millis,
) -> Result<bool, Error> {
    // Sorted in the order of the index. Otherwise PostgreSQL may look through all pending events for the first one.
    let row = scope
        .query(
            "SELECT id FROM inbox WHERE state = 'pending' AND received >= $3 AND account_id = $4
            AND EXISTS (SELECT 1 FROM provider_accounts WHERE merchant_id = $1 AND live = $2 AND id = $4)
         ORDER BY received LIMIT 1",
        )
        .bind(since)
        .bind(account.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}
