//! Measures the way from a delivery to a changed payment: payments per second, and the time until an open page shows
//! the news.

use std::time::{Duration, Instant};

use sqlx::{Connection, query_scalar};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::Bench;
use super::intake::{Until, micros, send, stop};
use super::report::Figures;
use super::seed;
use super::site::{BenchSite, peak_memory_kib};
use crate::Failure;
use crate::clock;
use crate::http::{Client, request};
use crate::load::visit::Visitor;
use crate::random::Random;
use crate::record::{Case, Fate};
use crate::stripe::{About, id, sign};

/// The longest time for one piece of news.
const NEWS_MAX: Duration = Duration::from_secs(15);
/// The longest time until all deliveries are applied.
const APPLIED_MAX: Duration = Duration::from_secs(120);

/// The interval between two looks whether all is applied.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Measures both figures on a fresh server.
pub async fn measure(
    options: &Bench,
    site: &BenchSite,
    figures: &mut Figures,
    random: &mut Random,
) -> Result<(), Failure> {
    let cases = seed::open(site, options.payments, random).await?;
    let mut server = site.serve().await?;
    figures.applied_per_second.push(applied(options, site, &cases, random).await?);
    figures.applied_memory_kib = figures.applied_memory_kib.max(peak_memory_kib(&server));
    for case in prepare(site, options.pushes.div_ceil(options.applied_repetitions()), random).await? {
        figures.push_micros.push(push(site, &case, random).await?);
    }
    stop(&mut server).await
}

/// Delivers each payment's paid event. Returns payments per second, from the first byte sent until no delivery waits.
async fn applied(options: &Bench, site: &BenchSite, cases: &[Case], random: &mut Random) -> Result<u64, Failure> {
    let requests = cases.iter().map(|case| paid(site, case, random)).collect();
    let due = site.shop.database.number(PAID).await? + i64::try_from(cases.len())?;
    let mut looker = site.shop.database.look().await?;
    let sent = send(options, site, requests, Until::AllAcknowledged(APPLIED_MAX)).await?;
    let count = u64::try_from(cases.len())?;
    if sent.acknowledged != count {
        return Err(
            format!("{} of {count} deliveries were acknowledged within {APPLIED_MAX:?}", sent.acknowledged).into()
        );
    }
    while query_scalar::<_, i64>(WAITS).fetch_one(&mut looker).await? > 0 {
        if sent.began.elapsed() > APPLIED_MAX {
            return Err(format!("not all of {count} payments were paid within {APPLIED_MAX:?}").into());
        }
        sleep(LOOK_EVERY).await;
    }
    let took = micros(sent.began.elapsed()).max(1);
    looker.close().await?;
    let paid = site.shop.database.number(PAID).await?;
    if paid != due {
        return Err(format!("nothing waits any more, and {paid} payments are paid instead of {due}").into());
    }
    Ok(count * 1_000_000 / took)
}

const PAID: &str = "SELECT COUNT(*) FROM payments WHERE status = 'succeeded'";
/// Whether a delivery waits: the first row found ends the search.
const WAITS: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 FROM inbox WHERE state = 'pending' LIMIT 1) AS waiting";

/// Makes payments with a page open at the provider.
async fn prepare(site: &BenchSite, count: usize, random: &mut Random) -> Result<Vec<Case>, Failure> {
    let mut visitor = Visitor::new(&site.shop);
    let mut cases = vec![];
    while cases.len() < count {
        let link = random.pick(&site.shop.links).path.clone();
        let token = visitor.open(&link).await.ok_or("a link does not open")?;
        let session = visitor.start(&token).await.ok_or("no page was opened")?;
        let intent = format!("pi_{}", random.word());
        cases.push(visitor.look_up(token, session, intent, Fate::Paid).await.ok_or("the provider knows no session")?);
    }
    Ok(cases)
}

fn paid(site: &BenchSite, case: &Case, random: &mut Random) -> Vec<u8> {
    let now = clock::seconds();
    let event = id("evt", now, random);
    let about = About {
        event: &event,
        created: now,
        attempt: &case.attempt,
        session: &case.session,
        intent: &case.intent,
        amount: case.amount,
        currency: &case.currency,
    };
    let body = about.completed(2 * 1024);
    let signature = sign(&site.shop.account.secret, now, &body);
    let headers = [("stripe-signature", signature.as_str()), ("content-type", "application/json")];
    request("POST", site.shop.address, &site.shop.account.path, &headers, &body)
}

/// Opens a page's stream, delivers, and times the news. Returns microseconds from the first byte sent.
async fn push(site: &BenchSite, case: &Case, random: &mut Random) -> Result<u64, Failure> {
    let delivery = paid(site, case, random);
    let mut stream = TcpStream::connect(site.shop.address).await?;
    let path = format!("/c/{}/events", case.token);
    stream.write_all(&request("GET", site.shop.address, &path, &[("accept", "text/event-stream")], b"")).await?;
    let first = news(&mut stream, &mut vec![], 1).await?;
    let mut client = Client::new(site.shop.address, NEWS_MAX);
    let began = Instant::now();
    let (reply, heard) = futures::join!(client.exchange(&delivery), async {
        let heard = news(&mut stream, &mut vec![], 1).await;
        (heard, began.elapsed())
    });
    let reply = reply?;
    let (second, took) = heard;
    if reply.status != 200 || second? == first {
        return Err(format!("a delivery was answered with {} and the page was told nothing new", reply.status).into());
    }
    Ok(micros(took))
}

/// Reads until `count` pieces of news have arrived and returns the newest.
async fn news(stream: &mut TcpStream, buffer: &mut Vec<u8>, count: usize) -> Result<String, Failure> {
    let read = async {
        loop {
            let text = String::from_utf8_lossy(buffer).into_owned();
            let mut data = text.split("data: ").skip(1).filter_map(|rest| rest.split_once("\n").map(|(data, _)| data));
            if let Some(data) = data.nth(count - 1) {
                return Ok(data.to_owned());
            }
            if stream.read_buf(buffer).await? == 0 {
                return Err(Failure::from(format!("the stream ended: {text}")));
            }
        }
    };
    timeout(NEWS_MAX, read).await.map_err(|_| format!("no news within {NEWS_MAX:?}"))?
}
