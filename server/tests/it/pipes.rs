//! Output that is read to its end, read in part, or not read.

use std::io::{BufRead, BufReader, Read, Write, pipe};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::cli::Shell;

/// The exit code of a program whose reader is gone, as shells report it: 128 and the number of SIGPIPE.
const READER_GONE: i32 = 141;
/// Bytes that a pipe holds (pipe(7), Linux).
const PIPE_BYTES: usize = 65_536;

fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        sleep(Duration::from_millis(20));
    }
}

/// A server whose log goes into a pipe. It is killed when it is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the server and reads its log until it serves.
    fn start(till: &Shell, log: impl Into<Stdio>, read: impl Read) -> Server {
        till.json(&["migrate"]);
        let child = till.command(&["serve"]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(read).lines().map(Result::unwrap);
        let line = lines.find(|line| line.contains("\"serving\"")).expect("it serves");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        Server { child, address: line["fields"]["bind"].as_str().unwrap().to_owned() }
    }

    fn tell_to_stop(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }

    fn ended(&mut self) -> ExitStatus {
        until("the server does not end", || self.child.try_wait().unwrap())
    }
}

#[test]
fn a_log_whose_reader_has_gone_stops_no_server_before_its_time() {
    let till = Shell::new();
    let (reader, writer) = pipe().unwrap();
    let mut server = Server::start(&till, writer, reader);
    server.tell_to_stop();
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_log_that_nobody_reads_does_not_keep_a_server_from_stopping() {
    let till = Shell::new();
    let (reader, mut writer) = pipe().unwrap();
    let mut server = Server::start(&till, writer.try_clone().unwrap(), reader.try_clone().unwrap());
    // The pipe is full, so a further line must wait.
    writer.write_all(&[b'x'; PIPE_BYTES]).unwrap();
    drop(writer);
    assert!(TcpStream::connect(&server.address).is_ok());
    server.tell_to_stop();
    until("it goes on to serve", || TcpStream::connect(&server.address).is_err().then_some(()));
    drop(reader);
    assert_eq!(server.ended().code(), Some(0));
}

/// Runs a command whose output has no reader. Returns the exit code and the text on standard error.
fn unread(till: &Shell, arguments: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let output = till.command(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_list_that_nobody_reads_to_its_end_ends_without_a_word() {
    let till = Shell::new();
    till.json(&["migrate"]);
    till.json(&["merchant", "add", "Tea"]);
    for arguments in [
        &["merchant", "list"][..],
        &["merchant", "list", "--json"],
        &["merchant", "list", "--json", "--limit", "1"],
        &["merchant", "add", "Cups"],
        &["alerts"],
        &["simulate", "--layer", "core", "--seeds", "1"],
    ] {
        assert_eq!(unread(&till, arguments), (Some(READER_GONE), String::new()), "{arguments:?}");
    }
    assert_eq!(till.json(&["merchant", "list"])[1]["name"], "Cups", "what was asked for is done");
}

#[test]
fn an_error_that_nobody_reads_is_the_same_error() {
    let till = Shell::new();
    for (arguments, code) in
        [(&["merchant", "list"][..], 1), (&["merchant", "lost"], 2), (&["--log", "wran", "alerts"], 1)]
    {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let status = till.command(arguments).stdout(Stdio::null()).stderr(writer).status().unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_waits_for_the_database_says_nothing_of_it() {
    use sqlx::{Connection, Executor, SqliteConnection};
    let till = Shell::new();
    till.json(&["migrate"]);
    let url = format!("sqlite://{}/till.db", till.0.path().display());
    let mut holder = SqliteConnection::connect(&url).await.unwrap();
    holder.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM merchants").await.unwrap();
    let command = till.command(&["merchant", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The driver logs a slow statement after a second.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    holder.execute("COMMIT").await.unwrap();
    holder.close().await.unwrap();
    let output = tokio::task::spawn_blocking(move || command.wait_with_output().unwrap()).await.unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
