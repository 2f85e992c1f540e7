//! Finds out which program a database belongs to. A mistyped address must not put Till's tables among another program's.

use std::path::Path;

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection as _, query};

use super::row::Columns;
use super::{Connection, Dialect};
use crate::error::Error;

/// The program that made the tables of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// There are no tables yet.
    Nobody,
    /// Till, in any version.
    Till,
    /// Another program.
    Another,
}

/// Tables that every version of Till has.
const OURS: [&str; 2] = ["merchants", "provider_accounts"];
/// The table of the migrations that were run. Other programs use a table of the same name.
const STEPS: &str = "_sqlx_migrations";

/// Finds the owner by the names of the tables.
pub(super) async fn of(connection: &mut Connection, dialect: Dialect) -> Result<Owner, Error> {
    let rows = query(dialect.tables()).fetch_all(&mut *connection).await?;
    let names = rows.iter().map(|row| row.text("name")).collect::<Result<Vec<_>, _>>()?;
    let has = |name: &str| names.iter().any(|found| found == name);
    if OURS.into_iter().all(has) {
        return Ok(Owner::Till);
    }
    if names.iter().any(|name| name != STEPS) {
        return Ok(Owner::Another);
    }
    // Till's first migration makes tables. A migration that made none is another program's.
    let is_noted =
        has(STEPS) && query("SELECT 1 FROM _sqlx_migrations LIMIT 1").fetch_optional(connection).await?.is_some();
    Ok(if is_noted { Owner::Another } else { Owner::Nobody })
}

/// The owner of an SQLite file, which is not changed. `place` is the file's address without parameters. `is_still` says that the file
/// has no log and that no process has it open: then no file is made beside it (SQLite documentation, URI filenames, `immutable`).
///
/// # Errors
/// The file cannot be read, or is damaged.
pub async fn of_file(place: &str, is_still: bool) -> Result<Owner, Error> {
    look(&format!("{place}?mode=ro{}", if is_still { "&immutable=1" } else { "" })).await
}

/// The owner of a copy that may be changed, with the log beside it.
pub async fn of_copy(copy: &Path) -> Result<Owner, Error> {
    look(&format!("sqlite://{}?mode=rw", copy.display())).await
}

async fn look(url: &str) -> Result<Owner, Error> {
    install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    let owner = of(&mut connection, Dialect::Sqlite).await;
    connection.close().await?;
    owner
}
