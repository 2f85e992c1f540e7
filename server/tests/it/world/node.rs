//! Servers and their databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Millis;
use engine::store::Store;
use engine::{Clock, Engine, Env, HttpTransport, Keyring, OsRandom, Settings, SystemClock, Tuning};
use futures::future::BoxFuture;
use server::bounds::Bounds;
use server::http::Door;
use server::http::address::Networks;
use sqlx::{Connection, Executor};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::random_hex;

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

    /// One that is elsewhere, or nowhere.
    pub fn at(url: &str) -> Database {
        Database { url: url.to_owned(), _directory: None }
    }

    pub async fn postgres() -> Database {
        Database::postgres_with("").await
    }

    /// The same with options of `CREATE DATABASE`.
    pub async fn postgres_with(options: &str) -> Database {
        let server = std::env::var("TILL_TEST_POSTGRES")
            .expect("TILL_TEST_POSTGRES names a PostgreSQL for tests; run them with .ci/with-postgres");
        let name = format!("till_{}", random_hex());
        let mut admin = sqlx::PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
        admin.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} {options}"))).await.unwrap();
        Database { url: format!("{server}/{name}"), _directory: None }
    }
}

/// One server.
pub struct Node {
    pub engine: Engine,
    pub url: String,
    background: CancellationToken,
    _stop: DropGuard,
}

impl Node {
    /// Stops jobs and deliveries, as if the server had died. Requests are still answered.
    pub fn stop_background(&self) {
        self.background.cancel();
    }
}

/// A clock that can be advanced.
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

/// Starts a server on a port of its own. Without a public address in the settings, its public address is that port.
pub(super) async fn serve(
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
    let router = server::http::router(engine.clone(), bounds, Networks::default()).unwrap();
    let door =
        Door { connections: bounds.connections, connections_of_peer: bounds.connections, proxies: Networks::default() };
    let (workers, ended) = (engine.clone(), background.clone());
    tokio::spawn(async move { assert!(workers.run(ended).await) });
    tokio::spawn(server::http::serve(listener, router, door, stop.clone()));
    Node { engine, url, background, _stop: stop.drop_guard() }
}
