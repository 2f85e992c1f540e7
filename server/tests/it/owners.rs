//! Databases of other programs, and databases that other processes work on: their owner is found without changing them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{AnyConnection, Connection, Executor};

use crate::cli::Shell;
use crate::files::{mode, on, refusal};
use crate::world::Database;

/// Every file of a directory with its content and mode.
fn content(directory: &Path) -> Vec<(std::ffi::OsString, u32, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let mut found: Vec<_> =
        entries.map(|entry| (entry.file_name(), mode(&entry.path()), fs::read(entry.path()).unwrap())).collect();
    found.sort();
    found
}

/// Words of the error about another program's database.
const FOREIGN: &str = "another program";
/// Commands of every kind.
const ALL_WAYS: [&[&str]; 6] = [
    &["migrate"],
    &["serve"],
    &["serve", "--no-migrate"],
    &["merchant", "list"],
    &["ledger", "check"],
    &["backup", "copy.db"],
];

#[tokio::test(flavor = "multi_thread")]
async fn another_programs_database_is_left_as_it_is() {
    sqlx::any::install_default_drivers();
    for (journal, tables) in [
        ("DELETE", "CREATE TABLE users (id INTEGER); INSERT INTO users VALUES (1);"),
        ("DELETE", "CREATE TABLE merchants (id INTEGER);"),
        ("DELETE", "CREATE TABLE _sqlx_migrations (version BIGINT); INSERT INTO _sqlx_migrations VALUES (1);"),
        ("WAL", "CREATE TABLE users (id INTEGER); CREATE TABLE _sqlx_migrations (version BIGINT);"),
    ] {
        let till = Shell::new();
        let original = till.0.path().join("original.db");
        let url = format!("sqlite://{}?mode=rwc", original.display());
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        let text = format!("PRAGMA journal_mode = {journal}; PRAGMA wal_autocheckpoint = 0; {tables}");
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(text))).await.unwrap();
        // The file is as a killed program leaves it: in WAL mode the log holds everything.
        let place = till.0.path().join("place");
        fs::create_dir(&place).unwrap();
        let file = place.join("till.db");
        fs::copy(&original, &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        if journal == "WAL" {
            fs::copy(till.0.path().join("original.db-wal"), place.join("till.db-wal")).unwrap();
        }
        let before = content(&place);
        for command in ALL_WAYS {
            let text = refusal(&till, &file, command);
            assert!(text.contains(FOREIGN) && text.contains("TILL_DATABASE_URL"), "{tables} {command:?}: {text}");
            assert!(content(&place) == before, "{tables} {command:?} changes what is there");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_programs_database_is_left_as_it_is_on_postgres() {
    sqlx::any::install_default_drivers();
    let database = Database::postgres().await;
    let mut connection = AnyConnection::connect(&database.url).await.unwrap();
    connection.execute("CREATE TABLE users (id BIGINT)").await.unwrap();
    for command in [&["migrate"][..], &["serve"], &["serve", "--no-migrate"], &["merchant", "list"]] {
        let (ok, text) = on(&database, command);
        assert!(!ok && text.contains(FOREIGN) && text.contains("TILL_DATABASE_URL"), "{command:?}: {text}");
    }
    let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(sqlx::query_scalar::<_, i64>(tables).fetch_one(&mut connection).await.unwrap(), 1);
    connection.execute("DROP TABLE users").await.unwrap();
    // An empty database belongs to no program. A table added to Till's own is the operator's choice.
    for (command, then) in [(&["migrate"][..], "CREATE TABLE users (id BIGINT)"), (&["merchant", "list"], "SELECT 1")] {
        let (ok, text) = on(&database, command);
        assert!(ok, "{command:?}: {text}");
        connection.execute(then).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_holds_everything_is_read() {
    sqlx::any::install_default_drivers();
    let till = Shell::new();
    let url = format!("sqlite://{}?mode=rwc", till.0.path().join("till.db").display());
    let mut open = AnyConnection::connect(&url).await.unwrap();
    open.execute("PRAGMA journal_mode = WAL").await.unwrap();
    // While a reader sees the earlier state, the log is not moved into the file.
    open.execute("BEGIN").await.unwrap();
    sqlx::query("SELECT name FROM sqlite_master").fetch_all(&mut open).await.unwrap();
    till.json(&["migrate"]);
    let other = Shell::new();
    for end in ["", "-wal"] {
        fs::copy(till.0.path().join(format!("till.db{end}")), other.0.path().join(format!("till.db{end}"))).unwrap();
    }
    drop(open);
    assert!(fs::metadata(other.0.path().join("till.db")).unwrap().len() <= 4_096, "the tables are in the log");
    other.json(&["merchant", "list"]);
}

/// A server that starts, works and ends makes the log, moves it into the database and removes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_others_work_on_is_read() {
    sqlx::any::install_default_drivers();
    let till = Shell::new();
    till.json(&["migrate"]);
    let file = till.0.path().join("till.db");
    let url = format!("sqlite://{}", file.display());
    let is_over = Arc::new(AtomicBool::new(false));
    // The list of tables fills many pages, which are moved one by one.
    let tables = |what: &str| (0..200).map(|number| what.replace('#', &number.to_string())).collect::<String>();
    let made = tables("CREATE TABLE IF NOT EXISTS more_# (some_column TEXT, another_column TEXT);");
    let unmade = tables("DROP TABLE IF EXISTS more_#;");
    let works = tokio::spawn({
        let (url, is_over) = (url.clone(), is_over.clone());
        async move {
            while !is_over.load(Ordering::Relaxed) {
                let mut open = AnyConnection::connect(&url).await.unwrap();
                for text in [&made, &unmade] {
                    let text = format!("BEGIN IMMEDIATE; {text} COMMIT;");
                    open.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(text))).await.unwrap();
                }
                open.close().await.unwrap();
            }
        }
    });
    let of = server::files::DatabaseFile::of(&url).unwrap().unwrap();
    for _ in 0..300 {
        of.refuse_anothers(&url).await.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    works.await.unwrap();
}
