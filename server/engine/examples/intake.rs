//! Measures the inbox from within: signed Stripe-style deliveries of 3 KB from many tasks at once, on a real database.
//!
//! `cargo run --release -p engine --example intake -- URL [EVENTS] [MODE] [EVENTS_PER_PAYMENT] [TASKS]`
//!
//! URL is an empty database. MODE is `apply` (a payment's first event pays it, and events are applied while others arrive), `store`
//! (deliveries are stored and never applied), or `single` (as `store`, with one transaction for each delivery).

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use connectors::{Delivery, HttpRequest, HttpResponse};
use domain::id::{AttemptId, LinkId, MerchantId, OrderId, PaymentId, ProviderAccountId, SessionId, Token};
use domain::link::{Link, LinkState, Usage};
use domain::method::Method;
use domain::money::Money;
use domain::order::{Basket, Metadata, Policies, Returns};
use domain::payment::{Attempt, Capture, Payment, Refs, Stage};
use domain::session::{Session, SessionState};
use domain::{HOUR, Millis, Mode};
use engine::store::{Store, attempts, jobs, links, orders, payments, sessions};
use engine::{
    Clock, Engine, Env, Installation, Keyring, NewAccount, OsRandom, Received, Settings, SystemClock, Transport,
    TransportError, Tuning,
};
use futures::future::{BoxFuture, join_all};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;
use tokio_util::sync::CancellationToken;

/// The server's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn Error + Send + Sync>;

const SECRET: &str = "whsec_of_the_benchmark";
const BODY_BYTES: usize = 3 * 1024;
/// One event in this many warms the caches and is not counted.
const WARM_UP: usize = 10;

/// A transport that sends nothing.
struct Nowhere;

impl Transport for Nowhere {
    fn send<'a>(&'a self, _: &'a str, _: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse, TransportError>> {
        Box::pin(async { Err(TransportError::NotSent("nowhere".into())) })
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("which database?")?;
    let events: usize = arguments.next().map_or(Ok(50_000), |text| text.parse())?;
    let mode = arguments.next().unwrap_or_else(|| "apply".to_owned());
    let per_payment: usize = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let tasks: usize = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let bench = Arc::new(Bench::new(&url, events, &mode, per_payment).await?);
    let shutdown = CancellationToken::new();
    let background = (mode == "apply").then(|| {
        let (engine, shutdown) = (bench.engine.clone(), shutdown.clone());
        tokio::spawn(async move { engine.run(shutdown).await })
    });
    bench.run(0..events / WARM_UP, tasks).await?;
    bench.drain(background.is_some()).await?;
    let began = Instant::now();
    let busy = bench.run(events / WARM_UP..events, tasks).await?;
    let stored = began.elapsed();
    bench.drain(background.is_some()).await?;
    let applied = began.elapsed();
    let count = events - events / WARM_UP;
    println!("{mode}: {count} deliveries, {} per second stored, {} answered busy", rate(count, stored), busy);
    if background.is_some() {
        println!("{mode}: {} per second applied", rate(count, applied));
    }
    shutdown.cancel();
    if let Some(background) = background {
        background.await?;
    }
    Ok(())
}

fn rate(count: usize, time: Duration) -> u128 {
    count as u128 * 1_000_000 / time.as_micros().max(1)
}

struct Bench {
    engine: Engine,
    account: ProviderAccountId,
    attempts: Vec<AttemptId>,
    per_payment: usize,
}

impl Bench {
    async fn new(url: &str, events: usize, mode: &str, per_payment: usize) -> Result<Bench, Failure> {
        let store = Store::connect(url).await?;
        store.migrate().await?;
        let mut tuning = Tuning::of(store.dialect());
        if mode == "single" {
            tuning.batch = 1;
            tuning.committers = 16;
        }
        for (name, value) in
            [("COMMITTERS", &mut tuning.committers), ("APPLIERS", &mut tuning.appliers), ("BATCH", &mut tuning.batch)]
        {
            if let Ok(text) = std::env::var(name) {
                *value = text.parse()?;
            }
        }
        let env = Env { clock: Arc::new(SystemClock), random: Arc::new(OsRandom), transport: Arc::new(Nowhere) };
        let keyring = Keyring::parse(&Keyring::generate(&OsRandom))?;
        let engine = Engine::tuned(env, store, keyring, Settings::new("http://127.0.0.1:3000"), tuning);
        let merchant: MerchantId = engine.merchants(&Installation::operator()).add("Bench", None).await?.id.parse()?;
        let new = NewAccount {
            provider: "stripe".into(),
            base_url: Some("http://127.0.0.1:1".into()),
            credentials: [("secret_key".to_owned(), "sk_test_benchmark".to_owned())].into(),
            webhook_secrets: vec![SECRET.to_owned()],
        };
        let account: ProviderAccountId =
            engine.accounts(&Installation::operator().acting_for(&merchant, Mode::Test)).add(new).await?.id.parse()?;
        let wanted = if mode == "apply" { events.div_ceil(per_payment) } else { 1 };
        let attempts = seed(engine.store(), &merchant, &account, wanted).await?;
        Ok(Bench { engine, account, attempts, per_payment })
    }

    /// Delivers a range of events. Returns the number of busy answers; a delivery answered busy is sent again.
    async fn run(self: &Arc<Self>, range: std::ops::Range<usize>, tasks: usize) -> Result<usize, Failure> {
        let (next, busy) = (Arc::new(AtomicUsize::new(range.start)), Arc::new(AtomicUsize::new(0)));
        let work = (0..tasks).map(|_| {
            let (bench, next, busy, end) = (Arc::clone(self), Arc::clone(&next), Arc::clone(&busy), range.end);
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        return Ok(());
                    }
                    busy.fetch_add(bench.deliver(number).await?, Ordering::Relaxed);
                }
            })
        });
        for done in join_all(work.collect::<Vec<_>>()).await {
            done?.map_err(|error: String| error)?;
        }
        Ok(busy.load(Ordering::Relaxed))
    }

    async fn deliver(&self, number: usize) -> Result<usize, String> {
        let body = Bytes::from(self.body(number));
        let header = sign(&body, SystemClock.now() / 1_000);
        let mut headers = HeaderMap::new();
        headers.insert("stripe-signature", HeaderValue::from_str(&header).map_err(|error| error.to_string())?);
        let delivery = Delivery::posted(headers, body);
        for busy in 0.. {
            match self.engine.inbox().receive("stripe", self.account.as_str(), &delivery).await {
                Received::Reply(reply) if reply.status == 200 => return Ok(busy),
                Received::Busy(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                other => return Err(format!("{other:?}")),
            }
        }
        unreachable!("the loop returns")
    }

    fn body(&self, number: usize) -> String {
        let attempt = &self.attempts[(number / self.per_payment).min(self.attempts.len() - 1)];
        let created = SystemClock.now() / 1_000;
        let mut body = format!(
            r#"{{"id":"evt_{number:024}","object":"event","api_version":"2026-10-28.endive","created":{created},"livemode":false,
            "type":"payment_intent.succeeded","data":{{"object":{{"id":"pi_{attempt}","object":"payment_intent",
            "status":"succeeded","amount":3098,"amount_received":3098,"amount_capturable":0,"currency":"eur",
            "metadata":{{"till_attempt":"{attempt}"}},"description":""#
        );
        while body.len() < BODY_BYTES - 6 {
            body.push(char::from(b'a' + (body.len() % 23) as u8));
        }
        body.push_str("\"}}}");
        body
    }

    async fn drain(&self, applies: bool) -> Result<(), Failure> {
        while applies && self.engine.backlog().await? > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

fn sign(body: &[u8], time: Millis) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key will do");
    mac.update(format!("{time}.").as_bytes());
    mac.update(body);
    format!("t={time},v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// The bits of an id, in ascending order as the engine's time-ordered ids are.
fn bits(number: usize, salt: u8) -> [u8; 16] {
    let mut bits = [0; 16];
    bits[..8].copy_from_slice(&(number as u64).to_be_bytes());
    bits[8..].copy_from_slice(&(number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bits[8] = salt;
    bits
}

/// Inserts payments with an open page each, the state in which webhooks find them.
async fn seed(
    store: &Store,
    merchant: &MerchantId,
    account: &ProviderAccountId,
    count: usize,
) -> Result<Vec<AttemptId>, Failure> {
    let (now, eur) = (SystemClock.now(), Money::new(3098, "EUR".parse()?));
    let link = Link {
        id: LinkId::from_random(bits(0, 1)),
        token: Token::from_random(bits(0, 1)),
        merchant: merchant.clone(),
        state: LinkState::Active,
        usage: Usage::Reusable,
        live: false,
        basket: Basket::of(vec![]),
        total: eur,
        metadata: Metadata::default(),
        returns: Returns::default(),
        policies: Policies::default(),
        created: now,
    };
    let mut tx = store.begin().await?;
    let scope = Installation::operator().acting_for(&link.merchant, Mode::Test);
    links::insert(&mut tx, &scope, &link).await?;
    tx.commit().await?;
    let mut all = Vec::with_capacity(count);
    for chunk in (0..count).collect::<Vec<_>>().chunks(500) {
        let mut tx = store.begin().await?;
        let (mut attempts, mut wanted) = (vec![], vec![]);
        for number in chunk {
            let id = PaymentId::from_random(bits(*number, 2));
            let session = SessionId::from_random(bits(*number, 3));
            let mut attempt = Attempt::new(
                AttemptId::from_random(bits(*number, 4)),
                session.clone(),
                account.clone(),
                Method::Card,
                eur,
                now,
                now + HOUR,
            );
            attempt.stage = Stage::Open;
            attempt.refs = Refs { session: Some(format!("cs_{}", attempt.id)), payment: None };
            let payment = Payment {
                id: id.clone(),
                merchant: merchant.clone(),
                amount: eur,
                capture: Capture::Automatic,
                canceled: false,
                attempts: vec![],
            };
            let order = link.order(OrderId::from_random(bits(*number, 8)), now);
            orders::insert(&mut tx, &scope, &order, false).await?;
            payments::insert(&mut tx, &scope, &payment, &order, now).await?;
            let visit = Session {
                id: session.clone(),
                token: Token::from_random(bits(*number, 5)),
                merchant: merchant.clone(),
                order: order.id.clone(),
                payment: id.clone(),
                state: SessionState::Open,
                notice: None,
                created: now,
                expires: now + HOUR,
                extension: 0,
            };
            sessions::insert(&mut tx, &scope, &visit).await?;
            wanted.push(job(*number, 6, "expire", session.as_str(), now + HOUR));
            wanted.push(job(*number, 7, "check", attempt.id.as_str(), now + HOUR));
            all.push(attempt.id.clone());
            attempts.push((id, attempt));
        }
        let rows = attempts.iter().map(|(payment, attempt)| attempts::AttemptRow { payment, ordinal: 0, attempt });
        attempts::insert(&mut tx, &Installation::operator(), &rows.collect::<Vec<_>>(), now).await?;
        jobs::enqueue(&mut tx, &Installation::operator(), &wanted, now).await?;
        tx.commit().await?;
    }
    Ok(all)
}

fn job(number: usize, salt: u8, kind: &'static str, subject: &str, run_at: Millis) -> jobs::NewJob {
    let id = domain::id::JobId::from_random(bits(number, salt));
    jobs::NewJob { id, kind, subject: subject.to_owned(), account: None, run_at }
}
