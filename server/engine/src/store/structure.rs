//! Finds out which version of Till made the tables.

use sqlx::any::AnyRow;
use sqlx::migrate::Migrator;
use sqlx::query;

use super::row::Columns;
use super::{Connection, Dialect};
use crate::error::Error;

/// The steps (migrations) that this version knows, oldest first.
pub(super) static STEPS: Migrator = sqlx::migrate!("../../migrations");

/// How a database's structure compares with that of this version. A step is a migration, numbered as its file in `migrations/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// The structure is that of this version.
    Current,
    /// Steps of this version are missing.
    Older {
        /// The newest step that was made; zero if none was.
        found: i64,
        /// The newest step that this version knows.
        known: i64,
    },
    /// A step was made from another text than this version's step of the same number. Further differences are not known.
    Altered {
        /// The step's number.
        step: i64,
    },
    /// A later version has made a step that this version does not know. Rows that this version writes could be wrong there.
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
            Structure::Altered { step } => write!(f, "step {step} is another version's"),
            Structure::Older { found, known } | Structure::Newer { found, known } => {
                write!(f, "step {found}, this version knows {known}")
            }
        }
    }
}

/// Compares the steps that were made with the steps of this version.
pub(super) async fn of(connection: &mut Connection, dialect: Dialect) -> Result<Structure, Error> {
    let mut made = vec![];
    if !is_empty(connection, dialect).await? {
        let rows = query("SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(connection);
        let read = |row: &AnyRow| Ok::<_, Error>((row.number("version")?, row.bytes("checksum")?));
        made = rows.await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    }
    let steps: Vec<_> = STEPS.iter().map(|step| (step.version, step.checksum.to_vec())).collect();
    Ok(compare(&made, &steps))
}

/// Whether no step was ever made.
pub(super) async fn is_empty(connection: &mut Connection, dialect: Dialect) -> Result<bool, Error> {
    Ok(query(dialect.has_steps()).fetch_optional(connection).await?.is_none())
}

/// A step: its number, and the checksum of its text.
type Step = (i64, Vec<u8>);

fn compare(made: &[Step], steps: &[Step]) -> Structure {
    let newest = |steps: &[Step]| steps.iter().map(|(number, _)| *number).max().unwrap_or(0);
    let (found, known) = (newest(made), newest(steps));
    let is_in = |step: &Step, steps: &[Step]| steps.iter().any(|(number, _)| *number == step.0);
    if made.iter().any(|step| !is_in(step, steps)) {
        Structure::Newer { found, known }
    } else if let Some((step, _)) = made.iter().find(|step| !steps.contains(step)) {
        Structure::Altered { step: *step }
    } else if steps.iter().any(|step| !is_in(step, made)) {
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
        let compare = |made: &[i64], steps: &[i64]| {
            let step = |number: &i64| (*number, vec![1]);
            compare(&made.iter().map(step).collect::<Vec<_>>(), &steps.iter().map(step).collect::<Vec<_>>())
        };
        assert_eq!(compare(&[1, 2], &[1, 2]), Structure::Current);
        assert_eq!(compare(&[], &[1, 2]), Structure::Older { found: 0, known: 2 });
        assert_eq!(compare(&[1], &[1, 2]), Structure::Older { found: 1, known: 2 });
        assert_eq!(compare(&[2], &[1, 2]), Structure::Older { found: 2, known: 2 });
        assert_eq!(compare(&[1, 2, 3], &[1, 2]), Structure::Newer { found: 3, known: 2 });
        assert_eq!(compare(&[1, 3], &[1, 2]), Structure::Newer { found: 3, known: 2 });
    }
    #[test]
    fn a_step_with_another_text_is_another_versions() {
        let step = |number: i64, text: u8| (number, vec![text]);
        let ours = [step(1, 1), step(2, 1), step(3, 1)];
        assert_eq!(compare(&[step(1, 1), step(2, 9), step(3, 1)], &ours), Structure::Altered { step: 2 });
        assert_eq!(compare(&[step(1, 9)], &ours), Structure::Altered { step: 1 });
        // A later version is the better explanation.
        assert_eq!(compare(&[step(2, 9), step(4, 1)], &ours), Structure::Newer { found: 4, known: 3 });
    }
}
