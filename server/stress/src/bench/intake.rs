//! Measures deliveries per second. Deliveries are signed beforehand and sent over kept-alive connections, each after
//! the previous acknowledgement.

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
use crate::stripe::{About, id, sign};

/// Bytes of a delivery.
const BODY_BYTES: usize = 3 * 1024;
/// The longest wait for a reply.
const PATIENCE: Duration = Duration::from_secs(15);

/// The subject of the deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A customer. Such deliveries concern no payment, so only their intake is measured.
    Idle,
    /// Payments of another shop on the same account.
    Stranger,
}

/// Measures on a fresh server and waits until it has finished all work.
pub async fn measure(options: &Bench, site: &BenchSite, kind: Kind, random: &mut Random) -> Result<Intake, Failure> {
    let mut server = site.serve().await?;
    let warm_up = signed(options, site, kind, options.deliveries / 5, random);
    send(options, site, warm_up, Until::TimeIsUp(options.warm_up())).await?;
    let requests = signed(options, site, kind, options.deliveries, random);
    let measured = send(options, site, requests, Until::TimeIsUp(options.patience())).await?.intake;
    let memory_kib = peak_memory_kib(&server);
    site.idle().await?;
    stop(&mut server).await?;
    Ok(Intake { memory_kib, ..measured })
}

pub async fn stop(server: &mut Process) -> Result<(), Failure> {
    server.stop(Duration::from_secs(30)).await.map(|_| ())
}

fn signed(options: &Bench, site: &BenchSite, kind: Kind, count: usize, random: &mut Random) -> Vec<Vec<u8>> {
    let account = &site.shop.account;
    let now = clock::seconds();
    let make = |number: usize| {
        let age = i64::try_from((count - number) / options.made_per_second.max(1)).unwrap_or(0);
        let created = now - age;
        let event = if options.scattered_ids { format!("evt_{}", random.word()) } else { id("evt", created, random) };
        let intent = id("pi", created, random);
        let about = About { event: &event, intent: &intent, amount: 3098, currency: "eur", ..About::nothing(created) };
        let body = match kind {
            Kind::Idle => about.noise_of(BODY_BYTES),
            Kind::Stranger => about.of_another_shop(BODY_BYTES),
        };
        let signature = sign(&account.secret, now, &body);
        let headers = [("stripe-signature", signature.as_str()), ("content-type", "application/json")];
        request("POST", site.shop.address, &account.path, &headers, &body)
    };
    (0..count).map(make).collect()
}

/// The condition that ends sending.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// All deliveries are sent once, or the time is up.
    TimeIsUp(Duration),
    /// All deliveries are acknowledged, each sent again until it is, as a provider does; or the time is up.
    AllAcknowledged(Duration),
}

/// The result of sending.
pub struct Sent {
    /// The moment just before the first byte. Connections were open by then.
    pub began: Instant,
    /// The number of acknowledged deliveries.
    pub acknowledged: u64,
    /// The rate and the latencies.
    pub intake: Intake,
}

/// Opens all connections, starts the clock, and sends.
pub async fn send(options: &Bench, site: &BenchSite, requests: Vec<Vec<u8>>, until: Until) -> Result<Sent, Failure> {
    let mut clients = vec![];
    for _ in 0..options.connections {
        let mut client = Client::new(site.shop.address, PATIENCE);
        client.connect().await?;
        clients.push(client);
    }
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for client in clients {
        tasks.spawn(work(client, requests.clone(), next.clone(), began, until));
    }
    let (mut latencies, mut refused) = (vec![], 0);
    while let Some(done) = tasks.join_next().await {
        let (some, others) = done?;
        latencies.extend(some);
        refused += others;
    }
    let acknowledged = u64::try_from(latencies.len())?;
    Ok(Sent { began, acknowledged, intake: Intake::of(latencies, refused, began.elapsed()) })
}

/// One connection's share. Returns the latencies of acknowledged deliveries and the number of failures.
async fn work(
    mut client: Client,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    began: Instant,
    until: Until,
) -> (Vec<u64>, u64) {
    let (patience, again) = match until {
        Until::TimeIsUp(patience) => (patience, false),
        Until::AllAcknowledged(patience) => (patience, true),
    };
    let (mut latencies, mut refused) = (vec![], 0);
    let mut unheard = None;
    while began.elapsed() < patience {
        let index = unheard.take().unwrap_or_else(|| next.fetch_add(1, Ordering::Relaxed));
        let Some(request) = requests.get(index) else { break };
        let sent = Instant::now();
        match client.exchange(request).await {
            Ok(reply) if reply.status == 200 => latencies.push(micros(sent.elapsed())),
            _ => {
                refused += 1;
                unheard = again.then_some(index);
            }
        }
    }
    (latencies, refused)
}

/// Microseconds.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
