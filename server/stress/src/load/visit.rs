//! The steps of a shopper without WebAssembly: plain links and forms.

use std::time::Duration;

use serde_json::Value;

use crate::http::{Client, Reply};
use crate::record::{Case, Fate};
use crate::shop::{Shop, text};

/// The shopper's wait for a page.
const PATIENCE: Duration = Duration::from_secs(4);

/// A browser with two connections, and a client of the provider's API.
pub struct Visitor {
    first: Client,
    second: Client,
    provider: Client,
    bearer: String,
}

impl Visitor {
    /// A visitor of a shop.
    pub fn new(shop: &Shop) -> Visitor {
        let client = |address| Client::new(address, PATIENCE);
        let bearer = format!("Bearer {}", shop.secret_key);
        Visitor { first: client(shop.address), second: client(shop.address), provider: client(shop.sandbox), bearer }
    }

    /// Opens a link, presses the button and returns the token of the session, which may be a new or an existing one.
    pub async fn open(&mut self, link: &str) -> Option<String> {
        let page = self.first.get(link, &[]).await.ok()?;
        if page.status == 303 {
            return token(page.header("location")?.to_owned());
        }
        let body = press(link.strip_prefix("/l/")?);
        token(location(self.first.post("/fn/start_payment", &FORM, body.as_bytes()).await)?)
    }

    /// Presses the button of a link in two windows at once.
    pub async fn open_twice(&mut self, link: &str) -> [Option<String>; 2] {
        let body = press(link.trim_start_matches("/l/"));
        let one = self.first.post("/fn/start_payment", &FORM, body.as_bytes());
        let two = self.second.post("/fn/start_payment", &FORM, body.as_bytes());
        let (one, two) = futures::join!(one, two);
        [one, two].map(|reply| location(reply).and_then(token))
    }

    /// Presses the button. Returns the provider's session if its page is open now.
    pub async fn start(&mut self, token: &str) -> Option<String> {
        let body = press(token);
        let reply = self.first.post("/fn/start_payment", &FORM, body.as_bytes()).await;
        self.go(token, location(reply)?).await
    }

    /// Presses the button twice at once.
    pub async fn start_twice(&mut self, token: &str) -> Option<String> {
        let body = press(token);
        let one = self.first.post("/fn/start_payment", &FORM, body.as_bytes());
        let two = self.second.post("/fn/start_payment", &FORM, body.as_bytes());
        let (one, two) = futures::join!(one, two);
        self.go(token, location(one).or(location(two))?).await
    }

    async fn go(&mut self, token: &str, location: String) -> Option<String> {
        if !location.contains("/go") {
            return None;
        }
        let page = self.first.get(&format!("/c/{token}/go"), &FORM[..1]).await.ok()?;
        provider_session(&page.text())
    }

    /// Pays with a card on the provider's page and returns the provider's intent.
    pub async fn pay(&mut self, session: &str) -> Option<String> {
        let card = b"number=4242424242424242&expiry=12/34&cvc=123";
        let paid = self.provider.post(&format!("/c/pay/{session}"), &FORM, card).await.ok()?;
        if paid.status != 303 {
            return None;
        }
        text(&self.session(session).await?, "payment_intent").ok()
    }

    async fn session(&mut self, session: &str) -> Option<Value> {
        let path = format!("/v1/checkout/sessions/{session}");
        let reply = self.provider.get(&path, &[("authorization", &self.bearer)]).await.ok()?;
        serde_json::from_slice(&reply.body).ok()
    }

    /// The provider's data of its session.
    pub async fn look_up(&mut self, token: String, session: String, intent: String, fate: Fate) -> Option<Case> {
        let known = self.session(&session).await?;
        let (attempt, currency) = (text(&known, "client_reference_id").ok()?, text(&known, "currency").ok()?);
        Some(Case { token, attempt, session, intent, amount: known["amount_total"].as_i64()?, currency, fate })
    }
}

const FORM: [(&str, &str); 2] = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];

fn press(token: &str) -> String {
    format!("token={token}&method=card&lang=")
}

fn location(reply: Result<Reply, std::io::Error>) -> Option<String> {
    let reply = reply.ok()?;
    let location = reply.header("location")?;
    (reply.status == 303).then(|| location.to_owned())
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
