//! Provider deliveries, stored before the reply.

use std::collections::HashSet;

use bytes::Bytes;
use connectors::Incoming;
use domain::Millis;
use domain::id::{InboxId, ProviderAccountId};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use super::Connection;
use super::dialect::Dialect;
use super::many::{few_portions, filled, list, lists, portions, values, values_after};
use super::packs::{self, Pack, Place};
use super::pages::no_such_row;
use super::row::Columns;
use super::statement::{Statement, query};
use crate::error::Error;
use crate::paging::{Listed, Page};

/// What became of a stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxState {
    /// Not looked at yet, or waiting for its payment to become known.
    Pending,
    /// Changed a payment, or said what was known already.
    Applied,
    /// Concerns no payment of ours.
    Ignored,
    /// Belongs to another account.
    Foreign,
    /// Speaks of another amount, currency or object than the payment.
    Mismatch,
    /// Its payment never became known.
    Orphan,
    /// Cannot be read.
    Unreadable,
}

impl InboxState {
    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            InboxState::Pending => "pending",
            InboxState::Applied => "applied",
            InboxState::Ignored => "ignored",
            InboxState::Foreign => "foreign",
            InboxState::Mismatch => "mismatch",
            InboxState::Orphan => "orphan",
            InboxState::Unreadable => "unreadable",
        }
    }

    /// Counts events of which this has become.
    pub(crate) fn count(self, events: u64) {
        metrics::counter!("till_inbox_settled_total", "state" => self.as_str()).increment(events);
    }
}

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// The id.
    pub id: InboxId,
    /// The account it came in for.
    pub account: ProviderAccountId,
    /// The provider's id of the event.
    pub event: String,
    /// Where its bytes are, see [`body`].
    place: Place,
    /// What became of it.
    pub state: InboxState,
    /// The provider's name of the event, once read.
    pub kind: Option<String>,
    /// Why, for a person.
    pub note: Option<String>,
    /// When it arrived.
    pub received: Millis,
}

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

/// By name: a connection that was there before a column was added would stumble over `*`.
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
pub async fn find(connection: &mut Connection, id: &InboxId) -> Result<Option<InboxRow>, Error> {
    let row = query(select!("WHERE id = $1")).bind(id.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(inbox_row).transpose()
}

/// The bytes of a stored event, or why they cannot be had.
pub async fn body(connection: &mut Connection, row: &InboxRow) -> Result<Result<Bytes, String>, Error> {
    let mut bodies = packs::read(connection, std::slice::from_ref(&row.place)).await?;
    Ok(bodies.pop().unwrap_or_else(|| Err("nothing was read".to_owned())))
}

/// An account with fewer events is quiet.
const QUIET: i64 = 2_000;

/// Whether an account has few events. They are collected and sorted then; those of another account are met soon on a walk along all
/// ids, which are in the order of time. No index serves both, because every delivery would have to be written into it.
async fn is_quiet(connection: &mut Connection, account: &ProviderAccountId) -> Result<bool, Error> {
    // In the order of the index that has them, or PostgreSQL may look through all of the table for the first ones.
    let count = query(
        "SELECT COUNT(*) AS known FROM (SELECT event FROM inbox WHERE account_id = $1 ORDER BY event LIMIT $2) AS first",
    );
    Ok(count.bind(account.as_str()).bind(QUIET).fetch_one(connection).await?.number("known")? < QUIET)
}

/// An account's events, the newest first.
pub async fn of_account(
    connection: &mut Connection,
    account: &ProviderAccountId,
    limit: i64,
) -> Result<Vec<InboxRow>, Error> {
    before(connection, account, None, limit).await
}

/// The events of a quiet account, of which `$1` is the id and `$4` is [`QUIET`].
macro_rules! few {
    () => {
        "FROM (SELECT * FROM inbox WHERE account_id = $1 ORDER BY event LIMIT $4) AS few
         WHERE id < $2 ORDER BY id DESC LIMIT $3"
    };
}

/// Those of another one. The expression keeps the planner from collecting all that the account ever had.
macro_rules! many {
    () => {
        "FROM inbox WHERE account_id || '' = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
    };
}

/// Statements about an account's events before one, for a quiet account and for another one.
const BEFORE: [&str; 2] = [concat!(columns!(), few!()), concat!(columns!(), many!())];
const COUNT_BEFORE: [&str; 2] = [
    concat!("SELECT COUNT(*) AS more FROM (SELECT id ", few!(), ") AS rest"),
    concat!("SELECT COUNT(*) AS more FROM (SELECT id ", many!(), ") AS rest"),
];

/// Longer than an id and nothing but the last letter, so that it comes after all of them in whatever order letters have.
const AFTER_ALL: &str = "in_zzzzzzzzzzzzzzzzzzzzzzzzzzz";

async fn about_account(
    connection: &mut Connection,
    [quiet, other]: [&'static str; 2],
    account: &ProviderAccountId,
    before: Option<&str>,
    limit: i64,
) -> Result<Statement, Error> {
    let is_quiet = is_quiet(connection, account).await?;
    let select = query(if is_quiet { quiet } else { other });
    let select = select.bind(account.as_str()).bind(before.unwrap_or(AFTER_ALL)).bind(limit);
    Ok(if is_quiet { select.bind(QUIET) } else { select })
}

/// An account's events before one, the newest first.
async fn before(
    connection: &mut Connection,
    account: &ProviderAccountId,
    id: Option<&str>,
    limit: i64,
) -> Result<Vec<InboxRow>, Error> {
    let select = about_account(connection, BEFORE, account, id, limit).await?;
    select.fetch_all(connection).await?.iter().map(inbox_row).collect()
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
            before(connection, account, Some(after), page.limit).await?
        }
    };
    let mut more = 0;
    if let Some(last) = rows.last().filter(|_| i64::try_from(rows.len()).is_ok_and(|rows| rows >= page.limit)) {
        let count = about_account(connection, COUNT_BEFORE, account, Some(last.id.as_str()), Page::COUNTED_MAX + 1);
        more = count.await?.fetch_one(&mut *connection).await?.number("more")?;
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
    /// When it was due again, as it was taken up.
    pub due: Millis,
}

/// Writes down what became of events that were still pending, and tells how many were: another server may have been faster.
/// An event is not given up when what it waits for has become known meanwhile: then it is due.
pub async fn settle(connection: &mut Connection, rows: &[Settled], now: Millis) -> Result<u64, Error> {
    let mut settled = 0;
    for portion in portions(rows) {
        let text = values(
            connection,
            "UPDATE inbox SET state = v.column2, kind = v.column3, note = v.column4, settled = v.column5
             FROM (VALUES {}) AS v WHERE inbox.id = v.column1 AND inbox.state = 'pending'
                AND (v.column2 <> 'orphan' OR inbox.due = v.column6)",
            portion.len(),
            6,
        );
        let mut update = query(text);
        for row in portion {
            update = update.bind(row.id.as_str()).bind(row.state.as_str()).bind(&row.kind).bind(&row.note);
            update = update.bind(now).bind(row.due);
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

fn inbox_row(row: &AnyRow) -> Result<InboxRow, Error> {
    Ok(InboxRow {
        id: row.parsed("id")?,
        account: row.parsed("account_id")?,
        event: row.text("event")?,
        place: Place::of(row)?,
        state: row.word("state")?,
        kind: row.maybe_text("kind")?,
        note: row.maybe_text("note")?,
        received: row.number("received")?,
    })
}
