//! Deliveries that wait for something to become known.

use domain::Millis;
use domain::id::InboxId;

use super::Taken;
use crate::error::Error;
use crate::store::Connection;
use crate::store::many::{filled, list, lists};
use crate::store::statement::query;

/// Lets an event wait until it is due, or until something it wants becomes known. If that has happened meanwhile, it does not wait.
pub async fn wait(connection: &mut Connection, row: &Taken, due: Millis, wanted: &[String]) -> Result<(), Error> {
    query("UPDATE inbox SET due = $1, tries = 0 WHERE id = $2 AND state = 'pending' AND due = $3")
        .bind(due)
        .bind(row.id.as_str())
        .bind(row.due)
        .execute(&mut *connection)
        .await?;
    for wanted in wanted {
        query("INSERT INTO inbox_waits (wanted, inbox_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(wanted)
            .bind(row.id.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Whether an event has waited for something to become known.
pub async fn has_waited(connection: &mut Connection, id: &InboxId) -> Result<bool, Error> {
    let row = query("SELECT wanted FROM inbox_waits WHERE inbox_id = $1 LIMIT 1").bind(id.as_str());
    Ok(row.fetch_optional(connection).await?.is_some())
}

/// Brings events forward that wait for something that is known now, also those that were given up, and tells how many.
pub async fn bring_forward(connection: &mut Connection, known: &[String], now: Millis) -> Result<u64, Error> {
    let mut brought = 0;
    for (portion, size) in lists(known) {
        let text = list(
            connection,
            "UPDATE inbox SET due = $1, state = 'pending', settled = NULL, note = NULL
             WHERE ((state = 'pending' AND due > $2) OR state = 'orphan')
             AND id IN (SELECT inbox_id FROM inbox_waits WHERE wanted IN ({}))",
            2,
            size,
        );
        let update = filled(portion, size).fold(query(text).bind(now).bind(now), |update, wanted| update.bind(wanted));
        brought += update.execute(&mut *connection).await?.rows_affected();
    }
    Ok(brought)
}

/// Forgets what events have waited for.
pub async fn stop_waiting(connection: &mut Connection, ids: &[InboxId]) -> Result<(), Error> {
    for (portion, size) in lists(ids) {
        let text = list(connection, "DELETE FROM inbox_waits WHERE inbox_id IN ({})", 0, size);
        let delete = filled(portion, size).fold(query(text), |delete, id| delete.bind(id.as_str()));
        delete.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Forgets what events have waited for that arrived before the one of this id: ids are in the order of time.
pub async fn stop_waiting_before(connection: &mut Connection, first: &InboxId) -> Result<(), Error> {
    query("DELETE FROM inbox_waits WHERE inbox_id < $1").bind(first.as_str()).execute(connection).await?;
    Ok(())
}
