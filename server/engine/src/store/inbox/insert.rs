//! Stores deliveries.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use domain::Millis;
use domain::id::{AttemptId, InboxId, ProviderAccountId};

use super::InboxState;
use super::waits::{Wait, insert_waits};

use crate::error::Error;
use crate::scope::Installation;
use crate::store::Connection;
use crate::store::many::{few_portions, list, values_after};
use crate::store::packs::{Pack, Place};
use crate::store::row::Columns;

/// An event about to be stored. `R` is the content that the caller has read; the store does not look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow<R = ()> {
    /// The id.
    pub id: InboxId,
    /// The account that the event arrived for.
    pub account: ProviderAccountId,
    /// The provider's id of the event.
    pub event: String,
    /// The event's bytes.
    pub body: Bytes,
    /// When it arrived.
    pub received: Millis,
    /// The provider's name of the event, if the event can concern no payment: then it is settled as it is stored.
    pub idle: Option<String>,
    /// The provider's name of the event, if the event could be read.
    pub kind: Option<String>,
    /// The content of the event, if it could be read.
    pub reading: Option<Box<R>>,
}

/// The finding about an event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The event concerns no payment and has no news to wait for.
    Idle,
    /// The event names payments that are not known here.
    Stranger(Wait),
}

/// Stores events, to be taken up when `due` if they are pending. An event in `found` is settled, or waits, as it is stored. Returns for
/// each event whether it is new: an account has an event once.
/// Rows must be in one order everywhere (account, then event), or two servers could wait for each other.
pub async fn insert<R>(
    connection: &mut Connection,
    by: &Installation,
    rows: &[&NewRow<R>],
    found: &HashMap<InboxId, Found>,
    due: Millis,
    tries: i64,
) -> Result<Vec<bool>, Error> {
    let packs = Pack::all(rows);
    let mut fresh = Vec::with_capacity(rows.len());
    let places: Vec<(&NewRow<R>, Place)> = packs.iter().flat_map(Pack::places).collect();
    for portion in few_portions(&places) {
        let text = values_after(
            connection,
            "INSERT INTO inbox (tries, id, account_id, event, received, state, kind, settled, due, claims, pack, pack_start, pack_size)
             SELECT $1, v.column1, v.column2, v.column3, v.column4, v.column5, v.column6,
                CASE WHEN v.column5 = 'ignored' THEN v.column4 END, v.column7, v.column8, v.column9, v.column10, v.column11
             FROM (VALUES {}) AS v WHERE TRUE ON CONFLICT (account_id, event) DO NOTHING",
            1,
            portion.len(),
            11,
        );
        let mut insert = by.query(text).bind(tries);
        for (row, place) in portion {
            let stored = Stored::of(row, found.get(&row.id), due);
            insert = insert
                .bind(row.id.as_str())
                .bind(row.account.as_str())
                .bind(&row.event)
                .bind(row.received)
                .bind(stored.state.as_str())
                .bind(stored.kind)
                .bind(stored.due)
                .bind(stored.claims)
                .bind(&place.pack)
                .bind(place.start)
                .bind(place.size);
        }
        let stored = insert.execute(&mut *connection).await?.rows_affected();
        if usize::try_from(stored).is_ok_and(|stored| stored == portion.len()) {
            fresh.extend(portion.iter().map(|_| true));
        } else {
            let known = known(connection, by, portion).await?;
            fresh.extend(portion.iter().map(|(row, _)| known.contains(row.id.as_str())));
        }
    }
    let mut rest = &fresh[..];
    for pack in packs {
        let (of_pack, others) = rest.split_at(pack.rows().len());
        rest = others;
        if of_pack.contains(&true) {
            pack.insert(connection, by, of_pack).await?;
        }
    }
    let new = rows.iter().zip(&fresh).filter(|(_, fresh)| **fresh).map(|(row, _)| &row.id);
    let waits = new.filter_map(|id| match found.get(id)? {
        Found::Stranger(wait) => Some((id, wait)),
        Found::Idle => None,
    });
    insert_waits(connection, by, waits).await?;
    Ok(fresh)
}

/// The columns of a new row besides the event itself.
struct Stored<'r> {
    state: InboxState,
    kind: Option<&'r str>,
    due: Millis,
    claims: Option<&'r str>,
}

impl<'r> Stored<'r> {
    fn of<R>(row: &'r NewRow<R>, found: Option<&'r Found>, due: Millis) -> Stored<'r> {
        let read = row.kind.as_deref();
        let settled = |kind| Stored { state: InboxState::Ignored, kind, due, claims: None };
        match (&row.idle, found) {
            (Some(kind), _) => settled(Some(kind.as_str())),
            (None, Some(Found::Idle)) => settled(read),
            (None, Some(Found::Stranger(wait))) => Stored {
                state: InboxState::Waiting,
                kind: read,
                due: wait.until,
                claims: wait.claims.as_ref().map(AttemptId::as_str),
            },
            (None, None) => Stored { state: InboxState::Pending, kind: None, due, claims: None },
        }
    }
}

/// The ids of the rows that are stored.
async fn known<R>(
    connection: &mut Connection,
    by: &Installation,
    rows: &[(&NewRow<R>, Place)],
) -> Result<HashSet<String>, Error> {
    let text = list(connection, "SELECT id FROM inbox WHERE id IN ({})", 0, rows.len());
    let select = rows.iter().fold(by.query(text), |select, (row, _)| select.bind(row.id.as_str()));
    select.fetch_all(connection).await?.iter().map(|row| row.text("id")).collect()
}
