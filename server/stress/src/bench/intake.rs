//! Deliveries per second: signed beforehand, sent over kept-alive connections, each acknowledged before the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::Bench;
use super::report::Intake;
use super::site::{BenchSite, peak_memory_kib};
use crate::Failure;
use crate::clock;
use crate::http::{Client, request};
use crate::process::Process;
use crate::random::Random;
use crate::stripe::{About, sign};

/// Bytes of a delivery.
const BODY_BYTES: usize = 3 * 1024;
/// The first deliveries are not counted.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Measures on a fresh server, and waits until it has worked everything off.
pub async fn measure(options: &Bench, site: &BenchSite, random: &mut Random) -> Result<Intake, Failure> {
    let mut server = site.serve().await?;
    let warm_up = signed(site, options.deliveries / 5, random);
    send(options, site, warm_up, WARM_UP).await?;
    let requests = signed(site, options.deliveries, random);
    let measured = send(options, site, requests, options.patience()).await?;
    let memory_kib = peak_memory_kib(&server);
    site.idle().await?;
    stop(&mut server).await?;
    Ok(Intake { memory_kib, ..measured })
}

pub async fn stop(server: &mut Process) -> Result<(), Failure> {
    server.stop(Duration::from_secs(30)).await.map(|_| ())
}

/// Requests about a customer: they concern no payment, so that what is measured is taking them in.
fn signed(site: &BenchSite, count: usize, random: &mut Random) -> Vec<Vec<u8>> {
    let account = &site.shop.account;
    let now = clock::seconds();
    let make = |_| {
        let event = format!("evt_{}", random.word());
        let body = About { event: &event, ..About::nothing(now) }.noise_of(BODY_BYTES);
        let signature = sign(&account.secret, now, &body);
        let headers = [("stripe-signature", signature.as_str()), ("content-type", "application/json")];
        request("POST", site.shop.address, &account.path, &headers, &body)
    };
    (0..count).map(make).collect()
}

/// Sends until the time is up or all are sent.
pub async fn send(
    options: &Bench,
    site: &BenchSite,
    requests: Vec<Vec<u8>>,
    patience: Duration,
) -> Result<Intake, Failure> {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..options.connections {
        let (requests, next, address) = (requests.clone(), next.clone(), site.shop.address);
        tasks.spawn(async move {
            let mut client = Client::new(address, PATIENCE);
            let (mut latencies, mut refused) = (vec![], 0);
            while began.elapsed() < patience {
                let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                let sent = Instant::now();
                match client.exchange(request).await {
                    Ok(reply) if reply.status == 200 => latencies.push(micros(sent.elapsed())),
                    _ => refused += 1,
                }
            }
            (latencies, refused)
        });
    }
    let (mut latencies, mut refused) = (vec![], 0);
    while let Some(done) = tasks.join_next().await {
        let (some, others) = done?;
        latencies.extend(some);
        refused += others;
    }
    Ok(Intake::of(latencies, refused, began.elapsed()))
}

/// Microseconds.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
