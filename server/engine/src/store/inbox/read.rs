//! Reading stored deliveries, for people.

use bytes::Bytes;
use domain::id::{InboxId, ProviderAccountId};

use super::{InboxRow, inbox_row};
use crate::error::Error;
use crate::paging::{Listed, Page};
use crate::store::Connection;
use crate::store::packs;
use crate::store::pages::no_such_row;
use crate::store::row::Columns;
use crate::store::statement::query;

/// By name: a connection that was there before a column was added would stumble over `*`.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, account_id, event, state, kind, note, received, pack, pack_start, pack_size FROM inbox ",
            $which
        )
    };
}

/// A stored event by id.
pub async fn find(connection: &mut Connection, id: &InboxId) -> Result<Option<InboxRow>, Error> {
    let row = query(select!("WHERE id = $1")).bind(id.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(inbox_row).transpose()
}

/// The bytes of a stored event, or why they cannot be had.
pub async fn body(connection: &mut Connection, row: &InboxRow) -> Result<Result<Bytes, String>, Error> {
    let mut bodies = packs::read(connection, std::slice::from_ref(&row.place)).await?;
    Ok(bodies.pop().unwrap_or_else(|| Err("nothing was read".to_owned())))
}

/// An account's events, the newest first. Ids are in the order of time, and the expression makes the planner walk along them
/// instead of collecting and sorting all the account ever had. The price: for an account with few it walks through all.
pub async fn of_account(
    connection: &mut Connection,
    account: &ProviderAccountId,
    limit: i64,
) -> Result<Vec<InboxRow>, Error> {
    let rows = query(select!("WHERE account_id || '' = $1 ORDER BY id DESC LIMIT $2"))
        .bind(account.as_str())
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(inbox_row).collect()
}

/// A part of the same list.
pub async fn page_of_account(
    connection: &mut Connection,
    account: &ProviderAccountId,
    page: &Page,
) -> Result<Listed<InboxRow>, Error> {
    let rows = match &page.after {
        None => of_account(connection, account, page.limit).await?,
        Some(after) => {
            let found =
                query("SELECT id FROM inbox WHERE id = $1 AND account_id = $2").bind(after).bind(account.as_str());
            found.fetch_optional(&mut *connection).await?.ok_or_else(|| no_such_row(after))?;
            let rows = query(select!("WHERE account_id || '' = $1 AND id < $2 ORDER BY id DESC LIMIT $3"));
            let rows = rows.bind(account.as_str()).bind(after).bind(page.limit).fetch_all(&mut *connection).await?;
            rows.iter().map(inbox_row).collect::<Result<_, _>>()?
        }
    };
    let mut more = 0;
    if let Some(last) = rows.last().filter(|_| i64::try_from(rows.len()).is_ok_and(|rows| rows >= page.limit)) {
        let count = query(
            "SELECT COUNT(*) AS more FROM (SELECT id FROM inbox WHERE account_id || '' = $1 AND id < $2
             ORDER BY id DESC LIMIT $3) AS rest",
        );
        let count = count.bind(account.as_str()).bind(last.id.as_str()).bind(Page::COUNTED_MAX + 1);
        more = count.fetch_one(&mut *connection).await?.number("more")?;
    }
    Ok(Listed { rows, more })
}

/// What an account has stored of an event: one row, or none.
pub async fn of_event(
    connection: &mut Connection,
    account: &ProviderAccountId,
    event: &str,
) -> Result<Vec<InboxRow>, Error> {
    let rows = query(select!("WHERE account_id = $1 AND event = $2"))
        .bind(account.as_str())
        .bind(event)
        .fetch_all(connection)
        .await?;
    rows.iter().map(inbox_row).collect()
}
