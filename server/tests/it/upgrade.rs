//! A database written by an earlier version loses nothing when it is brought up to date.

use domain::id::{InboxId, PaymentId};
use engine::store::inbox::{InboxState, find};
use engine::store::{Store, inbox, payments};
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

/// The last step before payments that are not in the ledger were looked for once.
const BEFORE_UNPOSTED: i64 = 8;

async fn payments_from_before_the_ledger_are_found_once(database: Database) {
    install_default_drivers();
    let store = Store::connect(&database.url).await.unwrap();
    let mut connection = AnyConnection::connect(&database.url).await.unwrap();
    let mut old = sqlx::migrate!("../migrations");
    old.migrations.to_mut().retain(|step| step.version <= BEFORE_UNPOSTED);
    old.run(&mut connection).await.unwrap();
    connection
        .execute(
            "INSERT INTO merchants (id, name, created) VALUES ('m', 'Shop', 0);
             INSERT INTO provider_accounts (id, merchant_id, provider, base_url, live, enabled, sealed, created)
                VALUES ('a', 'm', 'stripe', 'http://127.0.0.1:1', 0, 1, '', 0);
             INSERT INTO links (id, token, merchant_id, state, once, live, currency, total, lines, session_ttl, extendable, created)
                VALUES ('l', 't', 'm', 'active', 0, 0, 'EUR', 5, '[]', 1, 0, 0);",
        )
        .await
        .unwrap();
    let [posted, unposted, unpaid] = [1, 2, 3].map(|number| PaymentId::from_random([number; 16]));
    for (payment, captured) in [(&posted, 5), (&unposted, 5), (&unpaid, 0i64)] {
        let row = "INSERT INTO payments (id, merchant_id, link_id, once, live, currency, amount, capture, canceled, status, authorised,
                captured, refunded, revision, created, updated)
             VALUES ($1, 'm', 'l', 0, 0, 'EUR', 5, 'automatic', 0, 'succeeded', 5, $2, 0, 0, 0, 0)";
        query(row).bind(payment.as_str()).bind(captured).execute(&mut connection).await.unwrap();
    }
    let row = "INSERT INTO ledger (payment_id, seq, line, merchant_id, provider_account_id, currency, business, debit_account,
            credit_account, amount, live, at)
         VALUES ($1, 1, 0, 'm', 'a', 'EUR', 'capture', 'provider_receivable', 'merchant_payable', 5, 0, 0)";
    query(row).bind(posted.as_str()).execute(&mut connection).await.unwrap();
    store.migrate().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert_eq!(payments::unposted(&mut tx, 10).await.unwrap(), std::slice::from_ref(&unposted));
    payments::set_posted(&mut tx, &unposted).await.unwrap();
    assert_eq!(payments::unposted(&mut tx, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_from_before_the_ledger_are_found_once_on_sqlite() {
    payments_from_before_the_ledger_are_found_once(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_from_before_the_ledger_are_found_once_on_postgres() {
    payments_from_before_the_ledger_are_found_once(Database::postgres().await).await;
}
