//! A database written by an earlier version loses nothing when it is brought up to date.

use domain::id::InboxId;
use engine::store::inbox::{InboxState, find};
use engine::store::{Store, inbox};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection, Executor, query};

use crate::world::Database;

/// The last step before deliveries that share a commit shared a row of bytes.
const BEFORE_PACKS: i64 = 5;

async fn bodies_move_into_packs(database: Database) {
    install_default_drivers();
    let store = Store::connect(&database.url).await.unwrap();
    let mut connection = AnyConnection::connect(&database.url).await.unwrap();
    let mut old = sqlx::migrate!("../migrations");
    old.migrations.to_mut().retain(|step| step.version <= BEFORE_PACKS);
    old.run(&mut connection).await.unwrap();
    let (pending, done) = (InboxId::from_random([1; 16]), InboxId::from_random([2; 16]));
    connection
        .execute(
            "INSERT INTO merchants (id, name, created) VALUES ('m', 'Shop', 0);
             INSERT INTO provider_accounts (id, merchant_id, provider, base_url, live, enabled, sealed, created)
                VALUES ('pa_00000000000000000000000000', 'm', 'stripe', 'http://127.0.0.1:1', 0, 1, '', 0);",
        )
        .await
        .unwrap();
    for (id, state) in [(&pending, "pending"), (&done, "applied")] {
        let row = "INSERT INTO inbox (id, account_id, event, state, received) VALUES ($1, 'pa_00000000000000000000000000', $2, $3, 7)";
        query(row).bind(id.as_str()).bind(format!("evt_{state}")).bind(state).execute(&mut connection).await.unwrap();
        let body = format!("{{\"is\":\"{state}\"}}").into_bytes();
        let row = "INSERT INTO inbox_bodies (inbox_id, body) VALUES ($1, $2)";
        query(row).bind(id.as_str()).bind(body).execute(&mut connection).await.unwrap();
    }
    store.migrate().await.unwrap();
    let found = find(&mut connection, &done).await.unwrap().unwrap();
    assert_eq!(found.state, InboxState::Applied);
    assert_eq!(inbox::body(&mut connection, &found).await.unwrap().unwrap(), &b"{\"is\":\"applied\"}"[..]);
    let mut tx = store.begin().await.unwrap();
    let taken = inbox::claim(&mut tx, store.dialect(), 10, 20, 9).await.unwrap();
    let taken: Vec<_> = taken.iter().map(|row| (&row.id, &row.body.as_ref().unwrap()[..])).collect();
    assert_eq!(taken, [(&pending, &b"{\"is\":\"pending\"}"[..])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_move_into_packs_on_sqlite() {
    bodies_move_into_packs(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_move_into_packs_on_postgres() {
    bodies_move_into_packs(Database::postgres().await).await;
}
