//! Tests services against real SQLite and real PostgreSQL, and the provider's simulator over real HTTP.
//!
//! `both!` makes a test of each body for each database. PostgreSQL's address is in `TILL_TEST_POSTGRES`;
//! `.ci/with-postgres cargo test` sets it.

mod addresses;
mod adyen;
mod alerts;
mod amounts;
mod backup;
mod breaches;
mod cli;
mod cli_money;
mod deliveries;
mod disputes;
mod doors;
mod early;
mod exchanges;
mod expiry;
mod files;
mod handoffs;
mod hints;
mod hooks;
mod inbox;
mod journal;
mod journey;
mod keyless;
mod leases;
mod lists;
mod log;
mod money;
mod opening;
mod ops;
mod orders;
mod outages;
mod own_tls;
mod owners;
mod pages;
mod pipes;
mod proof;
mod races;
mod recovery;
mod releases;
mod requests;
mod retention;
mod rights;
mod rows;
mod running;
mod says;
mod scopes;
mod secrets;
mod sources;
#[cfg(debug_assertions)]
mod statements;
mod strangers;
mod surplus;
mod tabs;
mod terminal;
mod toy;
mod trouble;
mod twice;
mod undone;
mod world;

/// Runs one body on SQLite and on PostgreSQL.
macro_rules! both {
    ($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block) => {
        mod $name {
            use super::*;

            async fn body($world: World) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body(World::new($crate::world::Database::sqlite()).await).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body(World::new($crate::world::Database::postgres().await).await).await;
            }
        }
    };
}
pub(crate) use both;

/// The same with a merchant that is paid through Adyen.
macro_rules! both_at_adyen {
    (async fn $name:ident($world:ident: World) $body:block) => {
        mod $name {
            use super::*;

            async fn body($world: World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body(World::with_adyen($crate::world::Database::sqlite()).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body(World::with_adyen($crate::world::Database::postgres().await).await).await;
            }
        }
    };
}
pub(crate) use both_at_adyen;
