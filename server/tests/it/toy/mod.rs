//! A provider made up for tests. It has the features that the built-in providers lack: unsigned hints that come by GET,
//! deliveries that the provider must confirm, no idempotency keys, and pages that are reached by a form or by a code.

mod connector;
mod provider;

use connectors::Registry;
use engine::NewAccount;
use serde_json::Value;

use crate::world::{Database, World, operator};
pub use provider::Provider;

/// A merchant that is paid through the toy. `name` is `toy`, or `mute` for a toy that cannot be searched. `way` is the
/// handoff: `form`, `scan` or `app`.
pub async fn world(database: Database, name: &str, way: &str) -> (World, Provider) {
    let mut world = known(database).await;
    let toy = Provider::start().await;
    let merchant = world.engine().merchants(&operator()).add("Toy Shop", None).await.unwrap();
    world.merchant = merchant.id.parse().unwrap();
    world.account = world.accounts().add(account(name, way, &toy)).await.unwrap();
    (world, toy)
}

/// A world that knows the toy, besides the built-in providers.
pub async fn known(database: Database) -> World {
    let registry = Registry::default().with(&connector::TOY).with(&connector::MUTE);
    World::knowing(database, registry).await
}

/// A new account at the toy.
pub fn account(name: &str, way: &str, toy: &Provider) -> NewAccount {
    let credentials = [("key", "0123456789"), ("way", way)];
    NewAccount {
        provider: name.to_owned(),
        base_url: Some(toy.url.clone()),
        credentials: credentials.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        webhook_secrets: vec![],
    }
}

/// Adds another account of the merchant and returns its address for deliveries.
pub async fn second_account(world: &World, toy: &Provider) -> String {
    world.accounts().add(account("toy", "form", toy)).await.unwrap().webhook_url
}

/// Delivers an unsigned hint and returns the reply's status.
pub async fn hint(world: &World, query: &str) -> u16 {
    world.get(&format!("{}?{query}", world.account.webhook_url)).await.status
}

/// Delivers an event, which the toy may or may not know, and returns the reply's status.
pub async fn deliver(world: &World, event: &Value) -> u16 {
    let method = axum::http::Method::POST;
    world.send(method, &world.account.webhook_url, "application/json", &event.to_string(), &[]).await.status
}

/// Runs one body on SQLite and on PostgreSQL, with a merchant that is paid through the toy.
macro_rules! both_at_toy {
    ($toy:literal, $way:literal, async fn $name:ident($world:ident: World, $provider:ident: Provider) $body:block) => {
        mod $name {
            use super::*;

            async fn body($world: World, $provider: Provider) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let (world, toy) = crate::toy::world($crate::world::Database::sqlite(), $toy, $way).await;
                body(world, toy).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let (world, toy) = crate::toy::world($crate::world::Database::postgres().await, $toy, $way).await;
                body(world, toy).await;
            }
        }
    };
}
pub(crate) use both_at_toy;
