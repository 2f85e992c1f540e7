//! Readiness and metrics from the operators' view.

use axum::http::Method;
use engine::store::{Dialect, Store};
use engine::{Engine, Env, HttpTransport, Keyring, OsRandom, Settings, SystemClock};
use std::sync::Arc;
use tokio::net::TcpListener;

use crate::both;
use crate::running::{self, Running};
use crate::world::{World, eventually, random_hex};

/// Starts an engine's listener for operators and returns its address.
async fn operations(engine: Engine) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = server::http::operations(engine, server::http::Metrics::install(), None);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Another server on the world's database, reached at another address.
async fn engine_at(world: &World, url: &str) -> Engine {
    let store = Store::connect(url).await.unwrap();
    let transport = Arc::new(HttpTransport::new().unwrap());
    let env = Env { clock: Arc::new(SystemClock), random: Arc::new(OsRandom), transport };
    let settings = Settings::new(world.node.url.clone());
    Engine::new(env, store, Keyring::parse(&world.key).unwrap(), settings)
}

/// Another server that can only read the world's database, as when a mount becomes read-only or a database falls back
/// to a standby.
pub async fn engine_that_reads(world: &World) -> Engine {
    let how = match world.engine().store().dialect() {
        Dialect::Postgres => "options[default_transaction_read_only]=on",
        Dialect::Sqlite => "mode=ro",
    };
    engine_at(world, &format!("{}?{how}", world.database.url)).await
}

both! {
    async fn a_server_that_can_only_read_is_not_ready(world: World) {
        let well = operations(world.engine().clone()).await;
        assert_eq!(world.get(&format!("{well}/readyz")).await.status, 200);
        let engine = engine_that_reads(&world).await;
        let link = world.link(domain::link::Usage::Once).await;
        assert!(engine.checkout().act_on(&link).await.is_err(), "nothing can be written");
        let ill = operations(engine).await;
        let reply = world.get(&format!("{ill}/readyz")).await;
        assert_eq!(reply.status, 503);
        assert!(String::from_utf8_lossy(&reply.body).contains("written"), "it says why");
        assert_eq!(world.get(&format!("{well}/readyz")).await.status, 200, "the other server is as ready as before");
    }
}

both! {
    async fn readiness_is_asked_often_and_leaves_nothing_behind(world: World) {
        let ops = operations(world.engine().clone()).await;
        let size = async || {
            let mut connection = world.engine().store().reader().await.unwrap();
            let query = match world.engine().store().dialect() {
                Dialect::Sqlite => "SELECT page_count FROM pragma_page_count",
                Dialect::Postgres => "SELECT CAST(SUM(n_live_tup + n_dead_tup) AS BIGINT) FROM pg_stat_user_tables",
            };
            sqlx::query_scalar::<_, i64>(query).fetch_one(&mut *connection).await.unwrap()
        };
        assert_eq!(world.get(&format!("{ops}/readyz")).await.status, 200);
        let before = size().await;
        for _ in 0..200 {
            assert_eq!(world.get(&format!("{ops}/readyz")).await.status, 200);
        }
        assert!(size().await <= before + 20, "{} against {before}", size().await);
    }
}

both! {
    async fn nobody_outside_can_choose_a_label(world: World) {
        let ops = operations(world.engine().clone()).await;
        let mine = format!("p{}", random_hex());
        world.engine().store().close().await;
        let account = &world.account.id;
        for number in 0..40 {
            for path in [format!("/hooks/{mine}{number}/{account}"), format!("/hooks/{mine}{number}/x"), format!("/{mine}{number}")] {
                let reply = world.send(Method::POST, &format!("{}{path}", world.node.url), "text/plain", "{}", &[]).await;
                assert!([404, 405].contains(&reply.status), "{path}: {}", reply.status);
            }
        }
        let known = world.send(Method::POST, &world.account.webhook_url, "application/json", "{}", &[]).await;
        assert_eq!(known.status, 503, "a database that is gone is no reason to say that there is no account");
        let metrics = String::from_utf8(world.get(&format!("{ops}/metrics")).await.body.to_vec()).unwrap();
        assert!(metrics.contains("till_deliveries_total{provider=\"stripe\",outcome=\"busy\"}"), "{metrics}");
        let chosen: Vec<_> = metrics.lines().filter(|line| line.contains(&mine)).collect();
        assert_eq!(chosen, Vec::<&str>::new());
    }
}

both! {
    async fn metrics_and_health_answer_while_the_database_does_not(world: World) {
        let ops = operations(world.engine().clone()).await;
        world.engine().store().close().await;
        eventually("the server is no longer ready", || async {
            world.get(&format!("{ops}/readyz")).await.status == 503
        })
        .await;
        assert_eq!(world.get(&format!("{ops}/metrics")).await.status, 200);
        assert_eq!(world.get(&format!("{ops}/healthz")).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_file_was_moved_away_or_replaced_is_not_ready() {
    let till = Running::start("", &[]).await;
    let ready = async || running::get(till.ops, "/readyz", "").await.unwrap();
    let (file, away) = (till.database(), till.database().with_extension("away"));
    let copy = till.database().with_extension("copy");
    std::fs::copy(&file, &copy).unwrap();
    assert_eq!(running::status(&ready().await), 200);
    std::fs::rename(&file, &away).unwrap();
    let moved = ready().await;
    assert!(running::status(&moved) == 503 && moved.contains("till.db") && moved.contains("moved"), "{moved}");
    assert!(!file.exists(), "nothing is made in its place");
    std::fs::rename(&copy, &file).unwrap();
    assert_eq!(running::status(&ready().await), 503, "a copy in its place");
    std::fs::rename(&away, &file).unwrap();
    assert_eq!(running::status(&ready().await), 200, "the file is back");
}
