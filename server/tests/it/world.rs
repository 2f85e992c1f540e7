//! A server, its database and the provider's simulator, each on its own port of this machine.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::http::{HeaderName, Method};
use connectors::{HttpRequest, HttpResponse, Registry};
use domain::checkout::{Phase, View};
use domain::id::{MerchantId, PaymentId, ProviderAccountId, Token};
use domain::line::Line;
use domain::link::Usage;
use domain::money::Money;
use domain::payment::Capture;
use domain::{HOUR, Millis};
use engine::store::Store;
use engine::{
    AccountSummary, Clock, Engine, Env, HttpTransport, Keyring, NewAccount, NewLink, OpenedLink, OsRandom, Random,
    Settings, Started, Statement, SystemClock, Transport, Tuning,
};
use futures::future::BoxFuture;
use sandbox::{Options, Sandbox, Seed};
use serde_json::{Value, json};
use server::bounds::Bounds;
use server::http::Door;
use server::http::address::Networks;
use sqlx::{Connection, Executor};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The longest a test waits for something that happens by itself.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Database {
    pub url: String,
    _directory: Option<TempDir>,
}

impl Database {
    pub fn sqlite() -> Database {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/till.db", directory.path().display());
        Database { url, _directory: Some(directory) }
    }

    pub async fn postgres() -> Database {
        let server = std::env::var("TILL_TEST_POSTGRES")
            .expect("TILL_TEST_POSTGRES names a PostgreSQL for tests; run them with .ci/with-postgres");
        let name = format!("till_{}", random_hex());
        let mut admin = sqlx::PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
        admin.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        Database { url: format!("{server}/{name}"), _directory: None }
    }
}

pub fn random_hex() -> String {
    let mut bytes = [0; 12];
    OsRandom.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One server.
pub struct Node {
    pub engine: Engine,
    pub url: String,
    background: CancellationToken,
    _stop: DropGuard,
}

impl Node {
    /// Ends jobs and appliers, as if the server had died; requests are still answered.
    pub fn stop_background(&self) {
        self.background.cancel();
    }
}

/// A clock that can be put forward.
#[derive(Default)]
pub struct Ahead(AtomicI64);

impl Ahead {
    pub fn by(&self, time: Millis) {
        self.0.fetch_add(time, Ordering::SeqCst);
    }
}

impl Clock for Ahead {
    fn now(&self) -> Millis {
        SystemClock.now() + self.0.load(Ordering::SeqCst)
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

pub struct World {
    pub database: Database,
    pub node: Node,
    pub sandbox: String,
    pub merchant: MerchantId,
    pub account: AccountSummary,
    pub secret_key: String,
    pub webhook_secret: String,
    pub http: HttpTransport,
    /// The master key.
    pub key: String,
    connectors: Registry,
    _stop: DropGuard,
}

impl World {
    pub async fn new(database: Database) -> World {
        World::knowing(database, Registry::default()).await
    }

    /// The same with other providers than those that are built in.
    pub async fn knowing(database: Database, connectors: Registry) -> World {
        let key = Keyring::generate(&OsRandom);
        let settings = Settings { public_url: String::new(), connectors: connectors.clone() };
        let node = serve(&database, &key, settings, Arc::new(SystemClock), |_| {}).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sandbox = format!("http://{}", listener.local_addr().unwrap());
        let (secret_key, webhook_secret) = (format!("sk_test_{}", random_hex()), format!("whsec_{}", random_hex()));
        let merchant = node.engine.add_merchant("Kettle & Leaf", None).await.unwrap();
        let merchant: MerchantId = merchant.id.parse().unwrap();
        let new = account_at(&sandbox, &secret_key, &webhook_secret);
        let account = node.engine.add_account(&merchant, new).await.unwrap();
        let seed = Seed {
            secret_key: secret_key.clone(),
            webhook_url: account.webhook_url.clone(),
            webhook_secret: webhook_secret.clone(),
        };
        let options = Options { public_url: sandbox.clone(), seed: Some(seed), ..Options::default() };
        let provider = Sandbox::new(options).await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(provider.run(listener, stop.clone()));
        let http = HttpTransport::new().unwrap();
        let stop = stop.drop_guard();
        World {
            database,
            node,
            sandbox,
            merchant,
            account,
            secret_key,
            webhook_secret,
            http,
            key,
            connectors,
            _stop: stop,
        }
    }

    /// The same with a merchant that is paid through Adyen, at the Adyen simulator.
    pub async fn with_adyen(database: Database) -> World {
        let mut world = World::new(database).await;
        let (api_key, hmac) =
            (format!("test_{}", random_hex()), format!("{}{}{}", random_hex(), random_hex(), "0123456789abcdef"));
        let merchant = world.engine().add_merchant("Harbour Books", None).await.unwrap();
        world.merchant = merchant.id.parse().unwrap();
        let credentials = [("api_key", api_key.as_str()), ("merchant_account", "HarbourBooks")];
        let new = NewAccount {
            provider: "adyen".to_owned(),
            base_url: Some(format!("{}/adyen", world.sandbox)),
            live: false,
            credentials: credentials.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            webhook_secrets: vec![hmac.clone()],
        };
        world.account = world.engine().add_account(&world.merchant, new).await.unwrap();
        let endpoint = json!({"account": api_key, "merchant_account": "HarbourBooks", "url": world.account.webhook_url, "hmac_key": hmac});
        world.control("adyen/endpoint", endpoint).await;
        (world.secret_key, world.webhook_secret) = (api_key, hmac);
        world
    }

    /// Enters a card on Adyen's page; the holder's name chooses the outcome. Returns the reply's status.
    pub async fn pay_at_adyen(&self, page: &str, holder: &str) -> u16 {
        let fields = [
            ("number", "4111111111111111"),
            ("expiry", "03/30"),
            ("cvc", "737"),
            ("holderName", holder),
            ("action", "pay"),
        ];
        self.post_form(page, &fields).await.status
    }

    /// Another server on the same database.
    pub async fn second_node(&self) -> Node {
        self.tuned_node(|_| {}).await
    }

    /// The same with an inbox of another size.
    pub async fn tuned_node(&self, tune: impl FnOnce(&mut Tuning)) -> Node {
        serve(&self.database, &self.key, self.settings(), Arc::new(SystemClock), tune).await
    }

    fn settings(&self) -> Settings {
        Settings { public_url: self.node.url.clone(), connectors: self.connectors.clone() }
    }

    /// Another server that takes the time from elsewhere.
    pub async fn node_with_clock(&self, clock: Arc<dyn Clock>) -> Node {
        serve(&self.database, &self.key, self.settings(), clock, |_| {}).await
    }

    /// Another server that alone runs jobs and applies deliveries from now on, with a clock that can be put forward.
    pub async fn ahead(&self) -> (Node, Arc<Ahead>) {
        let clock = Arc::new(Ahead::default());
        let node = self.node_with_clock(clock.clone()).await;
        self.node.stop_background();
        (node, clock)
    }

    /// When a job is due, in milliseconds since 1970.
    pub async fn due(&self, kind: &str, subject: &str) -> Option<Millis> {
        let mut connection = self.engine().store().reader().await.unwrap();
        engine::store::jobs::due(&mut connection, kind, subject).await.unwrap()
    }

    pub fn engine(&self) -> &Engine {
        &self.node.engine
    }

    pub fn account_id(&self) -> ProviderAccountId {
        self.account.id.parse().unwrap()
    }

    /// A link over two items, EUR 30.98.
    pub async fn link(&self, usage: Usage) -> Token {
        self.link_with_ttl(usage, HOUR).await
    }

    /// A fresh session of a one-time link whose money is only authorised.
    pub async fn session_to_capture(&self) -> Token {
        let link = self.link_with(Usage::Once, HOUR, Capture::Manual).await;
        self.open(&link).await
    }

    pub async fn link_with_ttl(&self, usage: Usage, session_ttl: i64) -> Token {
        self.link_with(usage, session_ttl, Capture::Automatic).await
    }

    async fn link_with(&self, usage: Usage, session_ttl: i64, capture: Capture) -> Token {
        let eur = "EUR".parse().unwrap();
        let line = |name: &str, minor, quantity| Line {
            name: name.to_owned(),
            description: None,
            unit: Money::new(minor, eur),
            quantity,
        };
        let lines = vec![line("Tea", 1299, 2), line("Cup", 500, 1)];
        let new = NewLink { lines, usage, live: false, session_ttl, extendable: true, capture };
        let link = self.engine().add_link(&self.merchant, new).await.unwrap();
        link.url.rsplit('/').next().unwrap().parse().unwrap()
    }

    pub async fn open(&self, link: &Token) -> Token {
        match self.engine().open_link(link).await.unwrap() {
            OpenedLink::Session(token) => token,
            OpenedLink::Inactive { .. } => panic!("the link is inactive"),
        }
    }

    /// A fresh session of a one-time link.
    pub async fn session(&self) -> Token {
        let link = self.link(Usage::Once).await;
        self.open(&link).await
    }

    pub async fn view(&self, token: &Token) -> View {
        self.engine().view(token, false).await.unwrap()
    }

    pub async fn phase(&self, token: &Token) -> Phase {
        self.view(token).await.phase
    }

    /// Starts with a card and returns the address of the provider's page.
    pub async fn start(&self, token: &Token) -> String {
        assert_eq!(self.engine().start(token, domain::method::Method::Card, None).await.unwrap(), Started::Redirect);
        self.engine().handoff(token).await.unwrap().expect("a page is open").address().to_owned()
    }

    /// Enters a card on the provider's page; returns the reply's status.
    pub async fn pay(&self, page: &str, number: &str) -> u16 {
        self.post_form(page, &[("number", number), ("expiry", "12/40"), ("cvc", "123")]).await.status
    }

    pub async fn wait_for(&self, token: &Token, phase: Phase) {
        eventually(&format!("{phase:?}"), || async { self.phase(token).await == phase }).await;
    }

    pub async fn payment_of(&self, token: &Token) -> PaymentId {
        self.stored_session(token).await.payment
    }

    pub async fn stored_session(&self, token: &Token) -> domain::session::Session {
        let mut connection = self.engine().store().reader().await.unwrap();
        engine::store::sessions::by_token(&mut connection, token).await.unwrap().unwrap().session
    }

    /// The payment's events.
    pub async fn events(&self, token: &Token) -> Vec<engine::store::payments::Happened> {
        let id = self.payment_of(token).await;
        let mut connection = self.engine().store().reader().await.unwrap();
        engine::store::payments::events(&mut connection, &id).await.unwrap()
    }

    /// A fresh payment, paid with a card.
    pub async fn paid_with(&self, card: &str) -> (Token, PaymentId) {
        let session = self.session().await;
        let page = self.start(&session).await;
        self.pay(&page, card).await;
        self.wait_for(&session, Phase::Paid).await;
        let payment = self.payment_of(&session).await;
        (session, payment)
    }

    /// A fresh payment, authorised only.
    pub async fn authorised(&self) -> (Token, PaymentId) {
        let session = self.session_to_capture().await;
        let page = self.start(&session).await;
        self.pay(&page, "4242424242424242").await;
        self.wait_for(&session, Phase::Authorised).await;
        let payment = self.payment_of(&session).await;
        (session, payment)
    }

    /// Everything about a payment.
    pub async fn statement(&self, payment: &PaymentId) -> Statement {
        self.engine().statement(payment).await.unwrap()
    }

    /// The ledger agrees with every payment, and every balance sheet adds up to zero.
    pub async fn books_are_right(&self) {
        let (_, wrong) = self.engine().audit_ledger().await.unwrap();
        assert_eq!(wrong, vec![]);
        let balances = self.engine().balances(&self.merchant, false).await.unwrap();
        assert_eq!(balances.iter().map(|balance| balance.minor).sum::<i64>(), 0, "{balances:?}");
    }

    /// A balance of the merchant, debit positive.
    pub async fn balance(&self, account: &str) -> i64 {
        let balances = self.engine().balances(&self.merchant, false).await.unwrap();
        balances.iter().find(|balance| balance.account == account).map_or(0, |balance| balance.minor)
    }

    /// In the order of arrival.
    pub async fn inbox(&self) -> Vec<engine::store::inbox::InboxRow> {
        let mut connection = self.engine().store().reader().await.unwrap();
        let mut rows = engine::store::inbox::of_account(&mut connection, &self.account_id(), 1000).await.unwrap();
        rows.sort_by(|a, b| (a.received, &a.id).cmp(&(b.received, &b.id)));
        rows
    }

    pub async fn alert_kinds(&self) -> Vec<String> {
        self.engine().alerts(100).await.unwrap().into_iter().map(|alert| alert.kind).collect()
    }

    /// Sets a switch of the sandbox.
    pub async fn control(&self, path: &str, body: Value) {
        let (url, body) = (format!("{}/_control/{path}", self.sandbox), body.to_string());
        let reply = self.send(Method::POST, &url, "application/json", &body, &[]).await;
        assert!(reply.status < 300, "{path} {body}: {}", String::from_utf8_lossy(&reply.body));
    }

    /// What the sandbox was asked, of one operation.
    pub async fn calls(&self, operation: &str) -> Vec<Value> {
        let url = format!("{}/_control/calls?account={}&operation={operation}", self.sandbox, self.secret_key);
        let reply = self.send(Method::GET, &url, "", "", &[]).await;
        let calls: Value = serde_json::from_slice(&reply.body).unwrap();
        let calls = calls.get("data").or_else(|| calls.get("calls")).unwrap_or(&calls);
        calls.as_array().unwrap_or_else(|| panic!("no list of calls: {calls}")).clone()
    }

    /// An object or list of the provider's API.
    pub async fn provider(&self, path: &str) -> Value {
        let bearer = format!("Bearer {}", self.secret_key);
        let reply =
            self.send(Method::GET, &format!("{}{path}", self.sandbox), "", "", &[("authorization", &bearer)]).await;
        serde_json::from_slice(&reply.body).unwrap()
    }

    pub async fn get(&self, url: &str) -> HttpResponse {
        self.send(Method::GET, url, "", "", &[("accept", "text/html")]).await
    }

    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> HttpResponse {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, url, "application/x-www-form-urlencoded", &body, &[("accept", "text/html")]).await
    }

    pub async fn send(
        &self,
        method: Method,
        url: &str,
        content_type: &str,
        body: &str,
        headers: &[(&'static str, &str)],
    ) -> HttpResponse {
        let mut headers: Vec<_> = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let authorization = match headers.iter().position(|(name, _)| *name == "authorization") {
            Some(at) => headers.remove(at).1,
            None => String::new(),
        };
        if !content_type.is_empty() {
            headers.push(("content-type", content_type.to_owned()));
        }
        let request = HttpRequest {
            name: "test",
            method,
            path: String::new(),
            credential_header: "authorization",
            credential: authorization.into(),
            headers,
            body: body.to_owned(),
        };
        self.http.send(url, &request).await.unwrap()
    }
}

/// Credentials of an account at the sandbox.
pub fn account_at(sandbox: &str, secret_key: &str, webhook_secret: &str) -> NewAccount {
    NewAccount {
        provider: "stripe".to_owned(),
        base_url: Some(sandbox.to_owned()),
        live: false,
        credentials: BTreeMap::from([("secret_key".to_owned(), secret_key.to_owned())]),
        webhook_secrets: vec![webhook_secret.to_owned()],
    }
}

/// Starts a server. Without an address in the settings it is reached where it listens.
async fn serve(
    database: &Database,
    key: &str,
    mut settings: Settings,
    clock: Arc<dyn Clock>,
    tune: impl FnOnce(&mut Tuning),
) -> Node {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let store = Store::connect(&database.url).await.unwrap();
    store.migrate().await.unwrap();
    let env = Env { clock, random: Arc::new(OsRandom), transport: Arc::new(HttpTransport::new().unwrap()) };
    if settings.public_url.is_empty() {
        settings.public_url.clone_from(&url);
    }
    let mut tuning = Tuning::of(store.dialect());
    tune(&mut tuning);
    let engine = Engine::tuned(env, store, Keyring::parse(key).unwrap(), settings, tuning);
    let stop = CancellationToken::new();
    let background = stop.child_token();
    let bounds = Bounds::of(4_096);
    let router = server::http::router(engine.clone(), bounds, Networks::default(), stop.clone()).unwrap();
    let door =
        Door { connections: bounds.connections, connections_of_peer: bounds.connections, proxies: Networks::default() };
    let (workers, ended) = (engine.clone(), background.clone());
    tokio::spawn(async move { assert!(workers.run(ended).await) });
    tokio::spawn(server::http::serve(listener, router, door, stop.clone()));
    Node { engine, url, background, _stop: stop.drop_guard() }
}

/// Waits until a condition holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "never happened: {what}");
}

/// A Stripe-Signature header for a body.
pub fn sign(secret: &str, time: i64, body: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time},v1={digest}")
}

/// Seconds since 1970.
pub fn seconds() -> i64 {
    engine::Clock::now(&SystemClock) / 1000
}

/// The webhook of a paid session, as the provider would send it.
pub fn paid_event(id: &str, attempt: &str, session: &str, amount: i64, currency: &str) -> String {
    json!({
        "id": id, "object": "event", "type": "checkout.session.completed", "created": seconds(), "livemode": false,
        "data": {"object": {
            "id": session, "object": "checkout.session", "status": "complete", "payment_status": "paid",
            "payment_intent": "pi_forged", "amount_total": amount, "currency": currency,
            "client_reference_id": attempt, "metadata": {"till_attempt": attempt}
        }}
    })
    .to_string()
}

/// A header by name.
pub fn header(reply: &HttpResponse, name: &'static str) -> String {
    let value = reply.headers.get(HeaderName::from_static(name));
    value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
