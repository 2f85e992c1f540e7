//! Removes deliveries after their retention: first their bytes, much later the record that the events arrived.

use domain::id::InboxId;

use crate::error::Error;
use crate::scope::Installation;
use crate::store::Connection;

/// Removes the bytes of events that arrived before the event with this id, unless an event of the same pack is still to be applied.
/// Returns the number of removed packs, `limit` at most.
pub async fn forget_bodies(
    connection: &mut Connection,
    by: &Installation,
    first: &InboxId,
    limit: i64,
) -> Result<u64, Error> {
    let done = by.query(
        "DELETE FROM inbox_packs WHERE id IN (SELECT id FROM inbox_packs WHERE id < $1
            AND id NOT IN (SELECT pack FROM inbox WHERE state = 'pending')
            AND id NOT IN (SELECT pack FROM inbox WHERE state = 'waiting') ORDER BY id LIMIT $2)",
    );
    Ok(done.bind(first.as_str()).bind(limit).execute(connection).await?.rows_affected())
}

/// Removes the record of events that arrived before the event with this id, so that a repetition would count as new. Returns their
/// number, `limit` at most.
pub async fn forget_rows(
    connection: &mut Connection,
    by: &Installation,
    first: &InboxId,
    limit: i64,
) -> Result<u64, Error> {
    let done = by.query(
        "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE id < $1 AND state NOT IN ('pending', 'waiting')
            AND NOT EXISTS (SELECT 1 FROM inbox_waits WHERE inbox_waits.inbox_id = inbox.id AND inbox_waits.inbox_id < $1)
            ORDER BY id LIMIT $2)",
    );
    Ok(done.bind(first.as_str()).bind(limit).execute(connection).await?.rows_affected())
}
