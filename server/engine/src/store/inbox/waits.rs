//! Deliveries that name unknown payments wait without being looked at. The transaction that makes one of their references known wakes
//! them.
//!
//! A wake must not be missed. A transaction that stores a waiting delivery has looked for the delivery's references before. A
//! transaction that writes a reference looks for waiting deliveries afterwards. If both were under way at once, neither would see the
//! other's uncommitted rows. SQLite has one writing transaction at a time, which begins before it reads. On PostgreSQL both pass a gate:
//! storing transactions ([`enter`]) share it with each other, waking transactions ([`bring_forward`]) share it with each other, and one
//! kind waits until the other has committed. So a delivery is stored either before the wake looks, and the wake finds the delivery, or
//! after the reference is committed, and the delivery finds the reference. The gate is the last lock that a waking transaction waits for
//! with payments locked, and the first lock of a storing transaction, so the two cannot wait for each other in a circle.

use domain::Millis;
use domain::id::{AttemptId, InboxId, ProviderAccountId};
use domain::payment::Refs;

use super::Taken;
use crate::error::Error;
use crate::scope::Installation;
use crate::store::dialect::Dialect;
use crate::store::many::{filled, list, lists, portions, values};
use crate::store::row::Columns;
use crate::store::{Connection, Tx};

/// The references that a delivery waits for, and the end of the wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// When the delivery is given up.
    pub until: Millis,
    /// The references that wake the delivery, see [`wanted`].
    pub wanted: Vec<String>,
    /// The attempt of ours that the delivery names, if it names one. An alert is raised when such a delivery is given up.
    pub claims: Option<AttemptId>,
}

/// The references that a delivery for an unknown payment waits for: our own, and the provider's within the account.
#[must_use]
pub fn wanted(account: &ProviderAccountId, attempt: Option<&AttemptId>, refs: &Refs) -> Vec<String> {
    let refs = refs.session.iter().chain(&refs.payment).map(|reference| format!("{account}/{reference}"));
    attempt.map(ToString::to_string).into_iter().chain(refs).collect()
}

/// Enters the gate as a transaction that stores waiting deliveries. The transaction must not write references itself. Returns whether
/// other transactions may have committed since this one began, so that the deliveries' references must be looked up after this.
pub async fn enter(tx: &mut Tx, dialect: Dialect) -> Result<bool, Error> {
    dialect.pass_gate(tx, Gate::Storing).await?;
    Ok(dialect == Dialect::Postgres)
}

/// The two ways through the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Gate {
    /// A waiting delivery is stored.
    Storing,
    /// Waiting deliveries are woken.
    Waking,
}

pub(super) async fn insert_waits(
    connection: &mut Connection,
    by: &Installation,
    waits: impl Iterator<Item = (&InboxId, &Wait)>,
) -> Result<(), Error> {
    let rows: Vec<(&str, &InboxId)> =
        waits.flat_map(|(id, wait)| wait.wanted.iter().map(move |wanted| (wanted.as_str(), id))).collect();
    for portion in portions(&rows) {
        let text = values(
            connection,
            "INSERT INTO inbox_waits (wanted, inbox_id) VALUES {} ON CONFLICT DO NOTHING",
            portion.len(),
            2,
        );
        let insert = portion.iter().fold(by.query(text), |insert, (wanted, id)| insert.bind(*wanted).bind(id.as_str()));
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Lets an event wait that was taken up, unless it was brought forward meanwhile. See [`enter`].
pub async fn wait<R>(
    connection: &mut Connection,
    by: &Installation,
    row: &Taken<R>,
    kind: Option<&str>,
    wait: &Wait,
) -> Result<(), Error> {
    let done = by
        .query(
            "UPDATE inbox SET state = 'waiting', tries = 0, note = NULL, due = $1, kind = $2, claims = $3
         WHERE id = $4 AND state = 'pending' AND due = $5",
        )
        .bind(wait.until)
        .bind(kind)
        .bind(wait.claims.as_ref().map(AttemptId::as_str))
        .bind(row.id.as_str())
        .bind(row.due)
        .execute(&mut *connection)
        .await?;
    if done.rows_affected() > 0 {
        insert_waits(connection, by, std::iter::once((&row.id, wait))).await?;
    }
    Ok(())
}

/// Brings events forward that wait for a reference that this transaction has made known, also events that were given up, and returns
/// their number.
pub async fn bring_forward(
    connection: &mut Connection,
    by: &Installation,
    dialect: Dialect,
    known: &[String],
    now: Millis,
) -> Result<u64, Error> {
    if known.is_empty() {
        return Ok(0);
    }
    dialect.pass_gate(connection, Gate::Waking).await?;
    let mut brought = 0;
    for (portion, size) in lists(known) {
        let text = list(
            connection,
            "UPDATE inbox SET due = $1, state = 'pending', settled = NULL, note = NULL, claims = NULL
             WHERE ((state = 'pending' AND due > $2) OR state IN ('waiting', 'orphan'))
             AND id IN (SELECT inbox_id FROM inbox_waits WHERE wanted IN ({}))",
            2,
            size,
        );
        let update =
            filled(portion, size).fold(by.query(text).bind(now).bind(now), |update, wanted| update.bind(wanted));
        brought += update.execute(&mut *connection).await?.rows_affected();
    }
    Ok(brought)
}

/// An event that has waited in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// The event's id.
    pub id: InboxId,
    /// The account that the event arrived for.
    pub account: ProviderAccountId,
    /// The attempt of ours that the event names, if it names one.
    pub claims: Option<AttemptId>,
}

/// Gives up events that have waited long enough, `limit` at most. If one of their payments becomes known after all, they are still taken
/// up.
pub async fn give_up(
    connection: &mut Connection,
    by: &Installation,
    dialect: Dialect,
    why: &str,
    now: Millis,
    limit: i64,
) -> Result<Vec<GivenUp>, Error> {
    let rows = by.query(dialect.give_up_waiting()).bind(now).bind(why).bind(limit).fetch_all(connection).await?;
    let given_up = |row: &sqlx::any::AnyRow| {
        let claims = row.maybe_text("claims")?.map(|id| id.parse().map_err(Error::corrupt)).transpose()?;
        Ok(GivenUp { id: row.parsed("id")?, account: row.parsed("account_id")?, claims })
    };
    rows.iter().map(given_up).collect()
}

/// When the next waiting event is given up, if one waits.
pub async fn next_given_up(connection: &mut Connection, by: &Installation) -> Result<Option<Millis>, Error> {
    let row = by.query("SELECT MIN(due) AS next FROM inbox WHERE state = 'waiting'").fetch_one(connection).await?;
    row.maybe_number("next")
}

/// Removes the references that events have waited for.
pub async fn stop_waiting(connection: &mut Connection, by: &Installation, ids: &[InboxId]) -> Result<(), Error> {
    for (portion, size) in lists(ids) {
        let text = list(connection, "DELETE FROM inbox_waits WHERE inbox_id IN ({})", 0, size);
        let delete = filled(portion, size).fold(by.query(text), |delete, id| delete.bind(id.as_str()));
        delete.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Removes the references that events have waited for that arrived before the event with this id: ids are in the order of time. Returns
/// the number of removed references, about `limit` at most.
pub async fn stop_waiting_before(
    connection: &mut Connection,
    by: &Installation,
    first: &InboxId,
    limit: i64,
) -> Result<u64, Error> {
    let done = by.query(
        "DELETE FROM inbox_waits WHERE inbox_id IN
            (SELECT inbox_id FROM inbox_waits WHERE inbox_id < $1 ORDER BY inbox_id LIMIT $2)",
    );
    Ok(done.bind(first.as_str()).bind(limit).execute(connection).await?.rows_affected())
}
