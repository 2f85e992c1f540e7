//! Reads stored deliveries for people.

use bytes::Bytes;
use domain::id::{InboxId, ProviderAccountId};

use super::{InboxRow, inbox_row};
use crate::error::Error;
use crate::paging::{Listed, Page};
use crate::problem::{BodyProblem, Damage};
use crate::scope::Installation;
use crate::store::Connection;
use crate::store::packs;
use crate::store::pages::no_such_row;
use crate::store::row::Columns;
use crate::store::statement::Statement;

/// The columns are named: a connection that is older than an added column would fail on `*`.
macro_rules! columns {
    () => {
        "SELECT id, account_id, event, state, kind, note, received, pack, pack_start, pack_size "
    };
}

macro_rules! select {
    ($which:literal) => {
        concat!(columns!(), "FROM inbox ", $which)
    };
}

/// A stored event by id.
pub async fn find(connection: &mut Connection, by: &Installation, id: &InboxId) -> Result<Option<InboxRow>, Error> {
    let row = by.query(select!("WHERE id = $1")).bind(id.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(inbox_row).transpose()
}

/// The bytes of a stored event, or why they cannot be read.
pub async fn body(
    connection: &mut Connection,
    by: &Installation,
    row: &InboxRow,
) -> Result<Result<Bytes, BodyProblem>, Error> {
    let mut bodies = packs::read(connection, by, std::slice::from_ref(&row.place)).await?;
    Ok(bodies.pop().unwrap_or_else(|| Err(BodyProblem { pack: row.place.pack.clone(), damage: Damage::Gone })))
}

/// An account with fewer events is quiet.
const QUIET: i64 = 2_000;

/// Whether an account has few events. Few events are collected and sorted. The events of any other account are met soon on a walk along
/// all ids, which are in the order of time. No index serves both, because every delivery would have to be written into it.
async fn is_quiet(connection: &mut Connection, by: &Installation, account: &ProviderAccountId) -> Result<bool, Error> {
    // Sorted in the order of the index on events. Otherwise PostgreSQL may look through the whole table for the first ones.
    let count = by.query(
        "SELECT COUNT(*) AS known FROM (SELECT event FROM inbox WHERE account_id = $1 ORDER BY event LIMIT $2) AS first",
    );
    Ok(count.bind(account.as_str()).bind(QUIET).fetch_one(connection).await?.number("known")? < QUIET)
}

/// An account's events, the newest first.
pub async fn of_account(
    connection: &mut Connection,
    by: &Installation,
    account: &ProviderAccountId,
    limit: i64,
) -> Result<Vec<InboxRow>, Error> {
    before(connection, by, account, None, limit).await
}

/// The events of a quiet account. `$1` is the account's id and `$4` is [`QUIET`].
macro_rules! few {
    () => {
        "FROM (SELECT * FROM inbox WHERE account_id = $1 ORDER BY event LIMIT $4) AS few
         WHERE id < $2 ORDER BY id DESC LIMIT $3"
    };
}

/// The events of an account that is not quiet. The expression keeps the planner from collecting all events that the account ever had.
macro_rules! many {
    () => {
        "FROM inbox WHERE account_id || '' = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
    };
}

/// Statements about an account's events before a given one, for a quiet account and for any other.
const BEFORE: [&str; 2] = [concat!(columns!(), few!()), concat!(columns!(), many!())];
const COUNT_BEFORE: [&str; 2] = [
    concat!("SELECT COUNT(*) AS more FROM (SELECT id ", few!(), ") AS rest"),
    concat!("SELECT COUNT(*) AS more FROM (SELECT id ", many!(), ") AS rest"),
];

/// Longer than an id and made of the last letter alone, so that it comes after all ids in any order of letters.
const AFTER_ALL: &str = "in_zzzzzzzzzzzzzzzzzzzzzzzzzzz";

async fn about_account(
    connection: &mut Connection,
    by: &Installation,
    [quiet, other]: [&'static str; 2],
    account: &ProviderAccountId,
    before: Option<&str>,
    limit: i64,
) -> Result<Statement, Error> {
    let is_quiet = is_quiet(connection, by, account).await?;
    let select = by.query(if is_quiet { quiet } else { other });
    let select = select.bind(account.as_str()).bind(before.unwrap_or(AFTER_ALL)).bind(limit);
    Ok(if is_quiet { select.bind(QUIET) } else { select })
}

/// An account's events before a given one, the newest first.
async fn before(
    connection: &mut Connection,
    by: &Installation,
    account: &ProviderAccountId,
    id: Option<&str>,
    limit: i64,
) -> Result<Vec<InboxRow>, Error> {
    let select = about_account(connection, by, BEFORE, account, id, limit).await?;
    select.fetch_all(connection).await?.iter().map(inbox_row).collect()
}

/// A page of an account's events, the newest first.
pub async fn page_of_account(
    connection: &mut Connection,
    by: &Installation,
    account: &ProviderAccountId,
    page: &Page,
) -> Result<Listed<InboxRow>, Error> {
    let rows = match &page.after {
        None => of_account(connection, by, account, page.limit).await?,
        Some(after) => {
            let found =
                by.query("SELECT id FROM inbox WHERE id = $1 AND account_id = $2").bind(after).bind(account.as_str());
            found.fetch_optional(&mut *connection).await?.ok_or_else(|| no_such_row(after))?;
            before(connection, by, account, Some(after), page.limit).await?
        }
    };
    let mut more = 0;
    if let Some(last) = rows.last().filter(|_| i64::try_from(rows.len()).is_ok_and(|rows| rows >= page.limit)) {
        let count = about_account(connection, by, COUNT_BEFORE, account, Some(last.id.as_str()), Page::COUNTED_MAX + 1);
        more = count.await?.fetch_one(&mut *connection).await?.number("more")?;
    }
    Ok(Listed { rows, more })
}

/// The stored events of an account with the provider's id: one row, or none.
pub async fn of_event(
    connection: &mut Connection,
    by: &Installation,
    account: &ProviderAccountId,
    event: &str,
) -> Result<Vec<InboxRow>, Error> {
    let rows = by
        .query(select!("WHERE account_id = $1 AND event = $2"))
        .bind(account.as_str())
        .bind(event)
        .fetch_all(connection)
        .await?;
    rows.iter().map(inbox_row).collect()
}
