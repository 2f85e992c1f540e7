//! Copies an SQLite database while servers write to it. The file alone is no copy: the newest commits are in the log beside it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Row, query, query_scalar};

use super::{Dialect, Store};
use crate::error::Error;
use crate::problem::{DatabaseProblem, Finding};

/// Tables whose rows are counted, and whether rows are never deleted: of those a copy has at least the rows that were counted before it
/// began. The retention job deletes rows of the others, possibly while the copy is made.
const COUNTED: [(&str, bool); 11] = [
    ("merchants", true),
    ("provider_accounts", true),
    ("links", true),
    ("orders", false),
    ("payments", false),
    ("sessions", false),
    ("attempts", true),
    ("payment_events", true),
    ("transactions", true),
    ("entries", true),
    ("inbox", false),
];
/// The most findings of a check that an error repeats.
const FINDINGS_MAX: usize = 5;

/// The content of a database: rows by table, and the sum of the debits in the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Content {
    /// Rows by table.
    pub rows: BTreeMap<&'static str, i64>,
    /// Debited minor units of all currencies together, for comparison.
    #[serde(skip)]
    posted: i64,
}

impl Store {
    /// Copies the committed state into a file, which must be empty or missing, and returns the content of the copy. Servers continue
    /// meanwhile: the copy shows the moment at which it was begun.
    ///
    /// # Errors
    /// The database is not SQLite, there is no room, or the copy is not whole.
    pub async fn copy_to(&self, file: &Path) -> Result<Content, Error> {
        if self.dialect != Dialect::Sqlite {
            return Err(DatabaseProblem::CopyNotSqlite.into());
        }
        let path = file.to_str().ok_or(DatabaseProblem::CopyName)?;
        let mut connection = sqlx::SqliteConnection::connect(&self.url).await?;
        let before = content(&mut connection).await?;
        query("VACUUM INTO $1").bind(path).execute(&mut connection).await?;
        connection.close().await?;
        verified(file, &before).await
    }
}

/// Opens a copy and checks that it is whole.
async fn verified(file: &Path, before: &Content) -> Result<Content, Error> {
    // No other process uses the copy, and no file may appear beside it.
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
    let mut copy = options.connect().await?;
    let found = query_scalar::<_, String>("PRAGMA integrity_check").fetch_all(&mut copy).await?;
    if found != ["ok"] {
        return Err(broken(found.into_iter().map(Finding::Sqlite)));
    }
    let orphans = query("PRAGMA foreign_key_check").fetch_all(&mut copy).await?;
    if !orphans.is_empty() {
        let name = |row: &sqlx::sqlite::SqliteRow| Ok::<_, Error>(Finding::Orphan(row.try_get::<String, _>(0)?));
        return Err(broken(orphans.iter().map(name).collect::<Result<Vec<_>, _>>()?));
    }
    let copied = content(&mut copy).await?;
    copy.close().await?;
    let lost = lost(before, &copied);
    if lost.is_empty() { Ok(copied) } else { Err(broken(lost)) }
}

/// Everything that a copy lacks of what was there before it began.
fn lost(before: &Content, copied: &Content) -> Vec<Finding> {
    let rows = |content: &Content, table: &str| content.rows.get(table).copied();
    let fewer = COUNTED.into_iter().filter(|(table, is_kept)| {
        let (before, copied) = (rows(before, table), rows(copied, table));
        if *is_kept { copied < before } else { copied.is_none() && before.is_some() }
    });
    let mut lost: Vec<_> = fewer.map(|(table, _)| Finding::Rows(table)).collect();
    if copied.posted < before.posted {
        lost.push(Finding::Amounts);
    }
    lost
}

fn broken(found: impl IntoIterator<Item = Finding>) -> Error {
    DatabaseProblem::CopyBroken(found.into_iter().take(FINDINGS_MAX).collect()).into()
}

async fn content(connection: &mut sqlx::SqliteConnection) -> Result<Content, Error> {
    let mut content = Content::default();
    let mut moment = connection.begin().await?;
    // A database from before an upgrade lacks tables.
    let tables = query_scalar::<_, String>("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetch_all(&mut *moment)
        .await?;
    for (table, _) in COUNTED.into_iter().filter(|(table, _)| tables.iter().any(|known| known == table)) {
        let count = format!("SELECT COUNT(*) FROM {table}");
        content.rows.insert(table, query_scalar(AssertSqlSafe(count)).fetch_one(&mut *moment).await?);
    }
    if content.rows.contains_key("entries") {
        let sum = "SELECT COALESCE(SUM(amount), 0) FROM entries WHERE amount > 0";
        content.posted = query_scalar(sum).fetch_one(&mut *moment).await?;
    }
    moment.rollback().await?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(rows: &[(&'static str, i64)], posted: i64) -> Content {
        Content { rows: rows.iter().copied().collect(), posted }
    }

    #[test]
    fn a_copy_may_lack_what_is_forgotten_meanwhile_and_nothing_else() {
        let before = content(&[("attempts", 5), ("payments", 7), ("inbox", 9)], 100);
        let forgotten = content(&[("attempts", 6), ("payments", 3), ("inbox", 0)], 100);
        assert_eq!(lost(&before, &forgotten), Vec::<Finding>::new());
        let damaged = content(&[("attempts", 4), ("payments", 7)], 99);
        assert_eq!(lost(&before, &damaged), [Finding::Rows("attempts"), Finding::Rows("inbox"), Finding::Amounts]);
    }
}
