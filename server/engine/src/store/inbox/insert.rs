//! Storing deliveries.

use std::collections::HashSet;

use bytes::Bytes;
use connectors::Incoming;
use domain::Millis;
use domain::id::{InboxId, ProviderAccountId};

use crate::error::Error;
use crate::store::Connection;
use crate::store::many::{few_portions, list, values_after};
use crate::store::packs::{Pack, Place};
use crate::store::row::Columns;
use crate::store::statement::query;

/// An event about to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// The id.
    pub id: InboxId,
    /// The account it came in for.
    pub account: ProviderAccountId,
    /// The provider's id of the event.
    pub event: String,
    /// The event's bytes.
    pub body: Bytes,
    /// When it arrived.
    pub received: Millis,
    /// The provider's name of the event, if it can concern no payment: then it is settled as it is stored.
    pub idle: Option<String>,
    /// What it says, if it could be read.
    pub reading: Option<Box<Incoming>>,
}

/// Stores events, to be taken up when `due` if they are pending. Tells for each whether it is new: an account has an event once.
/// Rows must be in one order everywhere (account, then event), or two servers could wait for each other.
pub async fn insert(
    connection: &mut Connection,
    rows: &[&NewRow],
    due: Millis,
    tries: i64,
) -> Result<Vec<bool>, Error> {
    let packs = Pack::all(rows);
    let mut fresh = Vec::with_capacity(rows.len());
    let places: Vec<(&NewRow, Place)> = packs.iter().flat_map(Pack::places).collect();
    for portion in few_portions(&places) {
        let text = values_after(
            connection,
            "INSERT INTO inbox (due, tries, id, account_id, event, received, state, kind, settled, pack, pack_start, pack_size)
             SELECT $1, $2, v.column1, v.column2, v.column3, v.column4,
                CASE WHEN v.column5 IS NULL THEN 'pending' ELSE 'ignored' END, v.column5,
                CASE WHEN v.column5 IS NULL THEN NULL ELSE v.column4 END, v.column6, v.column7, v.column8
             FROM (VALUES {}) AS v WHERE TRUE ON CONFLICT (account_id, event) DO NOTHING",
            2,
            portion.len(),
            8,
        );
        let mut insert = query(text).bind(due).bind(tries);
        for (row, place) in portion {
            insert = insert
                .bind(row.id.as_str())
                .bind(row.account.as_str())
                .bind(&row.event)
                .bind(row.received)
                .bind(&row.idle)
                .bind(&place.pack)
                .bind(place.start)
                .bind(place.size);
        }
        let stored = insert.execute(&mut *connection).await?.rows_affected();
        if usize::try_from(stored).is_ok_and(|stored| stored == portion.len()) {
            fresh.extend(portion.iter().map(|_| true));
        } else {
            let known = known(connection, portion).await?;
            fresh.extend(portion.iter().map(|(row, _)| known.contains(row.id.as_str())));
        }
    }
    let mut rest = &fresh[..];
    for pack in packs {
        let (of_pack, others) = rest.split_at(pack.rows().len());
        rest = others;
        if of_pack.contains(&true) {
            pack.insert(connection, of_pack).await?;
        }
    }
    Ok(fresh)
}

/// Which of the rows are stored under their own id.
async fn known(connection: &mut Connection, rows: &[(&NewRow, Place)]) -> Result<HashSet<String>, Error> {
    let text = list(connection, "SELECT id FROM inbox WHERE id IN ({})", 0, rows.len());
    let select = rows.iter().fold(query(text), |select, (row, _)| select.bind(row.id.as_str()));
    select.fetch_all(connection).await?.iter().map(|row| row.text("id")).collect()
}
