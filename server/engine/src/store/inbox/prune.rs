//! Forgetting deliveries after their time: first their bytes, much later the events' names.

use domain::id::InboxId;

use crate::error::Error;
use crate::store::Connection;
use crate::store::statement::query;

/// Forgets bytes of events that arrived before the one of this id, unless one of the pack is still to be applied. Returns how many packs
/// were forgotten, `limit` at most.
pub async fn forget_bodies(connection: &mut Connection, first: &InboxId, limit: i64) -> Result<u64, Error> {
    let done = query(
        "DELETE FROM inbox_packs WHERE id IN (SELECT id FROM inbox_packs WHERE id < $1
            AND id NOT IN (SELECT pack FROM inbox WHERE state = 'pending')
            AND id NOT IN (SELECT pack FROM inbox WHERE state = 'waiting') ORDER BY id LIMIT $2)",
    );
    Ok(done.bind(first.as_str()).bind(limit).execute(connection).await?.rows_affected())
}

/// Forgets that events arrived before the one of this id, so that a repetition would be new. Returns how many, `limit` at most.
pub async fn forget_rows(connection: &mut Connection, first: &InboxId, limit: i64) -> Result<u64, Error> {
    let done = query(
        "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE id < $1 AND state NOT IN ('pending', 'waiting')
            AND NOT EXISTS (SELECT 1 FROM inbox_waits WHERE inbox_waits.inbox_id = inbox.id AND inbox_waits.inbox_id < $1)
            ORDER BY id LIMIT $2)",
    );
    Ok(done.bind(first.as_str()).bind(limit).execute(connection).await?.rows_affected())
}
