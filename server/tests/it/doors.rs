//! Streams, bodies and headers that are many or endless must not keep other clients out.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::running::{Running, answer, begin, exchange, get, status};
use crate::world::eventually;

/// Asks for a session's event stream. Returns the status, the open connection and the reply's head.
async fn stream(address: SocketAddr, session: &str, headers: &str) -> (u16, Option<TcpStream>, String) {
    let request = format!("GET /c/{session}/events HTTP/1.1\r\nhost: till\r\n{headers}\r\n");
    let Some(mut connection) = begin(address, request.as_bytes()).await else { return (0, None, String::new()) };
    let reply = answer(&mut connection).await.unwrap_or_default();
    (status(&reply), Some(connection), reply)
}

/// Requests whose body begins and then stalls.
async fn slow_bodies(till: &Running, path: &str, how_many: usize) -> Vec<TcpStream> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: till\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nt"
    );
    let opened = join_all((0..how_many).map(|_| begin(till.public, request.as_bytes()))).await;
    opened.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_one_session_leave_room_for_everybody_else() {
    let till = Running::start("ulimit -n 256", &[]).await;
    let session = till.session().await;
    let mut held = vec![];
    for round in 0..20 {
        let asked = join_all((0..15).map(|_| stream(till.public, &session, ""))).await;
        held.extend(asked.into_iter().map(|one| (round, one)));
    }
    let open = held.iter().filter(|(_, (status, ..))| *status == 200).count();
    till.serves_everybody(&session, "while 300 streams of one session are asked for").await;
    assert!((1..=32).contains(&open), "{open} streams of one session");
    let (_, (_, _, refused)) = held.iter().find(|(_, (status, ..))| *status == 429).expect("streams are refused");
    assert!(refused.contains("retry-after: "), "{refused}");
    assert!(held.iter().all(|(_, (status, ..))| [200, 429, 503].contains(status)), "every stream is answered");
    // A place is free again as soon as its stream is closed.
    drop(held);
    eventually("a stream is to be had again", || async { stream(till.public, &session, "").await.0 == 200 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_many_sessions_leave_room_for_everybody_else() {
    let till = Running::start("ulimit -n 256", &[]).await;
    let mut held = vec![];
    for _ in 0..20 {
        let session = till.session().await;
        held.extend(join_all((0..15).map(|_| stream(till.public, &session, ""))).await);
    }
    let session = till.session().await;
    till.serves_everybody(&session, "while 300 streams of twenty sessions are asked for").await;
    let open = held.iter().filter(|(status, ..)| *status == 200).count();
    assert!((32..200).contains(&open), "{open} streams");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_counted_by_the_address_that_a_named_proxy_reports() {
    let till = Running::start("ulimit -n 256", &[("TILL_TRUSTED_PROXIES", "127.0.0.0/8, 10.0.0.1")]).await;
    let mut sessions = vec![];
    for _ in 0..4 {
        sessions.push(till.session().await);
    }
    // All clients are from one network, of the size that one customer is given. The sender's own claim is at the left.
    let mut held = vec![];
    for number in 0..48 {
        let forwarded = format!("x-forwarded-for: 203.0.113.{number}, 2001:db8:1:2::{number:x}, 10.0.0.1\r\n");
        held.push(stream(till.public, &sessions[number % 4], &forwarded).await);
    }
    let open = held.iter().filter(|(status, ..)| *status == 200).count();
    assert_eq!(open, 32, "streams of one address");
    assert!(held.iter().any(|(status, ..)| *status == 429));
    let elsewhere = "x-forwarded-for: 2001:db8:1:3::1\r\n";
    assert_eq!(stream(till.public, &sessions[0], elsewhere).await.0, 200, "another address");
    let forwarded = "forwarded: for=192.0.2.43;proto=https, for=\"[2001:db8:1:4::17]:4711\"\r\n";
    assert_eq!(stream(till.public, &sessions[0], forwarded).await.0, 200, "a third, told in the standard's words");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_whose_client_cannot_be_told_share_one_count() {
    let till = Running::start("ulimit -n 256", &[("TILL_TRUSTED_PROXIES", "::ffff:127.0.0.0/104")]).await;
    let mut sessions = vec![];
    for _ in 0..4 {
        sessions.push(till.session().await);
    }
    let mut held = vec![];
    for number in 0..40 {
        let forged = format!("forwarded: for=198.51.100.{number}\r\nx-forwarded-for: 203.0.113.9\r\n");
        held.push(stream(till.public, &sessions[number % 4], &forged).await);
    }
    assert_eq!(held.iter().filter(|(status, ..)| *status == 200).count(), 32, "streams of nobody in particular");
    let honest = "x-forwarded-for: 203.0.113.9\r\n";
    assert_eq!(stream(till.public, &sessions[0], honest).await.0, 200, "who can be told is counted alone");
    let inner = "x-forwarded-for: 203.0.113.9, 192.168.0.1\r\n";
    for _ in 0..3 {
        stream(till.public, &sessions[0], inner).await;
    }
    let log = till.log();
    assert!(log.matches("TILL_TRUSTED_PROXIES").count() == 1 && log.contains("192.168.0.1"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unnamed_proxy_is_not_believed_and_told_once() {
    let till = Running::start("", &[]).await;
    let session = till.session().await;
    for number in 0..3 {
        let forwarded = format!("x-forwarded-for: 203.0.113.{number}\r\n");
        assert_eq!(stream(till.public, &session, &forwarded).await.0, 200);
    }
    let said = till.log().matches("TILL_TRUSTED_PROXIES").count();
    assert_eq!(said, 1, "{}", till.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_soft_limit_of_open_files_is_raised() {
    let till = Running::start("ulimit -Sn 300; ulimit -Hn 2000", &[]).await;
    assert_eq!(till.descriptors_allowed(), 2000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_for_no_account_are_answered_at_once_and_closed() {
    let till = Running::start("", &[]).await;
    let session = till.session().await;
    let mut slow = slow_bodies(&till, "/hooks/x/y", 300).await;
    till.serves_everybody(&session, "while 300 bodies for no account do not arrive").await;
    for connection in &mut slow {
        let reply = answer(connection).await.unwrap_or_default();
        assert_eq!(status(&reply), 404, "{reply}");
        assert!(reply.contains("connection: close"), "{reply}");
    }
    let metrics = get(till.ops, "/metrics", "").await.unwrap_or_default();
    assert!(!metrics.contains("why=\"slow_body\""), "no such body was waited for: {metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_for_an_account_do_not_hold_its_deliveries_up() {
    let till = Running::start("", &[]).await;
    let session = till.session().await;
    let mut slow = slow_bodies(&till, &till.hook.clone(), 600).await;
    till.serves_everybody(&session, "while 600 deliveries do not arrive").await;
    for connection in &mut slow {
        let reply = answer(connection).await;
        assert!(reply.as_ref().is_none_or(|reply| [408, 503].contains(&status(reply))), "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_forms_do_not_hold_pages_up() {
    let till = Running::start("", &[]).await;
    let session = till.session().await;
    let _slow = slow_bodies(&till, "/fn/start_payment", 600).await;
    till.serves_everybody(&session, "while 600 forms do not arrive").await;
    let form = format!("token={session}&lang=");
    let request = format!(
        "POST /fn/extend_session HTTP/1.1\r\nhost: till\r\nconnection: close\r\naccept: text/html\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    );
    let reply = exchange(till.public, request.as_bytes()).await.unwrap_or_default();
    assert_eq!(status(&reply), 303, "a form that arrives: {reply}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_leave_descriptors_for_everybody_else() {
    let till = Running::start("ulimit -n 256", &[]).await;
    let session = till.session().await;
    let _forms = slow_bodies(&till, "/fn/start_payment", 200).await;
    let _deliveries = slow_bodies(&till, &till.hook.clone(), 200).await;
    let _silent = join_all((0..200).map(|_| begin(till.public, b""))).await;
    till.serves_everybody(&session, "while 600 connections wait for their senders").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_never_end_keep_neither_memory_nor_connections() {
    let till = Running::start("", &[]).await;
    let session = till.session().await;
    let before = till.process_status("VmRSS");
    let line = format!("x-{}: {}\r\n", "a".repeat(20), "b".repeat(4_000));
    let request = format!("GET / HTTP/1.1\r\nhost: till\r\n{}", line.repeat(90));
    let mut held: Vec<_> = join_all((0..150).map(|_| begin(till.public, request.as_bytes()))).await;
    let kept = till.process_status("VmRSS").saturating_sub(before);
    assert!(kept < 10_000, "{kept} KB for 150 unfinished headers");
    till.serves_everybody(&session, "while 150 headers do not end").await;
    let mut trickle = begin(till.public, b"GET / HTTP/1.1\r\nhost: till\r\nx-one: ").await.unwrap();
    for connection in held.iter_mut().flatten() {
        let reply = answer(connection).await.unwrap_or_default();
        assert!([0, 431].contains(&status(&reply)), "{reply}");
    }
    // A further byte must not restart the wait.
    let closed = async {
        while trickle.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(20), closed).await.expect("an unfinished header's connection is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_http_1_is_served() {
    let till = Running::start("", &[]).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for address in [till.public, till.ops] {
        let reply = exchange(address, preface).await.unwrap_or_default();
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 4"), "a settings frame: {reply:?}");
        assert_ne!(status(&get(address, "/", "").await.unwrap_or_default()), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_few_open_files_stop_the_start_with_what_to_change() {
    let directory = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/till.db", directory.path().display());
    // The timeout ends a server that starts in spite of the limit.
    let mut command = std::process::Command::new("timeout");
    command.args(["10", "sh", "-c", "ulimit -n 100; exec \"$0\" serve", env!("CARGO_BIN_EXE_till")]).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("TILL_DATABASE_URL", database);
    command.env("TILL_BIND", "127.0.0.1:0").env("TILL_OPS_BIND", "127.0.0.1:0");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("ulimit -n"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_has_the_headers_of_every_reply_and_ends_when_the_server_stops() {
    let till = Running::start("", &[]).await;
    let session = till.session().await;
    let path = format!("/c/{session}/events");
    // The stream is asked for on a used connection, as a browser does it.
    let first = format!(
        "GET /healthy HTTP/1.1\r\nhost: till\r\n\r\nGET {path} HTTP/1.1\r\nhost: till\r\naccept-encoding: gzip\r\n\r\n"
    );
    let mut connection = begin(till.public, first.as_bytes()).await.unwrap();
    let mut read = String::new();
    while !read.contains("data: ") {
        let mut bytes = [0; 4096];
        let count = connection.read(&mut bytes).await.unwrap();
        assert!(count > 0, "{read}");
        read.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    let stream = &read[read.rfind("HTTP/1.1 ").unwrap()..];
    for line in [
        "HTTP/1.1 200 OK\r\n",
        "\r\ncontent-type: text/event-stream\r\n",
        "\r\ncache-control: no-cache\r\n",
        "\r\nx-content-type-options: nosniff\r\n",
        "\r\ntransfer-encoding: chunked\r\n",
        "\r\ndate: ",
        "\r\nevent: status\ndata: ",
    ] {
        assert!(stream.contains(line), "{line:?} in {stream}");
    }
    assert!(!stream.contains("content-encoding"), "{stream}");
    let ask = |line: &str| format!("{line} HTTP/1.1\r\nhost: till\r\nconnection: close\r\n\r\n");
    // Each request gives its place back: a session has 32.
    for _ in 0..40 {
        let head = exchange(till.public, ask(&format!("HEAD {path}")).as_bytes()).await.unwrap_or_default();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    }
    let posted = exchange(till.public, ask(&format!("POST {path}")).as_bytes()).await.unwrap_or_default();
    assert_eq!(status(&posted), 405, "{posted}");
    let nobody = exchange(till.public, ask("GET /c/x/events").as_bytes()).await.unwrap_or_default();
    assert_eq!(status(&nobody), 404, "{nobody}");
    till.ask_to_stop();
    let mut rest = vec![];
    timeout(Duration::from_secs(20), connection.read_to_end(&mut rest)).await.expect("it ends").unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&rest));
}
