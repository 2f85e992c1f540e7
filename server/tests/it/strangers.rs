//! Deliveries about unknown payments: they wait without being taken up, and no wake is missed.

use std::collections::HashMap;

use axum::http::Method;
use domain::checkout::Phase;
use domain::id::InboxId;
use domain::{DAY, MINUTE};
use engine::store::inbox::{self, Found, InboxState, NewRow, Wait};
use engine::store::{Dialect, Store};
use engine::{Clock, SystemClock};
use serde_json::json;
use sqlx::{AssertSqlSafe, Row, query};

use crate::both;
use crate::world::{World, eventually, operator, paid_event, random_hex, seconds, sign};

async fn deliver(world: &World, body: &str) {
    let signature = sign(&world.webhook_secret, seconds(), body);
    let headers = [("stripe-signature", signature.as_str())];
    let reply = world.send(Method::POST, &world.account.webhook_url, "application/json", body, &headers).await;
    assert_eq!(reply.status, 200);
}

/// A refund of a payment, without a reference of ours.
fn refund(event: &str, intent: &str) -> String {
    let object = json!({"id": "re_1", "object": "refund", "payment_intent": intent, "amount": 98, "currency": "eur",
        "status": "succeeded"});
    json!({"id": event, "type": "refund.created", "created": seconds(), "livemode": false, "data": {"object": object}})
        .to_string()
}

async fn states(world: &World) -> Vec<(String, InboxState)> {
    let mut states: Vec<_> = world.inbox().await.into_iter().map(|row| (row.event, row.state)).collect();
    states.sort_by(|(one, _), (other, _)| one.cmp(other));
    states
}

async fn count(store: &Store, text: &str) -> i64 {
    let mut connection = store.reader().await.unwrap();
    query(AssertSqlSafe(format!("SELECT CAST(({text}) AS BIGINT) AS n")))
        .fetch_one(&mut *connection)
        .await
        .unwrap()
        .get("n")
}

/// Waits until a transaction waits for a lock. SQLite has one writer, and other writers wait before they read.
async fn somebody_waits(world: &World) {
    let store = world.engine().store();
    if store.dialect() == Dialect::Postgres {
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'inbox_gate'::regclass";
        eventually("somebody waits at the gate", || async { count(store, waiting).await > 0 }).await;
    }
}

both! {
    async fn a_stranger_waits_as_it_is_stored_and_is_given_up_without_having_been_looked_at(world: World) {
        let (node, clock) = world.ahead().await;
        let ours = json!({"id": "evt_ours", "type": "payment_intent.succeeded", "created": seconds(), "livemode": false,
            "data": {"object": {"id": "pi_ours", "object": "payment_intent", "status": "succeeded", "amount": 3098,
                "amount_received": 3098, "currency": "eur", "metadata": {"till_attempt": format!("att_{:026}", 7)}}}});
        deliver(&world, &refund("evt_a", "pi_a")).await;
        deliver(&world, &refund("evt_a", "pi_a")).await;
        deliver(&world, &ours.to_string()).await;
        let waiting = [("evt_a".to_owned(), InboxState::Waiting), ("evt_ours".to_owned(), InboxState::Waiting)];
        assert_eq!(states(&world).await, waiting, "at once, and each once");
        let engine = world.engine();
        assert_eq!((engine.backlog().await.unwrap(), engine.inbox().next_delivery_due().await.unwrap()), (0, None));
        // These are more rows than one transaction gives up.
        let id = world.inbox().await[0].id.to_string();
        let copies = format!(
            "INSERT INTO inbox (id, account_id, event, state, due, received) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL
                SELECT i + 1 FROM n WHERE i < 1200)
             SELECT '{}' || SUBSTR('0000000000' || CAST(i AS TEXT), LENGTH(CAST(i AS TEXT)) + 1), '{}', 'copy_' || CAST(i AS TEXT), 'waiting', {}, 0 FROM n",
            // The ids make the copies as old as the first row.
            &id[..id.len() - 10],
            world.account.id,
            SystemClock.now() + 11 * MINUTE,
        );
        let mut tx = engine.store().begin().await.unwrap();
        query(AssertSqlSafe(copies)).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let orphans = "SELECT COUNT(*) FROM inbox WHERE state = 'orphan'";
        let store = engine.store();
        clock.by(12 * MINUTE);
        eventually("strangers are given up", || async { count(store, orphans).await == 1_201 }).await;
        assert_eq!(count(store, "SELECT COUNT(*) FROM inbox WHERE state = 'waiting'").await, 1, "the one that names us");
        assert_eq!(count(store, "SELECT MAX(tries) FROM inbox").await, 0, "nobody has looked");
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
        clock.by(DAY);
        eventually("a person is told", || async { world.alert_kinds().await == ["webhook_orphan"] }).await;
        assert_eq!(count(store, orphans).await, 1_202);
        drop(node);
    }
}

both! {
    async fn a_stranger_that_was_given_up_is_applied_once_its_payment_is_known(world: World) {
        let (_node, clock) = world.ahead().await;
        let session = world.session().await;
        world.start(&session).await;
        let attempt = world.statement(&world.payment_of(&session).await).await.payment.attempts[0].clone();
        deliver(&world, &refund("evt_refund", "pi_forged")).await;
        clock.by(12 * MINUTE);
        eventually("it is given up", || async { states(&world).await[0].1 == InboxState::Orphan }).await;
        let page = attempt.refs.session.as_deref().unwrap();
        deliver(&world, &paid_event("evt_paid", attempt.id.as_str(), page, 3098, "eur")).await;
        world.wait_for(&session, Phase::PartlyRefunded).await;
        assert!(states(&world).await.iter().all(|(_, state)| *state == InboxState::Applied), "{:?}", states(&world).await);
        assert_eq!(count(world.engine().store(), "SELECT COUNT(*) FROM inbox_waits").await, 0);
    }
}

both! {
    async fn a_delivery_that_is_stored_while_its_reference_is_written_is_not_left_waiting(world: World) {
        let session = world.session().await;
        world.start(&session).await;
        let attempt = world.statement(&world.payment_of(&session).await).await.payment.attempts[0].clone();
        let store = world.engine().store();
        let mut writing = store.begin().await.unwrap();
        // The reference is a capture's, because the payment's own is written when the delivery is applied.
        let named = "INSERT INTO attempt_references (account_id, reference, kind, attempt_id, payment_id)
            SELECT account_id, 'pi_raced', 'capture', id, payment_id FROM attempts WHERE id = $1";
        query(named).bind(attempt.id.to_string()).execute(&mut *writing).await.unwrap();
        let wanted = [format!("{}/pi_raced", world.account.id)];
        let woken = inbox::bring_forward(&mut writing, &operator(), store.dialect(), &wanted, SystemClock.now()).await.unwrap();
        assert_eq!(woken, 0, "it is not there yet");
        let body = refund("evt_raced", "pi_raced");
        let (mut writing, mut stored) = (Some(writing), Box::pin(deliver(&world, &body)));
        tokio::select! {
            () = &mut stored => panic!("it was stored beside a reference that it cannot have seen"),
            () = async {
                somebody_waits(&world).await;
                eventually("it is on its way", || async {
                    store.dialect() == Dialect::Postgres || world.engine().inbox().intake_depth() > 0
                })
                .await;
            } => writing.take().unwrap().commit().await.unwrap(),
        }
        stored.await;
        eventually("it is applied", || async { states(&world).await == [("evt_raced".to_owned(), InboxState::Applied)] }).await;
    }
}

both! {
    async fn a_reference_that_is_written_while_its_delivery_is_stored_wakes_it(world: World) {
        world.node.stop_background();
        let store = world.engine().store().clone();
        let (now, wanted) = (SystemClock.now(), vec![format!("{}/pi_raced", world.account.id)]);
        let row: NewRow = NewRow {
            id: InboxId::from_random([7; 16]),
            account: world.account_id(),
            event: format!("evt_{}", random_hex()),
            body: "x".into(),
            received: now,
            idle: None,
            kind: None,
            reading: None,
        };
        let wait = Wait { until: now + DAY, wanted: wanted.clone(), claims: None };
        let found = HashMap::from([(row.id.clone(), Found::Stranger(wait))]);
        let mut storing = store.begin().await.unwrap();
        inbox::enter(&mut storing, store.dialect()).await.unwrap();
        inbox::insert(&mut storing, &operator(), &[&row], &found, now, 0).await.unwrap();
        let waking = tokio::spawn({
            let store = store.clone();
            async move {
                let mut tx = store.begin().await.unwrap();
                let woken = inbox::bring_forward(&mut tx, &operator(), store.dialect(), &wanted, now).await.unwrap();
                tx.commit().await.unwrap();
                woken
            }
        });
        somebody_waits(&world).await;
        storing.commit().await.unwrap();
        assert_eq!(waking.await.unwrap(), 1);
        assert_eq!(world.engine().inbox().next_delivery_due().await.unwrap(), Some(now));
    }
}
