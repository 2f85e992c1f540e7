//! The inbox under load and during failures: no acknowledged delivery is lost, none is applied twice, and none delays
//! the rest.

use std::time::{Duration, Instant};

use axum::http::Method;
use connectors::HttpResponse;
use domain::checkout::Phase;
use domain::id::Token;
use engine::Clock;
use engine::SystemClock;
use engine::store::inbox::{self, InboxState, Wait, claim};
use engine::store::{Dialect, Tx};
use futures::future::join_all;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, query};

use crate::both;
use crate::world::{Database, Node, World, eventually, header, operator, paid_event, random_hex, seconds, sign};

async fn deliver(world: &World, node: &Node, body: &str) -> HttpResponse {
    let url = format!("{}/hooks/stripe/{}", node.url, world.account.id);
    let signature = sign(&world.webhook_secret, seconds(), body);
    world.send(Method::POST, &url, "application/json", body, &[("stripe-signature", &signature)]).await
}

/// A session with an open page, and the webhook that would pay it.
async fn opened(world: &World) -> (Token, String) {
    let session = world.session().await;
    world.start(&session).await;
    let payment = stored(world, &session).await;
    let attempt = &payment.attempts[0];
    let page = attempt.refs.session.as_deref().unwrap();
    let body = paid_event(&format!("evt_{}", random_hex()), attempt.id.as_str(), page, 3098, "eur");
    // A payment at the provider belongs to a single attempt.
    let body = body.replace("pi_forged", &payment_ref(&session));
    (session, body)
}

/// A refund of a payment whose reference is not known yet.
fn early_refund(session: &Token) -> String {
    let object = json!({"id": "re_1", "object": "refund", "payment_intent": payment_ref(session), "amount": 98,
        "currency": "eur", "status": "succeeded"});
    let id = format!("evt_{}", random_hex());
    json!({"id": id, "type": "refund.created", "created": seconds(), "livemode": false, "data": {"object": object}})
        .to_string()
}

fn payment_ref(session: &Token) -> String {
    format!("pi_{session}")
}

async fn stored(world: &World, session: &Token) -> domain::payment::Payment {
    let id = world.payment_of(session).await;
    let mut connection = world.engine().store().reader().await.unwrap();
    engine::store::payments::find(&mut connection, &operator(), &id).await.unwrap().unwrap().payment
}

/// An unrelated event of the account.
/// It is large, so that a database that cannot grow has room for few.
fn unrelated() -> String {
    let description = "x".repeat(30_000);
    json!({"id": format!("evt_{}", random_hex()), "type": "customer.created", "created": 1, "livemode": false,
        "data": {"object": {"id": "cus_1", "description": description}}})
    .to_string()
}

async fn state_of(world: &World, body: &str) -> Option<InboxState> {
    let event: serde_json::Value = serde_json::from_str(body).unwrap();
    world.inbox().await.into_iter().find(|row| row.event == event["id"]).map(|row| row.state)
}

/// Keeps other writers from storing deliveries until it is dropped.
async fn block(node: &Node) -> Tx {
    let mut tx = node.engine.store().begin().await.unwrap();
    if node.engine.store().dialect() == Dialect::Postgres {
        tx.execute("LOCK TABLE inbox IN SHARE MODE").await.unwrap();
    }
    tx
}

both! {
    async fn copies_that_arrive_together_are_stored_once_and_all_acknowledged(world: World) {
        let bodies: Vec<String> = (0..20).map(|_| unrelated()).collect();
        let copies = bodies.iter().cycle().take(100).map(|body| deliver(&world, &world.node, body));
        let replies = join_all(copies).await;
        assert!(replies.iter().all(|reply| reply.status == 200), "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
        assert_eq!(world.inbox().await.len(), 20);
    }
}

both! {
    async fn a_full_queue_asks_to_come_again_and_recovers_by_itself(world: World) {
        let small = world.tuned_node(|tuning| tuning.queue = 4).await;
        let held = block(&world.node).await;
        let bodies: Vec<String> = (0..40).map(|_| unrelated()).collect();
        let released = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            held.rollback().await.unwrap();
        };
        let (replies, ()) = tokio::join!(join_all(bodies.iter().map(|body| deliver(&world, &small, body))), released);
        let (stored, busy): (Vec<_>, Vec<_>) = bodies.iter().zip(&replies).partition(|(_, reply)| reply.status == 200);
        assert!(!stored.is_empty() && !busy.is_empty(), "{} stored, {} busy", stored.len(), busy.len());
        assert!(busy.iter().all(|(_, reply)| reply.status == 503 && !header(reply, "retry-after").is_empty()));
        assert_eq!(world.inbox().await.len(), stored.len(), "what was acknowledged is there, and nothing else");
        for (body, _) in busy {
            assert_eq!(deliver(&world, &small, body).await.status, 200);
        }
        assert_eq!(world.inbox().await.len(), 40);
    }
}

/// Makes the node's database refuse writes, or take them again.
async fn fail(node: &Node, url: &str, fails: bool) {
    if node.engine.store().dialect() == Dialect::Sqlite {
        // The only writing connection keeps this setting: no page can be added.
        let mut tx = node.engine.store().begin().await.unwrap();
        let limit = if fails { "PRAGMA max_page_count = 1" } else { "PRAGMA max_page_count = 1000000000" };
        tx.execute(limit).await.unwrap();
        return tx.rollback().await.unwrap();
    }
    let (server, name) = url.rsplit_once('/').unwrap();
    let mut admin = sqlx::PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    let allow = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {}", !fails);
    admin.execute(AssertSqlSafe(allow)).await.unwrap();
    if fails {
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        admin.execute(AssertSqlSafe(end)).await.unwrap();
    }
}

both! {
    async fn a_database_that_fails_loses_nothing_acknowledged_and_recovers_by_itself(world: World) {
        let before: Vec<String> = (0..5).map(|_| unrelated()).collect();
        for body in &before {
            assert_eq!(deliver(&world, &world.node, body).await.status, 200);
        }
        fail(&world.node, &world.database.url, true).await;
        // These are more deliveries than the file's existing pages have room for.
        let during: Vec<String> = (0..100).map(|_| unrelated()).collect();
        let replies = join_all(during.iter().map(|body| deliver(&world, &world.node, body))).await;
        let acknowledged: Vec<&String> = during.iter().zip(&replies).filter(|(_, reply)| reply.status == 200).map(|(body, _)| body).collect();
        assert!(replies.iter().any(|reply| reply.status == 503), "it did not fail");
        let odd = replies.iter().find(|reply| reply.status != 200 && (reply.status != 503 || header(reply, "retry-after").is_empty()));
        assert!(odd.is_none(), "{odd:?}");
        fail(&world.node, &world.database.url, false).await;
        eventually("deliveries are taken again", || async {
            deliver(&world, &world.node, &unrelated()).await.status == 200
        })
        .await;
        for body in before.iter().chain(acknowledged) {
            assert!(state_of(&world, body).await.is_some(), "acknowledged and lost: {body}");
        }
        for body in &during {
            assert_eq!(deliver(&world, &world.node, body).await.status, 200);
        }
        eventually("everything is looked at", || async { world.engine().backlog().await.unwrap() == 0 }).await;
    }
}

both! {
    async fn a_payment_at_the_provider_pays_one_debt_whatever_a_later_delivery_claims(world: World) {
        let ((first, body), (second, other)) = (opened(&world).await, opened(&world).await);
        let reference = |body: &str| body.split('"').find(|word| word.starts_with("pi_")).unwrap().to_owned();
        let claim = other.replace(&reference(&other), &reference(&body));
        assert_eq!(deliver(&world, &world.node, &body).await.status, 200);
        world.wait_for(&first, Phase::Paid).await;
        assert_eq!(deliver(&world, &world.node, &claim).await.status, 200);
        eventually("it is a mismatch", || async { state_of(&world, &claim).await == Some(InboxState::Mismatch) }).await;
        assert_ne!(world.phase(&second).await, Phase::Paid);
        assert_eq!(world.alert_kinds().await, ["webhook_mismatch"]);
        assert_eq!(deliver(&world, &world.node, &other.replace("evt_", "evt_2_")).await.status, 200);
        world.wait_for(&second, Phase::Paid).await;
        world.books_are_right().await;
    }
}

both! {
    async fn two_servers_share_the_deliveries_and_apply_each_once(world: World) {
        let other = world.second_node().await;
        let mut sessions = vec![];
        for _ in 0..3 {
            sessions.push(opened(&world).await);
        }
        let copies = (0..60).map(|number| {
            let (world, node) = (&world, if number % 2 == 0 { &world.node } else { &other });
            let body = sessions[number % 3].1.replace("evt_", &format!("evt_{number}_"));
            async move { deliver(world, node, &body).await.status }
        });
        let replies = join_all(copies.collect::<Vec<_>>()).await;
        assert!(replies.iter().all(|status| *status == 200), "{replies:?}");
        eventually("everything is applied", || async { world.engine().backlog().await.unwrap() == 0 }).await;
        assert!(world.inbox().await.iter().all(|row| row.state == InboxState::Applied));
        for (session, _) in &sessions {
            let moved = world.events(session).await.into_iter().filter(|one| one.event.moves_money()).count();
            assert_eq!((moved, world.phase(session).await), (1, Phase::Paid));
        }
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}

both! {
    async fn what_cannot_be_applied_holds_up_nothing_else(world: World) {
        let (good, bad) = (opened(&world).await, opened(&world).await);
        let damaged = stored(&world, &bad.0).await;
        let write = |data: String| {
            let id = damaged.attempts[0].id.to_string();
            let store = world.engine().store();
            async move {
                let mut tx = store.begin().await.unwrap();
                query("UPDATE attempts SET data = $1 WHERE id = $2").bind(data).bind(id).execute(&mut *tx).await.unwrap();
                tx.commit().await.unwrap();
            }
        };
        write("{".to_owned()).await;
        let replies = [deliver(&world, &world.node, &bad.1), deliver(&world, &world.node, &good.1)];
        assert!(join_all(replies).await.iter().all(|reply| reply.status == 200));
        world.wait_for(&good.0, Phase::Paid).await;
        assert_eq!(state_of(&world, &bad.1).await, Some(InboxState::Pending));
        eventually("it is said why", || async { world.inbox().await.iter().any(|row| row.note.is_some()) }).await;
        write(serde_json::to_string(&damaged.attempts[0]).unwrap()).await;
        world.wait_for(&bad.0, Phase::Paid).await;
    }
}

both! {
    async fn an_event_that_was_too_early_is_applied_when_its_payment_is_known(world: World) {
        let (session, paid) = opened(&world).await;
        let refund = early_refund(&session);
        assert_eq!(deliver(&world, &world.node, &refund).await.status, 200);
        assert_eq!(state_of(&world, &refund).await, Some(InboxState::Waiting));
        assert_eq!(deliver(&world, &world.node, &paid).await.status, 200);
        eventually("it is applied", || async { state_of(&world, &refund).await == Some(InboxState::Applied) }).await;
        assert_eq!(world.view(&session).await.figures.refunded.minor, 98);
    }
}

both! {
    async fn an_event_does_not_wait_for_what_becomes_known_beside_it(world: World) {
        let (session, paid) = opened(&world).await;
        world.node.stop_background();
        let refund = early_refund(&session);
        for body in [&refund, &paid] {
            assert_eq!(deliver(&world, &world.node, body).await.status, 200);
        }
        assert_eq!(world.engine().inbox().apply_due().await.unwrap(), 1, "the refund waits");
        let due = world.engine().inbox().next_delivery_due().await.unwrap().expect("one is left");
        assert!(due <= SystemClock.now(), "it is due now, not after a pause");
        assert_eq!(world.engine().inbox().apply_due().await.unwrap(), 1);
        assert_eq!(state_of(&world, &refund).await, Some(InboxState::Applied));
        assert_eq!(world.view(&session).await.figures.refunded.minor, 98);
    }
}

both! {
    async fn who_comes_late_does_not_put_off_what_was_brought_forward(world: World) {
        let (session, _) = opened(&world).await;
        world.node.stop_background();
        assert_eq!(deliver(&world, &world.node, &early_refund(&session)).await.status, 200);
        let store = world.engine().store();
        let dialect = store.dialect();
        let now = SystemClock.now();
        let mut tx = store.begin().await.unwrap();
        let known = vec![format!("{}/{}", world.account.id, payment_ref(&session))];
        assert_eq!(inbox::bring_forward(&mut tx, &operator(), dialect, &known, now).await.unwrap(), 1);
        let taken = claim::<()>(&mut tx, &operator(), dialect, now, now + 15_000, 10).await.unwrap();
        let row = &taken[0];
        let wanted = vec!["what becomes known".to_owned()];
        let wait = Wait { until: now + 15_000, wanted: wanted.clone(), claims: None };
        inbox::wait(&mut tx, &operator(), row, None, &wait).await.unwrap();
        // Meanwhile the payment becomes known, and the worker that had taken the row up has not seen that.
        assert_eq!(inbox::bring_forward(&mut tx, &operator(), dialect, &wanted, now).await.unwrap(), 1);
        inbox::wait(&mut tx, &operator(), row, None, &Wait { until: now + 600_000, ..wait }).await.unwrap();
        inbox::put_off(&mut tx, &operator(), row, now + 600_000, "why").await.unwrap();
        let given_up = inbox::give_up(&mut tx, &operator(), dialect, "why", now + 600_000, 10).await.unwrap();
        assert!(given_up.is_empty(), "it is not given up");
        tx.commit().await.unwrap();
        let due = world.engine().inbox().next_delivery_due().await.unwrap();
        assert_eq!(due, Some(now));
    }
}

both! {
    async fn what_a_server_had_taken_up_when_it_died_is_applied_by_another(world: World) {
        let (session, body) = opened(&world).await;
        world.node.stop_background();
        assert_eq!(deliver(&world, &world.node, &body).await.status, 200);
        let store = world.engine().store();
        let now = SystemClock.now();
        let mut tx = store.begin().await.unwrap();
        let taken = claim::<()>(&mut tx, &operator(), store.dialect(), now + 60_000, now + 1_500, 10).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(taken.len(), 1, "nobody else has taken it");
        let _other = world.second_node().await;
        world.wait_for(&session, Phase::Paid).await;
        assert!(SystemClock.now() >= now + 1_500, "not while it was somebody else's");
    }
}

both! {
    async fn a_secret_that_another_server_learned_counts_at_once(world: World) {
        let other = world.second_node().await;
        assert_eq!(deliver(&world, &world.node, &unrelated()).await.status, 200);
        other.engine.accounts(&world.scope()).add_webhook_secret(&world.account_id(), "whsec_0123456789abcdef").await.unwrap();
        let began = Instant::now();
        let body = unrelated();
        let signature = sign("whsec_0123456789abcdef", seconds(), &body);
        eventually("it is accepted", || async {
            let headers = [("stripe-signature", signature.as_str())];
            world.send(Method::POST, &world.account.webhook_url, "application/json", &body, &headers).await.status == 200
        })
        .await;
        assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
    }
}

both! {
    async fn a_flood_of_forgeries_is_counted_exactly(world: World) {
        let url = &world.account.webhook_url;
        let forged = (0..150).map(|_| world.send(Method::POST, url, "application/json", "{}", &[]));
        assert!(join_all(forged).await.iter().all(|reply| reply.status == 400));
        let alerts = world.upkeep().alerts(10).await.unwrap();
        assert_eq!((alerts.len(), alerts[0].kind.as_str(), alerts[0].times), (1, "webhook_rejected", 150));
        assert!(world.inbox().await.is_empty());
    }
}

both! {
    async fn what_shares_a_commit_with_duplicates_keeps_its_own_bytes(world: World) {
        let body = |name: &str, filling: char| {
            json!({"id": format!("evt_{name}"), "type": "customer.created", "created": 1, "livemode": false,
                "data": {"object": {"id": "cus_1", "description": filling.to_string().repeat(2_000)}}})
            .to_string()
        };
        // The first delivery by name was stored before. The pack of the others is named after it, although it turns out
        // to be known already.
        let known = body("a", 'a');
        assert_eq!(deliver(&world, &world.node, &known).await.status, 200);
        let held = block(&world.node).await;
        let new = [body("b", 'b'), body("c", 'c'), body("d", 'd')];
        let together = [&known, &new[0], &new[1], &known, &new[1], &new[2]].map(|body| deliver(&world, &world.node, body));
        let release = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            held.rollback().await.unwrap();
        };
        let (replies, ()) = tokio::join!(join_all(together), release);
        assert!(replies.iter().all(|reply| reply.status == 200));
        let rows = world.inbox().await;
        assert_eq!(rows.len(), 4, "each once");
        for row in rows {
            let (_, stored) = world.upkeep().delivery(&row.id).await.unwrap();
            let sent = new.iter().chain([&known]).find(|body| body.contains(&row.event)).unwrap();
            assert_eq!(stored.unwrap(), sent.as_bytes());
        }
    }
}

both! {
    async fn bytes_that_are_damaged_or_gone_hold_up_no_other_delivery(world: World) {
        let mut bodies = vec![];
        for _ in 0..3 {
            bodies.push(opened(&world).await);
        }
        world.node.stop_background();
        eventually("nothing is handed over any more", || async {
            deliver(&world, &world.node, &unrelated()).await.status == 200 && world.engine().inbox().apply_due().await.is_ok()
        })
        .await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        for (_, body) in &bodies {
            assert_eq!(deliver(&world, &world.node, body).await.status, 200);
        }
        let row_of = |body: &str| {
            let event = serde_json::from_str::<serde_json::Value>(body).unwrap()["id"].as_str().unwrap().to_owned();
            let world = &world;
            async move { world.inbox().await.into_iter().find(|row| row.event == event).unwrap() }
        };
        let (gone, damaged, whole) = (row_of(&bodies[0].1).await, row_of(&bodies[1].1).await, row_of(&bodies[2].1).await);
        let mut tx = world.engine().store().begin().await.unwrap();
        query("DELETE FROM inbox_packs WHERE id = $1").bind(gone.id.as_str()).execute(&mut *tx).await.unwrap();
        query("UPDATE inbox_packs SET bytes = $1, unpacked = 5000 WHERE id = $2")
            .bind(vec![0xFFu8; 9])
            .bind(damaged.id.as_str())
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(world.engine().inbox().apply_due().await.unwrap(), 3);
        assert_eq!(row_of(&bodies[2].1).await.state, InboxState::Applied);
        for (broken, why) in [(gone, "is gone"), (damaged, "is damaged")] {
            let (row, body) = world.upkeep().delivery(&broken.id).await.unwrap();
            assert_eq!(row.state, InboxState::Pending, "it is not given up");
            assert!(row.note.as_deref().unwrap_or_default().contains(why), "{:?}", row.note);
            assert!(body.unwrap_err().to_string().contains(why));
        }
        assert!(world.upkeep().delivery(&whole.id).await.unwrap().1.is_ok());
    }
}

/// On PostgreSQL the database does this by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_moved_into_the_file_without_anybodys_commit() {
    let database = Database::sqlite();
    let file = database.url.trim_start_matches("sqlite://").to_owned();
    let world = World::new(database).await;
    let bytes = |name: &str| std::fs::metadata(name).unwrap().len();
    let before = bytes(&file);
    // The bytes are far fewer than the 32 MB at which a commit would move the log.
    for _ in 0..150 {
        assert_eq!(deliver(&world, &world.node, &unrelated()).await.status, 200);
    }
    eventually("what was stored is in the file", || async { bytes(&file) > before + 50_000 }).await;
    assert_eq!(world.inbox().await.len(), 150);
}
