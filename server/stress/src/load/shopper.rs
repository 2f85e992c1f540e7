//! A shopper without WebAssembly: plain links and forms.

use std::io::Error;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::{Load, QUEUE_MAX, lock};
use crate::clock;
use crate::http::Client;
use crate::random::Random;
use crate::record::{Case, Delivery, Fate, sayings};
use crate::shop::{Link, text};

/// How long a shopper waits for a page.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often the button is pressed before the shopper leaves.
const PRESSES: usize = 4;

struct Shopper {
    load: Arc<Load>,
    random: Random,
    first: Client,
    second: Client,
    provider: Client,
}

pub(super) async fn run(load: Arc<Load>, random: Random) {
    let client = |address| Client::new(address, PATIENCE);
    let (first, second) = (client(load.shop.address), client(load.shop.address));
    let provider = client(load.shop.sandbox);
    let mut shopper = Shopper { load, random, first, second, provider };
    while shopper.load.is_buying() {
        let crowded = shopper.load.waiting() > QUEUE_MAX;
        if crowded || shopper.buy().await.is_none() {
            let pause = shopper.random.between(20, 150);
            sleep(Duration::from_millis(pause)).await;
        }
    }
}

fn location(reply: Result<crate::http::Reply, Error>) -> Option<String> {
    let reply = reply.ok()?;
    let location = reply.header("location")?;
    (reply.status == 303).then(|| location.to_owned())
}

impl Shopper {
    /// One visit. `None` if it came to nothing.
    async fn buy(&mut self) -> Option<()> {
        let token = self.open().await?;
        self.load.record().opened += 1;
        let session = self.start(&token).await?;
        let case = self.look_up(token, session).await?;
        self.arrange(case);
        Some(())
    }

    /// Opens a link; a one-time link twice at once, which must lead to the same session.
    async fn open(&mut self) -> Option<String> {
        let rare = if self.random.percent(15) { lock(&self.load.once).pop() } else { None };
        let Link { path, once } = rare.unwrap_or_else(|| self.random.pick(&self.load.shop.links).clone());
        if !once {
            return token(location(self.first.get(&path, &[]).await)?);
        }
        let (one, two) = futures::join!(self.first.get(&path, &[]), self.second.get(&path, &[]));
        match (location(one).and_then(token), location(two).and_then(token)) {
            (Some(one), Some(two)) if one != two => {
                let outrage = format!("{path} led to two sessions, {one} and {two}");
                self.load.record().outrages.push(outrage);
                None
            }
            (one, two) => one.or(two),
        }
    }

    /// Presses the button, sometimes twice at once, until a page is open; returns the provider's session.
    async fn start(&mut self, token: &str) -> Option<String> {
        let body = format!("token={token}&method=card&lang=");
        let headers = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
        for _ in 0..PRESSES {
            let first = self.first.post("/fn/start_payment", &headers, body.as_bytes());
            let reply = if self.random.percent(20) {
                let second = self.second.post("/fn/start_payment", &headers, body.as_bytes());
                let (one, two) = futures::join!(first, second);
                one.or(two)
            } else {
                first.await
            };
            if location(reply).is_some_and(|location| location.contains("/go")) {
                let page = self.first.get(&format!("/c/{token}/go"), &headers[..1]).await;
                return page.ok().and_then(|page| provider_session(&page.text()));
            }
            sleep(Duration::from_millis(200)).await;
        }
        None
    }

    async fn look_up(&mut self, token: String, session: String) -> Option<Case> {
        let bearer = format!("Bearer {}", self.load.shop.secret_key);
        let path = format!("/v1/checkout/sessions/{session}");
        let reply = self.provider.get(&path, &[("authorization", &bearer)]).await.ok()?;
        let known: Value = serde_json::from_slice(&reply.body).ok()?;
        let fate = *self.random.pick(&[Fate::Paid, Fate::Paid, Fate::Refunded, Fate::Victim]);
        let intent = format!("pi_{}", self.random.word());
        let (attempt, currency) = (text(&known, "client_reference_id").ok()?, text(&known, "currency").ok()?);
        let amount = known["amount_total"].as_i64()?;
        Some(Case { token, attempt, session, intent, amount, currency, fate })
    }

    /// Decides what the provider will say.
    fn arrange(&mut self, case: Case) {
        let said = sayings(case.fate, case.amount, &mut self.random);
        let mut record = self.load.record();
        // A page that was returned to rather than opened is somebody else's case already.
        if record.cases.iter().rev().any(|known| known.attempt == case.attempt) {
            return;
        }
        let index = record.cases.len();
        record.cases.push(case);
        for saying in said {
            let event = format!("evt_{}", self.random.word());
            let created = clock::seconds();
            let delivery = Delivery { event, case: index, saying, created, sent: 0, acknowledged: 0 };
            let number = record.deliveries.len();
            record.deliveries.push(delivery);
            // Sometimes two copies are under way at once.
            for _ in 0..if self.random.percent(15) { 2 } else { 1 } {
                let pause = Duration::from_millis(self.random.below(300));
                self.load.enqueue(number, pause);
            }
        }
    }
}

fn token(location: String) -> Option<String> {
    let rest = location.strip_prefix("/c/")?;
    rest.split(['?', '/']).next().map(str::to_owned)
}

fn provider_session(page: &str) -> Option<String> {
    let rest = &page[page.find("/c/pay/")? + "/c/pay/".len()..];
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    (end > 0).then(|| rest[..end].to_owned())
}
