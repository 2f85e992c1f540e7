//! A server, its database and the provider's simulator, each on its own port of this machine.

mod look;
mod node;
mod send;
mod tools;
mod visit;

use std::collections::BTreeMap;
use std::sync::Arc;

use connectors::Registry;
use domain::id::{MerchantId, ProviderAccountId};
use domain::{Millis, Mode};
use engine::{
    AccountSummary, Accounts, Checkout, Clock, Engine, HttpTransport, Installation, Keyring, Keys, LinkSummary, Links,
    NewAccount, OsRandom, Page, Payments, Scope, Settings, SystemClock, Tuning, Upkeep,
};
use sandbox::{Options, Sandbox, Seed};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use node::serve;
pub use node::{Ahead, Database, Node};
pub use tools::{Told, eventually, header, paid_event, random_hex, seconds, sign};

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

    /// The same with a given set of connectors.
    pub async fn knowing(database: Database, connectors: Registry) -> World {
        let key = Keyring::generate(&OsRandom);
        let settings = Settings { public_url: String::new(), connectors: connectors.clone() };
        let node = serve(&database, &key, settings, Arc::new(SystemClock), |_| {}).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sandbox = format!("http://{}", listener.local_addr().unwrap());
        let (secret_key, webhook_secret) = (format!("sk_test_{}", random_hex()), format!("whsec_{}", random_hex()));
        let merchant = node.engine.merchants(&operator()).add("Kettle & Leaf", None).await.unwrap();
        let merchant: MerchantId = merchant.id.parse().unwrap();
        let new = account_at(&sandbox, &secret_key, &webhook_secret);
        let account = node.engine.accounts(&acting_for(&merchant, Mode::Test)).add(new).await.unwrap();
        let seed = Seed {
            provider: "stripe",
            key: secret_key.clone(),
            webhook_url: account.webhook_url.clone(),
            webhook_secret: webhook_secret.clone(),
            ..Seed::default()
        };
        let options = Options { public_url: sandbox.clone(), seeds: vec![seed], ..Options::default() };
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
        let merchant = world.engine().merchants(&operator()).add("Harbour Books", None).await.unwrap();
        world.merchant = merchant.id.parse().unwrap();
        let credentials = [("api_key", api_key.as_str()), ("merchant_account", "HarbourBooks")];
        let new = NewAccount {
            provider: "adyen".to_owned(),
            base_url: Some(format!("{}/adyen", world.sandbox)),
            credentials: credentials.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            webhook_secrets: vec![hmac.clone()],
        };
        world.account = world.accounts().add(new).await.unwrap();
        let endpoint = json!({"account": api_key, "merchant_account": "HarbourBooks", "url": world.account.webhook_url, "hmac_key": hmac});
        world.control("adyen/endpoint", endpoint).await;
        (world.secret_key, world.webhook_secret) = (api_key, hmac);
        world
    }

    /// Another server on the same database.
    pub async fn second_node(&self) -> Node {
        self.tuned_node(|_| {}).await
    }

    /// The same with another tuning of the inbox.
    pub async fn tuned_node(&self, tune: impl FnOnce(&mut Tuning)) -> Node {
        serve(&self.database, &self.key, self.settings(), Arc::new(SystemClock), tune).await
    }

    /// Another server on the same database that is reached at another address.
    pub async fn moved_node(&self, public_url: &str) -> Node {
        let settings = Settings { public_url: public_url.to_owned(), ..self.settings() };
        serve(&self.database, &self.key, settings, Arc::new(SystemClock), |_| {}).await
    }

    fn settings(&self) -> Settings {
        Settings { public_url: self.node.url.clone(), connectors: self.connectors.clone() }
    }

    /// Another server with a given clock.
    pub async fn node_with_clock(&self, clock: Arc<dyn Clock>) -> Node {
        serve(&self.database, &self.key, self.settings(), clock, |_| {}).await
    }

    /// Another server with a clock that can be advanced. From now on it alone runs jobs and applies deliveries.
    pub async fn ahead(&self) -> (Node, Arc<Ahead>) {
        let clock = Arc::new(Ahead::default());
        let node = self.node_with_clock(clock.clone()).await;
        self.node.stop_background();
        (node, clock)
    }

    /// The due time of a job, in milliseconds since 1970.
    pub async fn due(&self, kind: &str, subject: &str) -> Option<Millis> {
        let mut connection = self.engine().store().reader().await.unwrap();
        engine::store::jobs::due(&mut connection, &operator(), kind, subject).await.unwrap()
    }

    pub fn engine(&self) -> &Engine {
        &self.node.engine
    }

    /// The operator acting for the world's merchant, in test mode.
    pub fn scope(&self) -> Scope {
        acting_for(&self.merchant, Mode::Test)
    }

    pub fn money(&self) -> Payments {
        self.engine().money(&self.scope())
    }

    pub fn links(&self) -> Links {
        self.engine().links(&self.scope())
    }

    pub async fn newest_links(&self) -> Vec<LinkSummary> {
        self.links().list(&Page::first(1_000)).await.unwrap().rows
    }

    pub fn accounts(&self) -> Accounts {
        self.engine().accounts(&self.scope())
    }

    pub fn keys(&self) -> Keys {
        self.engine().keys(&self.scope())
    }

    pub fn upkeep(&self) -> Upkeep {
        self.engine().upkeep(&operator())
    }

    pub fn checkout(&self) -> &Checkout {
        self.engine().checkout()
    }

    pub fn account_id(&self) -> ProviderAccountId {
        self.account.id.parse().unwrap()
    }
}

/// The operator's installation.
pub fn operator() -> Installation {
    Installation::operator()
}

/// The operator acting for a merchant.
pub fn acting_for(merchant: &MerchantId, mode: Mode) -> Scope {
    operator().acting_for(merchant, mode)
}

/// An account at the sandbox, with its credentials.
pub fn account_at(sandbox: &str, secret_key: &str, webhook_secret: &str) -> NewAccount {
    NewAccount {
        provider: "stripe".to_owned(),
        base_url: Some(sandbox.to_owned()),
        credentials: BTreeMap::from([("secret_key".to_owned(), secret_key.to_owned())]),
        webhook_secrets: vec![webhook_secret.to_owned()],
    }
}
