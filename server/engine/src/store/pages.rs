//! Lists in pages. Each page begins after the last row of the page before, so that no row is skipped or shown twice when rows are added
//! meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::Connection;
use super::row::Columns;
use super::statement::{Reach, Statement};
use crate::error::{Error, Thing};
use crate::paging::{Listed, Page};

/// The table, the condition, and the purpose of the statement.
type Key = (&'static str, &'static str, Does);
/// The texts in use. They are few, because lists are constants.
static TEXTS: LazyLock<Mutex<HashMap<Key, Arc<str>>>> = LazyLock::new(Mutex::default);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Does {
    Find,
    Read,
    Count,
}

/// The condition that selects the rows of a scope.
pub(super) const OF_SCOPE: &str = "merchant_id = $1 AND live = $2";

/// A list of the rows of a table that belong to an owner, in the order in which they were made. Rows made at one moment are in the order
/// of their ids.
pub(super) struct List {
    /// The table.
    pub table: &'static str,
    /// The condition that selects the rows: [`OF_SCOPE`], alone or with further conditions, or `TRUE` for an installation's list.
    pub whose: &'static str,
    /// Whether the newest come first.
    pub newest_first: bool,
}

impl List {
    /// A page of the list.
    pub async fn page<T>(
        &self,
        connection: &mut Connection,
        by: &impl Reach,
        page: &Page,
        read: impl Fn(&AnyRow) -> Result<T, Error>,
    ) -> Result<Listed<T>, Error> {
        let mut from = (if self.newest_first { i64::MAX } else { i64::MIN }, String::new());
        if let Some(after) = &page.after {
            let found = self.begin(by, Does::Find).bind(after).fetch_optional(&mut *connection).await?;
            from = (found.ok_or_else(|| no_such_row(after))?.number("created")?, after.clone());
        }
        let rows = self.beyond(by, Does::Read, &from, page.limit).fetch_all(&mut *connection).await?;
        let mut more = 0;
        if let Some(last) = rows.last().filter(|_| is_full(&rows, page)) {
            let last = (last.number("created")?, last.text("id")?);
            let count = self.beyond(by, Does::Count, &last, Page::COUNTED_MAX + 1);
            more = count.fetch_one(&mut *connection).await?.number("more")?;
        }
        Ok(Listed { rows: rows.iter().map(read).collect::<Result<_, _>>()?, more })
    }

    fn begin(&self, by: &impl Reach, does: Does) -> Statement {
        let text = self.text(does);
        by.either(AssertSqlSafe(Arc::clone(&text)), AssertSqlSafe(text))
    }

    fn beyond(&self, by: &impl Reach, does: Does, (created, id): &(i64, String), limit: i64) -> Statement {
        self.begin(by, does).bind(*created).bind(id.as_str()).bind(limit)
    }

    fn text(&self, does: Does) -> Arc<str> {
        let List { table, whose, newest_first } = self;
        // The condition's own parameters come first.
        let [first, second, third] = if whose.starts_with(OF_SCOPE) { ["$3", "$4", "$5"] } else { ["$1", "$2", "$3"] };
        let (than, direction) = if *newest_first { ("<", "DESC") } else { (">", "ASC") };
        // The first comparison finds the place in an index of owner, `created` and `id`. The others only filter the rows found there.
        let beyond = format!(
            "FROM {table} WHERE {whose} AND created {than}= {first} AND (created {than} {first} OR id > {second})
             ORDER BY created {direction}, id LIMIT {third}"
        );
        let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        let text = texts.entry((self.table, self.whose, does)).or_insert_with(|| match does {
            Does::Find => format!("SELECT created FROM {table} WHERE {whose} AND id = {first}").into(),
            Does::Read => format!("SELECT * {beyond}").into(),
            Does::Count => format!("SELECT COUNT(*) AS more FROM (SELECT id {beyond}) AS rest").into(),
        });
        Arc::clone(text)
    }
}

/// Whether there may be rows beyond a page.
pub(super) fn is_full(rows: &[AnyRow], page: &Page) -> bool {
    i64::try_from(rows.len()).is_ok_and(|rows| rows >= page.limit)
}

/// The error for a row after which a page cannot begin.
pub(super) fn no_such_row(after: &str) -> Error {
    Error::NotFound(Thing::Row(after.to_owned()))
}
