//! The load: shoppers who open links and start payments, and a provider that repeats each delivery until it is
//! acknowledged.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Failure;
use crate::clock;
use crate::http::{Client, Reply};
use crate::random::Random;
use crate::record::{Delivery, Record, Saying};
use crate::shop::{Link, Shop};
use crate::stripe::sign;

pub mod merchant;
mod shopper;
pub mod visit;

/// Shoppers at a time.
const SHOPPERS: u64 = 4;
/// Deliveries under way at a time.
const DELIVERERS: u64 = 12;
/// Shoppers pause when more deliveries than this wait.
const QUEUE_MAX: usize = 300;
/// The provider's wait for a reply. Till waits 5 seconds for a database connection before it answers "busy".
const PATIENCE: Duration = Duration::from_secs(12);
/// The age of a stale signature in seconds; five minutes are allowed.
const STALE: i64 = 400;

/// The state that the clients share.
pub struct Load {
    /// The shop.
    pub shop: Arc<Shop>,
    /// The milliseconds added to the time of signatures.
    pub offset: AtomicI64,
    /// Whether Till's clock may be wrong, so that it may refuse valid signatures.
    pub clock_moves: bool,
    record: Mutex<Record>,
    queue: Mutex<Vec<(Instant, usize)>>,
    once: Mutex<Vec<Link>>,
    flying: AtomicUsize,
    buying: AtomicBool,
    running: AtomicBool,
}

/// The running load.
pub struct Running {
    /// The state that the clients share.
    pub load: Arc<Load>,
    tasks: JoinSet<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Running {
    /// Starts the clients.
    pub fn start(shop: Arc<Shop>, once: Vec<Link>, seed: u64, clock_moves: bool, merchant: bool) -> Running {
        let load = Arc::new(Load {
            shop,
            offset: AtomicI64::new(0),
            clock_moves,
            record: Mutex::default(),
            queue: Mutex::default(),
            once: Mutex::new(once),
            flying: AtomicUsize::new(0),
            buying: AtomicBool::new(true),
            running: AtomicBool::new(true),
        });
        let mut tasks = JoinSet::new();
        for number in 0..SHOPPERS {
            tasks.spawn(shopper::run(load.clone(), Random::new(seed, 100 + number)));
        }
        for number in 0..DELIVERERS {
            tasks.spawn(deliver(load.clone(), Random::new(seed, 200 + number)));
        }
        if merchant {
            tasks.spawn(merchant::run(load.clone(), Random::new(seed, 300)));
        }
        Running { load, tasks }
    }

    /// Stops the shoppers and waits until every delivery is acknowledged or rightly refused.
    pub async fn finish(&mut self, patience: Duration) -> Result<(), Failure> {
        self.load.buying.store(false, Ordering::SeqCst);
        let began = Instant::now();
        while self.load.waiting() > 0 {
            if began.elapsed() > patience {
                let waiting = self.load.waiting();
                return Err(format!("{waiting} deliveries are not acknowledged after {patience:?}").into());
            }
            sleep(Duration::from_millis(50)).await;
        }
        self.load.running.store(false, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended?;
        }
        Ok(())
    }
}

impl Load {
    /// The record so far.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        lock(&self.record)
    }

    /// Deliveries to be made or under way.
    pub fn waiting(&self) -> usize {
        lock(&self.queue).len() + self.flying.load(Ordering::SeqCst)
    }

    fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst)
    }

    fn is_buying(&self) -> bool {
        self.buying.load(Ordering::SeqCst)
    }

    fn enqueue(&self, index: usize, pause: Duration) {
        lock(&self.queue).push((Instant::now() + pause, index));
    }

    /// Takes a random due delivery: deliveries arrive in no order.
    fn take(&self, random: &mut Random) -> Option<usize> {
        let mut queue = lock(&self.queue);
        let now = Instant::now();
        let due: Vec<usize> = queue.iter().enumerate().filter(|(_, (at, _))| *at <= now).map(|(i, _)| i).collect();
        if due.is_empty() {
            return None;
        }
        let (_, index) = queue.swap_remove(*random.pick(&due));
        self.flying.fetch_add(1, Ordering::SeqCst);
        Some(index)
    }
}

async fn deliver(load: Arc<Load>, mut random: Random) {
    let mut client = Client::new(load.shop.address, PATIENCE);
    while load.is_running() {
        let Some(index) = load.take(&mut random) else {
            sleep(Duration::from_millis(5)).await;
            continue;
        };
        let (delivery, path, headers, body) = {
            let mut record = load.record();
            record.deliveries[index].sent += 1;
            let delivery = record.deliveries[index].clone();
            let body = record.body(&delivery);
            let (path, secret) = record.addressed(&load.shop, &delivery);
            let age = if delivery.saying == Saying::Stale { STALE } else { 0 };
            let time = clock::seconds() + load.offset.load(Ordering::SeqCst) / 1000 - age;
            (delivery, path, sign(secret, time, &body), body)
        };
        let headers = [("stripe-signature", headers.as_str()), ("content-type", "application/json")];
        let reply = client.post(path, &headers, &body).await;
        let again = heard(&load, index, &delivery, reply.as_ref().ok(), &mut random);
        if let Some(pause) = again {
            load.enqueue(index, pause);
        }
        load.flying.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Records a reply. Returns the pause before the delivery is sent again, if it is.
fn heard(
    load: &Load,
    index: usize,
    delivery: &Delivery,
    reply: Option<&Reply>,
    random: &mut Random,
) -> Option<Duration> {
    let mut record = load.record();
    let status = reply.map_or(0, |reply| reply.status);
    *record.replies.entry(status).or_default() += 1;
    let again = Some(Duration::from_millis(random.between(50, 400)));
    let genuine = delivery.saying.verdict().is_some();
    match (status, genuine) {
        (200..=299, true) => {
            record.deliveries[index].acknowledged += 1;
            return again.filter(|_| random.percent(20));
        }
        (400, false) => return None,
        (400, true) if load.clock_moves => return again,
        (0, _) => return again,
        (503, _) if reply.is_some_and(|reply| reply.header("retry-after").is_some()) => return again,
        _ => {}
    }
    let said = reply.map(Reply::text).unwrap_or_default();
    let outrage = format!("{:?} {} was answered with {status}: {said}", delivery.saying, delivery.event);
    record.outrages.push(outrage);
    None
}
