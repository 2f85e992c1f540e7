//! SQLite's log beside the file.

use std::fs::metadata;

use engine::store::Store;
use sqlx::query;

use crate::world::{Database, World, eventually};

/// The most bytes of the log after it is restarted.
const KEPT: u64 = 32 * 1024 * 1024;

async fn write(store: &Store, pack: &str, bytes: usize) {
    let mut tx = store.begin().await.unwrap();
    query("INSERT INTO inbox_packs (id, bytes) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes")
        .bind(pack)
        .bind(vec![7; bytes])
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_has_grown_gives_its_room_back() {
    let database = Database::sqlite();
    let log = format!("{}-wal", database.url.trim_start_matches("sqlite://"));
    let size = || metadata(&log).unwrap().len();
    let world = World::new(database).await;
    let store = world.engine().store();
    let mut reader = store.moment().await.unwrap();
    query("SELECT id FROM inbox_packs").fetch_all(&mut *reader).await.unwrap();
    for number in 0..40 {
        write(store, &number.to_string(), 1024 * 1024).await;
    }
    assert!(size() > KEPT, "whoever reads keeps the log from being begun anew: {}", size());
    reader.rollback().await.unwrap();
    eventually("the log is as small as it was", || async {
        // An unchanged row would not be written, so each write differs.
        for bytes in 1..10 {
            write(store, "0", bytes).await;
        }
        size() <= KEPT
    })
    .await;
}
