//! The files of an installation on SQLite: their permissions, their creation, and their lock.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sqlx::{AnyConnection, Connection, Executor};

use crate::cli::Shell;
use crate::world::Database;

pub fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

/// The program, run with the umask of most machines.
fn open_handed(till: &Shell, database: &Path, arguments: &[&str]) -> Command {
    let program = till.command(arguments).get_program().to_owned();
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg("umask 022; exec \"$0\" \"$@\"").arg(program).args(arguments);
    command.env_clear().env("TILL_DATABASE_URL", format!("sqlite://{}", database.display()));
    command.env("TILL_OPS_BIND", "127.0.0.1:0");
    command
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running server that answers. It is killed when it is dropped.
struct Server(Child);

impl Server {
    fn start(command: &mut Command) -> Server {
        let port = free_port();
        command.env("TILL_BIND", format!("127.0.0.1:{port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Server(command.spawn().unwrap());
        let begun = Instant::now();
        while !answers(port) {
            assert!(begun.elapsed() < Duration::from_secs(30), "the server does not answer");
            sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The exit code and the error text of a command that must end soon.
fn ended(command: &mut Command) -> (Option<i32>, String) {
    let mut running = Server(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let begun = Instant::now();
    while running.0.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not end");
        sleep(Duration::from_millis(20));
    }
    let mut text = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    (running.0.wait().unwrap().code(), text)
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut start = [0; 12];
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").is_ok()
        && stream.read_exact(&mut start).is_ok()
        && start.starts_with(b"HTTP/1.1 ")
}

#[test]
fn what_an_installation_keeps_is_its_owners_alone() {
    let till = Shell::new();
    let directory = till.0.path().join("shop/data");
    let database = directory.join("till.db");
    assert!(open_handed(&till, &database, &["migrate"]).status().unwrap().success());
    assert_eq!((mode(&directory), mode(&till.0.path().join("shop"))), (0o700, 0o700));
    assert_eq!((mode(&database), mode(&directory.join("master.key"))), (0o600, 0o600));
    let server = Server::start(&mut open_handed(&till, &database, &["serve"]));
    for file in ["till.db-wal", "till.db-shm"] {
        assert_eq!(mode(&directory.join(file)), 0o600, "{file}");
    }
    drop(server);
    // These are the modes that an earlier version left, and modes that a person may have set.
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(directory.join("master.key"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let server = Server::start(&mut open_handed(&till, &database, &["serve"]));
    assert_eq!(mode(&database), 0o600, "everybody could read it");
    assert_eq!(mode(&directory.join("master.key")), 0o640, "a group that a person has let in stays");
    assert_eq!(mode(&directory), 0o755, "a directory that was there is not changed");
    drop(server);
}

#[test]
fn only_commands_that_set_up_an_installation_make_files() {
    let till = Shell::new();
    let mistyped = till.0.path().join("dta/til.db");
    let id = "mer_00000000000000000000000000";
    let commands: [&[&str]; 8] = [
        &["merchant", "list"],
        &["merchant", "add", "Tea"],
        &["payment", "list", "--merchant", id],
        &["ledger", "check"],
        &["alerts"],
        &["provider", "reseal"],
        &["backup", "copy.db"],
        &["serve", "--no-migrate"],
    ];
    for command in commands {
        let output = open_handed(&till, &mistyped, command).env("TILL_BIND", "127.0.0.1:0").output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{command:?}");
        assert!(text.contains("til.db") && text.contains("till migrate"), "{command:?}: {text}");
        assert!(!mistyped.parent().unwrap().exists(), "{command:?} leaves something behind");
        assert_eq!(fs::read_dir(till.0.path()).unwrap().count(), 0, "{command:?} leaves something behind");
    }
    // A missing key beside a database with credentials is not replaced by a new key, which could not open them.
    till.json(&["migrate"]);
    let merchant = till.json(&["merchant", "add", "Tea"]);
    let merchant = merchant["id"].as_str().unwrap();
    let account = till.json(&[
        "provider",
        "add",
        "stripe",
        "--merchant",
        merchant,
        "--credential",
        "secret_key=sk_test_12345678",
    ]);
    let account = account["id"].as_str().unwrap();
    let key = till.0.path().join("master.key");
    fs::remove_file(&key).unwrap();
    for command in [&["serve"][..], &["migrate"], &["provider", "retire-webhook-secrets", account]] {
        let text = till.refused(command);
        assert!(text.contains("master.key") && text.contains("TILL_MASTER_KEY"), "{command:?}: {text}");
        assert!(!key.exists(), "{command:?} makes a key that opens nothing");
    }
    assert!(till.refused(&["migrate", "--database-url", "sqlite::memory:"]).contains("TILL_DATABASE_URL"));
}

#[test]
fn a_path_with_odd_characters_is_one_path() {
    let till = Shell::new();
    let url = format!("sqlite://{}/my%20shop/till.db?mode=rwc", till.0.path().display());
    till.json(&["migrate", "--database-url", &url]);
    assert_eq!(mode(&till.0.path().join("my shop/till.db")), 0o600);
    assert!(till.0.path().join("my shop/master.key").exists());
    assert_eq!(fs::read_dir(till.0.path()).unwrap().count(), 1);
    till.json(&["merchant", "list", "--database-url", &url]);
}

#[test]
fn one_sqlite_file_has_one_server() {
    let till = Shell::new();
    let database = till.0.path().join("till.db");
    let mut server = Server::start(&mut open_handed(&till, &database, &["serve"]));
    let link = till.0.path().join("other.db");
    std::os::unix::fs::symlink(&database, &link).unwrap();
    for file in [&database, &link] {
        for command in ["serve", "demo"] {
            let mut second = open_handed(&till, file, &[command]);
            second.env("TILL_BIND", "127.0.0.1:0").env("TILL_SANDBOX_BIND", "127.0.0.1:0");
            let (code, text) = ended(&mut second);
            assert_eq!(code, Some(1), "{text}");
            assert!(text.contains("another server") && text.contains("till.db"), "{text}");
        }
    }
    till.json(&["merchant", "add", "Tea"]);
    assert_eq!(till.json(&["merchant", "list"])[0]["name"], "Tea", "commands run beside it");
    // This is SIGKILL, as from `kill -9`.
    server.0.kill().unwrap();
    server.0.wait().unwrap();
    Server::start(&mut open_handed(&till, &database, &["serve"]));
}

#[test]
fn no_deleted_file_lets_a_second_server_in() {
    let till = Shell::new();
    let database = till.0.path().join("till.db");
    let server = Server::start(&mut open_handed(&till, &database, &["serve"]));
    // Everything goes but the database with its log, and the key.
    let kept = ["till.db", "till.db-wal", "till.db-shm", "master.key"].map(std::ffi::OsString::from);
    for entry in fs::read_dir(till.0.path()).unwrap().map(Result::unwrap) {
        if !kept.contains(&entry.file_name()) {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    for command in ["serve", "demo"] {
        let mut second = open_handed(&till, &database, &[command]);
        second.env("TILL_BIND", "127.0.0.1:0").env("TILL_SANDBOX_BIND", "127.0.0.1:0");
        let (code, text) = ended(&mut second);
        assert!(code == Some(1) && text.contains("another server"), "{code:?}: {text}");
        assert!(text.contains(&format!("(process {})", server.0.id())), "{text}");
    }
    assert!(till.json(&["merchant", "add", "Tea"])["id"].is_string(), "commands run beside it");
}

/// A master key.
pub const KEY: &str = "6f1d0a8be29c47539e80d3b57a14c6f20b9de8437c15fa6280d94e3b71a5c80f";

/// Runs the program on a database.
pub fn on(database: &Database, arguments: &[&str]) -> (bool, String) {
    let mut command = Shell::new().command(arguments);
    command.env("TILL_DATABASE_URL", &database.url).env("TILL_MASTER_KEY", KEY);
    command.env("TILL_OPS_BIND", "127.0.0.1:0");
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

async fn a_newer_structure_is_refused(database: Database) {
    sqlx::any::install_default_drivers();
    let mut commands: Vec<&[&str]> = vec![
        &["merchant", "list"],
        &["merchant", "add", "Tea"],
        &["serve", "--no-migrate"],
        &["ledger", "check"],
        &["provider", "reseal", "--dry-run"],
        &["jobs", "list"],
    ];
    assert!(on(&database, &["migrate"]).0);
    assert!(on(&database, &["merchant", "list"]).0);
    let mut connection = AnyConnection::connect(&database.url).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        SELECT 9000, 'of a later version', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
    connection.execute(newer).await.unwrap();
    commands.extend([&["migrate"][..], &["serve"]]);
    for command in &commands {
        let (ok, text) = on(&database, command);
        assert!(!ok && text.contains("newer version") && text.contains("9000"), "{command:?}: {text}");
    }
    connection.execute("DELETE FROM _sqlx_migrations").await.unwrap();
    for command in &commands[..6] {
        let (ok, text) = on(&database, command);
        assert!(!ok && text.contains("till migrate") && text.contains("no structure"), "{command:?}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_structure_is_refused_on_sqlite() {
    a_newer_structure_is_refused(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_structure_is_refused_on_postgres() {
    a_newer_structure_is_refused(Database::postgres().await).await;
}

async fn an_altered_step_is_refused(database: Database) {
    sqlx::any::install_default_drivers();
    assert!(on(&database, &["migrate"]).0);
    let mut connection = AnyConnection::connect(&database.url).await.unwrap();
    let alter = sqlx::query("UPDATE _sqlx_migrations SET checksum = $1 WHERE version = 1").bind(vec![7u8; 48]);
    alter.execute(&mut connection).await.unwrap();
    for command in [&["merchant", "list"][..], &["serve"], &["migrate"], &["merchant", "list"], &["ledger", "check"]] {
        let (ok, text) = on(&database, command);
        assert!(!ok && text.contains("step 1") && text.contains("another version"), "{command:?}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_step_is_refused_on_sqlite() {
    an_altered_step_is_refused(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_step_is_refused_on_postgres() {
    an_altered_step_is_refused(Database::postgres().await).await;
}

/// The error of a command that must fail.
pub fn refusal(till: &Shell, database: &Path, command: &[&str]) -> String {
    let (code, text) = ended(open_handed(till, database, command).env("TILL_BIND", "127.0.0.1:0"));
    assert_eq!(code, Some(1), "{command:?}: {text}");
    text
}

/// Commands that set an installation up, and one that works on an installation.
const BOTH_WAYS: [&[&str]; 3] = [&["migrate"], &["serve"], &["merchant", "list"]];

#[test]
fn somebody_elses_file_is_left_as_it_is() {
    let till = Shell::new();
    let file = till.0.path().join("till.db");
    for content in ["a letter", "SQLite format", "SQLite format 4\0 and more"] {
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        for command in &BOTH_WAYS[..2] {
            let text = refusal(&till, &file, command);
            assert!(text.contains("no SQLite database") && text.contains("till.db"), "{command:?}: {text}");
        }
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode(&file)), (content, 0o644));
        assert_eq!(fs::read_dir(till.0.path()).unwrap().count(), 1, "nothing is left beside it");
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    for command in [&["migrate"][..], &["serve"], &["serve", "--no-migrate"], &["merchant", "list"]] {
        assert!(refusal(&till, &file, command).contains("no SQLite database"), "{command:?}");
    }
    fs::remove_dir(&file).unwrap();
    // An empty file, as `touch` makes it.
    fs::write(&file, "").unwrap();
    assert!(open_handed(&till, &file, &["migrate"]).status().unwrap().success());
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn a_link_to_nothing_is_no_place_for_a_database() {
    let till = Shell::new();
    let (file, target) = (till.0.path().join("till.db"), till.0.path().join("not-mounted.db"));
    std::os::unix::fs::symlink(&target, &file).unwrap();
    for command in BOTH_WAYS {
        let text = refusal(&till, &file, command);
        assert!(text.contains("is a link to") && text.contains("not-mounted.db"), "{command:?}: {text}");
        assert!(!target.exists(), "{command:?}");
    }
    fs::remove_file(&file).unwrap();
    // The key is treated alike: a key that is stored nowhere would be lost with the process.
    let key = till.0.path().join("master.key");
    std::os::unix::fs::symlink(till.0.path().join("no-vault.key"), &key).unwrap();
    let text = refusal(&till, &file, &["migrate"]);
    assert!(text.contains("master.key") && text.contains("is a link to"), "{text}");
    assert!(!till.0.path().join("no-vault.key").exists());
}

#[test]
fn a_file_with_two_names_has_no_server() {
    let till = Shell::new();
    let (file, other) = (till.0.path().join("till.db"), till.0.path().join("other.db"));
    till.json(&["migrate"]);
    fs::hard_link(&file, &other).unwrap();
    for name in [&file, &other] {
        let text = refusal(&till, name, &["serve"]);
        assert!(text.contains("hard link"), "{text}");
    }
    fs::remove_file(&other).unwrap();
    Server::start(&mut open_handed(&till, &file, &["serve"]));
}

#[test]
fn a_path_that_cannot_be_looked_at_is_not_called_missing() {
    let till = Shell::new();
    let (file, other) = (till.0.path().join("till.db"), till.0.path().join("other.db"));
    std::os::unix::fs::symlink(&other, &file).unwrap();
    std::os::unix::fs::symlink(&file, &other).unwrap();
    let text = refusal(&till, &file, &["merchant", "list"]);
    assert!(text.contains("cannot look at") && !text.contains("till migrate"), "{text}");
    fs::write(till.0.path().join("letter"), "").unwrap();
    let text = refusal(&till, &till.0.path().join("letter/till.db"), &["merchant", "list"]);
    assert!(text.contains("cannot look at"), "{text}");
}

#[test]
fn commands_that_open_nothing_sealed_need_no_key() {
    let till = Shell::new();
    till.json(&["migrate"]);
    let merchant = till.json(&["merchant", "add", "Tea"]);
    let id = merchant["id"].as_str().unwrap();
    let account =
        till.json(&["provider", "add", "stripe", "--merchant", id, "--credential", "secret_key=sk_test_12345678"]);
    let account = account["id"].as_str().unwrap();
    let copy = till.0.path().join("elsewhere");
    fs::create_dir(&copy).unwrap();
    let copy = copy.join("till.db");
    till.json(&["backup", copy.to_str().unwrap()]);
    let url = format!("sqlite://{}", copy.display());
    let commands: [&[&str]; 11] = [
        &["merchant", "list"],
        &["event", "list", "--merchant", id],
        &["movement", "list", "--merchant", id, "--kind", "refund"],
        &["ledger", "check"],
        &["ledger", "balances", "--merchant", id],
        &["payment", "list", "--merchant", id],
        &["link", "list", "--merchant", id],
        &["key", "list", "--merchant", id],
        &["delivery", "list", "--account", account],
        &["jobs", "list"],
        &["alerts"],
    ];
    for command in commands {
        till.json(&[command, &["--database-url", &url]].concat());
    }
    for command in [&["serve"][..], &["provider", "set-credential", account, "secret_key=sk_test_newnewnew"]] {
        let text = till.refused(&[command, &["--database-url", &url]].concat());
        assert!(text.contains("TILL_MASTER_KEY") && text.contains("elsewhere/master.key"), "{command:?}: {text}");
    }
    assert!(!copy.with_file_name("master.key").exists());
}
