//! Measures the memory of an open page: the server's memory without and with many event streams.

use std::process::Command;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::Bench;
use super::intake::stop;
use super::site::{BenchSite, memory_kib};
use crate::Failure;
use crate::http::request;
use crate::load::visit::Visitor;
use crate::process::run as run_command;

/// The bytes of an open page above which the benchmark fails.
pub const BYTES_MAX: u64 = 16 * 1024;
/// Pages of one session, and of one client's address. Both are fewer than the server allows.
const OF_SESSION: usize = 25;
const OF_ADDRESS: usize = 25;
/// Streams opened at a time.
const AT_ONCE: usize = 50;
/// The fewest streams that give a meaningful difference.
const LEAST: usize = 200;
/// The time for freed memory to be returned to the system, and for background work to begin.
const SETTLE: Duration = Duration::from_secs(2);
/// The longest wait for a stream's news.
const PATIENCE: Duration = Duration::from_secs(10);

/// The figures of open pages.
#[derive(Debug, Clone, Copy)]
pub struct OpenPages {
    /// The number of open streams.
    pub count: u64,
    /// Bytes of memory for each.
    pub bytes_each: u64,
    /// Memory of a server that has just started, in KiB.
    pub idle_kib: u64,
}

/// Opens pages of several sessions and looks at the server's memory.
pub async fn measure(options: &Bench, site: &BenchSite) -> Result<OpenPages, Failure> {
    let count = options.pages.min(possible()?);
    if count < LEAST {
        return Err(format!(
            "{count} pages are too few to measure; raise the limit of open files, for example with `ulimit -n 20000`"
        )
        .into());
    }
    // Each client has an address of its own, as clients behind a proxy do.
    let mut server = site.serve_with(&[("TILL_TRUSTED_PROXIES", "127.0.0.0/8".to_owned())]).await?;
    sleep(SETTLE).await;
    let idle_kib = memory_kib(&server, "VmRSS:");
    let mut visitor = Visitor::new(&site.shop);
    let mut tokens = vec![];
    for _ in 0..count.div_ceil(OF_SESSION) {
        let link = site.shop.links.first().ok_or("the shop has no link")?;
        tokens.push(visitor.open(&link.path).await.ok_or("a link does not open")?);
    }
    sleep(SETTLE).await;
    let before = memory_kib(&server, "VmRSS:");
    let mut streams = Vec::with_capacity(count);
    while streams.len() < count {
        let next = streams.len()..count.min(streams.len() + AT_ONCE);
        streams.extend(try_join_all(next.map(|number| open(site, &tokens[number / OF_SESSION], number))).await?);
    }
    sleep(SETTLE).await;
    let more = memory_kib(&server, "VmRSS:").saturating_sub(before);
    drop(streams);
    stop(&mut server).await?;
    let count = u64::try_from(count)?;
    Ok(OpenPages { count, bytes_each: more * 1024 / count, idle_kib })
}

/// Opens a stream as a browser does, and waits for the first piece of news.
async fn open(site: &BenchSite, token: &str, number: usize) -> Result<TcpStream, Failure> {
    let client = number / OF_ADDRESS;
    let client = format!("203.0.{}.{}", client / 250, client % 250);
    let headers = [
        ("accept", "text/event-stream"),
        ("accept-encoding", "gzip, deflate, br"),
        ("accept-language", "en-US,en;q=0.5"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("x-forwarded-for", &client),
    ];
    let mut stream = TcpStream::connect(site.shop.address).await?;
    let path = format!("/c/{token}/events");
    stream.write_all(&request("GET", site.shop.address, &path, &headers, b"")).await?;
    let mut said = vec![];
    let read = async {
        while !String::from_utf8_lossy(&said).contains("data: ") {
            if stream.read_buf(&mut said).await? == 0 {
                return Err(Failure::from(format!("no stream: {}", String::from_utf8_lossy(&said))));
            }
        }
        Ok(())
    };
    timeout(PATIENCE, read).await.map_err(|_| "a stream says nothing")??;
    Ok(stream)
}

/// The number of streams that this process and the server can have open, after raising both limits of open files.
fn possible() -> Result<usize, Failure> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).ok_or("no limit of open files")?;
    let hard = line.split_whitespace().nth(1).unwrap_or_default();
    // "unlimited" is capped at a number that suffices.
    let hard: usize = hard.parse().unwrap_or(usize::MAX).min(65_536);
    let own = std::process::id().to_string();
    run_command(Command::new("prlimit").args(["--pid", &own, &format!("--nofile={hard}:")]))?;
    // The server keeps half of its connections for other requests, and files for itself.
    Ok((hard / 2).saturating_sub(512))
}
