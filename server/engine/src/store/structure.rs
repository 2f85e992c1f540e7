//! Which version of Till the tables were made by.

use sqlx::migrate::Migrator;
use sqlx::query;

use super::row::Columns;
use super::{Connection, Dialect};
use crate::error::Error;

/// The steps that this version knows, oldest first.
pub(super) static STEPS: Migrator = sqlx::migrate!("../../migrations");

/// How a database's structure compares with that of this version. Steps are the numbers of the files in `migrations/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// It is that of this version.
    Current,
    /// Steps of this version are missing.
    Older {
        /// The newest step that was made; zero if none was.
        found: i64,
        /// The newest step that this version knows.
        known: i64,
    },
    /// A later version has made a step that this one does not know. What this one writes could be wrong there.
    Newer {
        /// The newest step that was made.
        found: i64,
        /// The newest step that this version knows.
        known: i64,
    },
}

impl std::fmt::Display for Structure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Structure::Current => write!(f, "current"),
            Structure::Older { found, known } | Structure::Newer { found, known } => {
                write!(f, "step {found}, this version knows {known}")
            }
        }
    }
}

/// Reads it off.
pub(super) async fn of(connection: &mut Connection, dialect: Dialect) -> Result<Structure, Error> {
    let mut made = vec![];
    if !is_empty(connection, dialect).await? {
        let rows =
            query("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version").fetch_all(connection).await?;
        made = rows.iter().map(|row| row.number("version")).collect::<Result<Vec<i64>, _>>()?;
    }
    let steps: Vec<i64> = STEPS.iter().map(|step| step.version).collect();
    Ok(compare(&made, &steps))
}

/// Whether no step was ever made.
pub(super) async fn is_empty(connection: &mut Connection, dialect: Dialect) -> Result<bool, Error> {
    Ok(query(dialect.has_steps()).fetch_optional(connection).await?.is_none())
}

fn compare(made: &[i64], steps: &[i64]) -> Structure {
    let (found, known) = (made.iter().max().copied().unwrap_or(0), steps.iter().max().copied().unwrap_or(0));
    if made.iter().any(|step| !steps.contains(step)) {
        Structure::Newer { found, known }
    } else if steps.iter().any(|step| !made.contains(step)) {
        Structure::Older { found, known }
    } else {
        Structure::Current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_is_not_known_is_of_a_later_version() {
        assert_eq!(compare(&[1, 2], &[1, 2]), Structure::Current);
        assert_eq!(compare(&[], &[1, 2]), Structure::Older { found: 0, known: 2 });
        assert_eq!(compare(&[1], &[1, 2]), Structure::Older { found: 1, known: 2 });
        assert_eq!(compare(&[2], &[1, 2]), Structure::Older { found: 2, known: 2 });
        assert_eq!(compare(&[1, 2, 3], &[1, 2]), Structure::Newer { found: 3, known: 2 });
        assert_eq!(compare(&[1, 3], &[1, 2]), Structure::Newer { found: 3, known: 2 });
    }
}
