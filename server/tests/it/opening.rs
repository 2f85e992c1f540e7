//! Databases that cannot be opened or written: the error names the cause, and what to do about it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sqlx::{AnyConnection, Connection, Executor};
use url::Url;

use crate::cli::Shell;
use crate::files::on;
use crate::world::{Database, random_hex};

/// Commands of every kind.
const ALL_WAYS: [&[&str]; 4] = [&["migrate"], &["serve"], &["serve", "--no-migrate"], &["merchant", "list"]];

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_hold_every_character_is_refused() {
    sqlx::any::install_default_drivers();
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let options = format!("ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
        let database = Database::postgres_with(&options).await;
        for command in ALL_WAYS {
            let (ok, text) = on(&database, command);
            assert!(!ok && text.contains(encoding), "{command:?}: {text}");
            assert!(text.contains("createdb --encoding UTF8 --template template0"), "{command:?}: {text}");
        }
        let mut connection = AnyConnection::connect(&database.url).await.unwrap();
        let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
        assert_eq!(sqlx::query_scalar::<_, i64>(tables).fetch_one(&mut connection).await.unwrap(), 0);
    }
}

/// An address with another part.
fn changed(url: &str, change: impl FnOnce(&mut Url)) -> Database {
    let mut changed = Url::parse(url).unwrap();
    change(&mut changed);
    Database::at(changed.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn why_postgres_cannot_be_opened_is_said() {
    let database = Database::postgres().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("nobody_{}", random_hex());
    let cases = [
        (Database::at(&format!("postgres://till@{closed}/x")), vec!["refused", closed.to_string().leak()]),
        (changed(&database.url, |url| url.set_path("/nothere")), vec!["\"nothere\" does not exist", "createdb"]),
        (changed(&database.url, |url| url.set_username(&nobody).unwrap()), vec!["user name and password"]),
    ];
    for (database, words) in &cases {
        for command in ALL_WAYS {
            let (ok, text) = on(database, command);
            assert!(!ok && words.iter().all(|word| text.contains(word)), "{words:?} {command:?}: {text}");
            assert!(!text.contains("pool") && !text.contains("at line"), "{command:?}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_a_role_lacks_are_named() {
    sqlx::any::install_default_drivers();
    let database = Database::postgres().await;
    let mut owner = AnyConnection::connect(&database.url).await.unwrap();
    let role = format!("low_{}", random_hex());
    let make = format!("CREATE ROLE {role} LOGIN PASSWORD 'x'; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    owner.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(make))).await.unwrap();
    let low = changed(&database.url, |url| {
        url.set_username(&role).unwrap();
        url.set_password(Some("x")).unwrap();
    });
    let says = |command: &[&str], words: &[&str]| {
        let (ok, text) = on(&low, command);
        assert!(!ok && words.iter().all(|word| text.contains(word)), "{command:?}: {text}");
        assert!(!text.contains("at line"), "{command:?}: {text}");
    };
    says(&["migrate"], &["permission denied for schema public", "GRANT USAGE, CREATE ON SCHEMA"]);
    assert!(on(&database, &["migrate"]).0);
    says(&["merchant", "list"], &["permission denied for table", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES"]);
    let grant = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}");
    owner.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(grant))).await.unwrap();
    let (ok, text) = on(&low, &["merchant", "add", "Tea"]);
    assert!(ok, "these rights are enough: {text}");
}

#[test]
fn an_address_of_no_known_database_is_not_called_postgres() {
    for url in ["", "mysql://x", "till.db", "/var/lib/till/till.db"] {
        for command in ALL_WAYS {
            let (ok, text) = on(&Database::at(url), command);
            assert!(!ok && text.contains("TILL_DATABASE_URL must start with sqlite:// or postgres://"), "{text}");
            assert!(!text.contains("cannot open"), "{text}");
        }
    }
}

/// The program on an SQLite file, bound by the rights of files also where tests run as root.
fn bound(file: &Path, arguments: &[&str]) -> Command {
    let till = Shell::new().command(arguments);
    let probe = tempfile::tempdir().unwrap();
    fs::set_permissions(probe.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = if fs::write(probe.path().join("x"), "").is_ok() {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-all", "--inh-caps=-all"]).arg(till.get_program());
        command
    } else {
        Command::new(till.get_program())
    };
    command.args(arguments).env_clear().env("PATH", std::env::var("PATH").unwrap_or_default());
    command.env("TILL_DATABASE_URL", format!("sqlite://{}", file.display()));
    command.env("TILL_BIND", "127.0.0.1:0").env("TILL_OPS_BIND", "127.0.0.1:0");
    command
}

fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{command:?}: {text}");
    text
}

/// A database and its log, as they are copied while a server works, and a backup; each in a directory of its own.
async fn kept(till: &Shell) -> [PathBuf; 2] {
    sqlx::any::install_default_drivers();
    till.json(&["migrate"]);
    // As long as it is open in another process, its log stays.
    let url = format!("sqlite://{}", till.0.path().join("till.db").display());
    let mut open = AnyConnection::connect(&url).await.unwrap();
    open.execute("SELECT COUNT(*) FROM merchants").await.unwrap();
    till.json(&["merchant", "add", "Tea"]);
    let [left, backup] = ["left", "backup"].map(|name| till.0.path().join(name));
    for directory in [&left, &backup] {
        fs::create_dir(directory).unwrap();
        fs::copy(till.0.path().join("master.key"), directory.join("master.key")).unwrap();
    }
    for end in ["", "-wal"] {
        fs::copy(till.0.path().join(format!("till.db{end}")), left.join(format!("till.db{end}"))).unwrap();
    }
    till.json(&["backup", backup.join("till.db").to_str().unwrap()]);
    open.close().await.unwrap();
    [left.join("till.db"), backup.join("till.db")]
}

#[tokio::test]
async fn a_directory_that_may_not_be_written_is_named() {
    let till = Shell::new();
    for file in kept(&till).await {
        let directory = file.parent().unwrap();
        fs::set_permissions(directory, fs::Permissions::from_mode(0o555)).unwrap();
        let copy = till.0.path().join("copy.db");
        let reading: &[&[&str]] = &[&["ledger", "check"], &["merchant", "list"]];
        let reading = if file.with_file_name("till.db-wal").exists() { reading } else { &[] };
        let others: [&[&str]; 4] =
            [&["merchant", "add", "Coffee"], &["migrate"], &["serve"], &["backup", copy.to_str().unwrap()]];
        for command in reading.iter().chain(&others) {
            let text = refusal(&mut bound(&file, command));
            let place = format!("{} cannot be written: Permission denied", directory.display());
            assert!(text.contains(&place) && text.contains("right to write"), "{command:?}: {text}");
            assert!(!text.contains("pool"), "{command:?}: {text}");
        }
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(bound(&file, &["ledger", "check"]).status().unwrap().success(), "with the right it is read");
    }
}

/// The answer of a command that must succeed, as JSON.
fn answer(file: &Path, arguments: &[&str]) -> Value {
    let output = bound(file, &[arguments, &["--json"]].concat()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_database_that_nobody_works_on_is_read_where_nothing_may_be_written() {
    let till = Shell::new();
    let [_, backup] = kept(&till).await;
    let place = till.0.path().join("place");
    fs::create_dir(&place).unwrap();
    let file = place.join("till.db");
    let id = till.json(&["merchant", "list"])[0]["id"].as_str().unwrap().to_owned();
    let (merchant, account) = (["--merchant", &id], "pa_00000000000000000000000000");
    // As a backup leaves it, as a server that has ended leaves it, and with an empty log that was copied along.
    for (original, log) in [(&backup, false), (&till.0.path().join("till.db"), false), (&backup, true)] {
        fs::copy(original, &file).unwrap();
        if log {
            fs::write(place.join("till.db-wal"), "").unwrap();
        }
        fs::set_permissions(&place, fs::Permissions::from_mode(0o555)).unwrap();
        assert_eq!(answer(&file, &["merchant", "list"])[0]["name"], "Tea");
        assert_eq!(answer(&file, &["ledger", "check"])["disagreements"], serde_json::json!([]));
        for command in
            [["payment", "list"], ["link", "list"], ["key", "list"], ["event", "list"], ["ledger", "balances"]]
        {
            answer(&file, &[&command[..], &merchant].concat());
        }
        answer(&file, &[&["movement", "list", "--kind", "refund"][..], &merchant].concat());
        answer(&file, &["jobs", "list"]);
        answer(&file, &["alerts"]);
        let text = refusal(&mut bound(&file, &["delivery", "list", "--account", account]));
        assert!(text.contains(account), "{text}");
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
        let left: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 1 + usize::from(log), "nothing was made: {left:?}");
    }
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_named() {
    let till = Shell::new();
    let [file, _] = kept(&till).await;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let text = refusal(&mut bound(&file, &["merchant", "add", "Coffee"]));
    assert!(text.contains("may not be written") && text.contains("right to write"), "{text}");
}

#[tokio::test]
async fn files_that_cannot_grow_are_told() {
    let till = Shell::new();
    for file in kept(&till).await {
        for command in [&["ledger", "check"][..], &["merchant", "list"], &["migrate"]] {
            // As on a full disk, but for the number of the error: no file may grow.
            let limited = bound(&file, command);
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
            shell.arg(limited.get_program()).args(limited.get_args()).env_clear();
            shell.envs(limited.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let text = refusal(&mut shell);
            let place = format!("{} cannot be written: File too large", file.parent().unwrap().display());
            assert!(text.contains(&place) && !text.contains("pool"), "{command:?}: {text}");
        }
    }
}
