//! Words for the errors of a database, with the remedy.

use engine::problem::{BodyProblem, Damage, DatabaseProblem, Finding};
use engine::{Cause, Trouble};

/// An error of the database. Where its code says what to do, so do the words.
pub(super) fn trouble(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Unreachable(reason) => format!("it cannot be reached: {reason}"),
        Trouble::NoConnection => {
            "no connection became free within 5 seconds: the database does not answer, or it is overloaded".to_owned()
        }
        Trouble::Refused { message, cause: Some(cause), .. } => format!("{message}; {}", remedy(*cause)),
        Trouble::Refused { message, code, cause: None } => format!("{message} (code {code})"),
        Trouble::Other(words) => words.clone(),
    }
}

pub(super) fn migration(step: Option<i64>, found: &Trouble) -> String {
    match step {
        Some(step) => format!("migrating the database: step {step}: {}", trouble(found)),
        None => format!("migrating the database: {}", trouble(found)),
    }
}

pub(super) fn problem(problem: &DatabaseProblem) -> String {
    match problem {
        DatabaseProblem::Address => {
            "TILL_DATABASE_URL must start with sqlite:// or postgres://, for example sqlite://data/till.db".to_owned()
        }
        DatabaseProblem::Silent { seconds } => format!("it has not answered within {seconds} seconds"),
        DatabaseProblem::Encoding(encoding) => format!(
            "its encoding is {encoding}, which cannot hold every character, or holds bytes that are none; make another one with \
             createdb --encoding UTF8 --template template0 NAME, and name that"
        ),
        DatabaseProblem::CopyNotSqlite => "only an SQLite database is copied by till".to_owned(),
        DatabaseProblem::CopyName => "the file's name must be UTF-8".to_owned(),
        DatabaseProblem::CopyBroken(findings) => {
            let findings = findings.iter().map(finding).collect::<Vec<_>>().join("; ");
            format!("the copy is not whole, so it was not kept; the database itself may be damaged: {findings}")
        }
    }
}

fn finding(finding: &Finding) -> String {
    match finding {
        Finding::Sqlite(words) => words.clone(),
        Finding::Orphan(table) => format!("a row of {table} belongs to nothing"),
        Finding::Rows(table) => format!("rows of {table} are missing"),
        Finding::Amounts => "amounts of the ledger are missing".to_owned(),
    }
}

/// A delivery whose bytes cannot be read.
#[must_use]
pub fn body(problem: &BodyProblem) -> String {
    let damage = match &problem.damage {
        Damage::Gone => "is gone".to_owned(),
        Damage::TooShort => "is too short".to_owned(),
        Damage::Shorter => "is shorter than it was".to_owned(),
        Damage::Size(bytes) => format!("claims to hold {bytes} bytes"),
        Damage::Unreadable(why) => format!("is damaged: {why}"),
    };
    format!("its bytes cannot be read: pack {} {damage}", problem.pack)
}

fn remedy(cause: Cause) -> &'static str {
    match cause {
        Cause::ReadOnlyFile => {
            "the database file may not be written: give this user the right to write it and the directory it is in"
        }
        Cause::DiskFails => "look at the disk with the database, and at the system's log",
        Cause::DiskFull => "the disk with the database is full: make room on it",
        Cause::CannotOpen => {
            "SQLite keeps files beside the database: this user needs the right to write the directory it is in"
        }
        Cause::NoRightOnSchema => {
            "the role in TILL_DATABASE_URL must be able to make tables: GRANT USAGE, CREATE ON SCHEMA public TO the role, or let \
             the role own the database"
        }
        Cause::NoRightOnTables => {
            "the role in TILL_DATABASE_URL needs GRANT USAGE ON SCHEMA public and GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES \
             IN SCHEMA public; `till migrate` is for the role that owns the tables, and others run `till serve --no-migrate`"
        }
        Cause::NoDatabase => {
            "check the name in TILL_DATABASE_URL, or make it: createdb --encoding UTF8 --template template0 NAME"
        }
        Cause::NoLogin => "check the user name and password in TILL_DATABASE_URL, and PostgreSQL's pg_hba.conf",
        Cause::TooManyConnections => "raise max_connections of PostgreSQL, or let fewer programs use it",
        Cause::ServerDiskFull => "make room on PostgreSQL's disk",
        Cause::Starting => "PostgreSQL is starting or stopping: try again when it is ready",
        Cause::Replica => "this PostgreSQL only reads: TILL_DATABASE_URL must name the primary, not a replica",
    }
}
