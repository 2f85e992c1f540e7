//! Alerts whose cause can end. Such an alert opens, closes with its cause, comes again with it, and can be dismissed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use domain::checkout::Phase;
use domain::id::Token;
use domain::method::Method;
use domain::{DAY, HOUR, Mode};
use serde_json::json;
use sqlx::{AssertSqlSafe, query, query_scalar};
use tokio::net::TcpListener;

use crate::both;
use crate::world::{World, account_at, acting_for, eventually, operator, paid_event, random_hex};

async fn execute(world: &World, statement: String) -> u64 {
    let mut tx = world.engine().store().begin().await.unwrap();
    let done = query(AssertSqlSafe(statement)).execute(&mut *tx).await.unwrap().rows_affected();
    tx.commit().await.unwrap();
    done
}

async fn count(world: &World, statement: String) -> i64 {
    let mut connection = world.engine().store().reader().await.unwrap();
    query_scalar(AssertSqlSafe(statement)).fetch_one(&mut *connection).await.unwrap()
}

async fn is_open(world: &World, kind: &str, subject: &str) -> bool {
    world.upkeep().alerts(100).await.unwrap().iter().any(|alert| alert.kind == kind && alert.subject == subject)
}

async fn can_be_dismissed(world: &World, kind: &str, subject: &str) {
    world.upkeep().dismiss_alert(kind, subject).await.unwrap();
    assert!(!is_open(world, kind, subject).await);
    assert!(world.upkeep().dismiss_alert(kind, subject).await.is_err(), "there is none any more");
}

/// Presses Pay while the provider answers with errors.
async fn start_in_vain(world: &World) -> Token {
    let session = world.session().await;
    world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "error_500"})).await;
    let _ = world.checkout().start(&session, Method::Card, None).await.unwrap();
    session
}

both! {
    async fn a_page_that_was_not_opened_is_told_until_one_is(world: World) {
        let account = world.account.id.clone();
        start_in_vain(&world).await;
        assert!(is_open(&world, "open_failed", &account).await);
        world.forget_faults().await;
        world.paid_with("4242424242424242").await;
        world.alert_is_closed("open_failed").await;
        let other = world.session().await;
        assert_eq!(world.phase(&other).await, Phase::Choose);
        start_in_vain(&world).await;
        can_be_dismissed(&world, "open_failed", &account).await;
    }
}

both! {
    async fn a_delivery_that_cannot_be_applied_is_told_until_it_is(world: World) {
        let session = world.session().await;
        world.start(&session).await;
        let payment = world.payment_of(&session).await;
        let provider = world.provider("/v1/checkout/sessions").await["data"][0].clone();
        let attempt = provider["client_reference_id"].as_str().unwrap();
        let currency = |to: &str| execute(&world, format!("UPDATE payments SET currency = '{to}' WHERE id = '{payment}'"));
        // The row's currency makes no sense.
        currency("???").await;
        let event = paid_event("evt_paid", attempt, provider["id"].as_str().unwrap(), 3098, "eur");
        world.deliver(&serde_json::from_str(&event).unwrap()).await;
        let row = || async { world.inbox().await.into_iter().find(|row| row.event == "evt_paid") };
        eventually("it is stored", || async { row().await.is_some() }).await;
        let id = row().await.unwrap().id.to_string();
        let fails = || async {
            eventually("it has failed many times", || async {
                let tries = "tries = CASE WHEN tries % 20 = 19 THEN tries ELSE tries - tries % 20 + 19 END";
                execute(&world, format!("UPDATE inbox SET {tries}, due = 0 WHERE id = '{id}' AND state = 'pending'")).await;
                is_open(&world, "webhook_failing", &id).await
            })
            .await;
        };
        fails().await;
        can_be_dismissed(&world, "webhook_failing", &id).await;
        fails().await;
        currency("EUR").await;
        execute(&world, format!("UPDATE inbox SET due = 0 WHERE id = '{id}' AND state = 'pending'")).await;
        world.wait_for(&session, Phase::Paid).await;
        world.alert_is_closed("webhook_failing").await;
    }
}

both! {
    async fn a_delivery_whose_attempt_is_not_known_is_told_until_it_is(world: World) {
        let session = world.session().await;
        world.start(&session).await;
        let provider = world.provider("/v1/checkout/sessions").await["data"][0].clone();
        let (attempt, reference) = (provider["client_reference_id"].as_str().unwrap(), provider["id"].as_str().unwrap());
        let (_other, clock) = world.ahead().await;
        // The database looks like one that was restored from before the attempt.
        let (first, last) = attempt.split_at(attempt.len() - 1);
        let away = format!("{first}{}", if last == "0" { "1" } else { "0" });
        let nameless = format!("DELETE FROM attempt_references WHERE attempt_id = '{attempt}'");
        assert_eq!(execute(&world, nameless).await, 1);
        assert_eq!(execute(&world, format!("UPDATE attempts SET id = '{away}' WHERE id = '{attempt}'")).await, 1);
        let event = |id: &str| serde_json::from_str(&paid_event(id, attempt, reference, 3098, "eur")).unwrap();
        world.deliver(&event("evt_early")).await;
        let waiting = format!(
            "SELECT COUNT(*) FROM inbox WHERE state = 'waiting' AND id IN (SELECT inbox_id FROM inbox_waits WHERE wanted = '{attempt}')"
        );
        eventually("it waits", || async { count(&world, waiting.clone()).await == 1 }).await;
        assert!(!is_open(&world, "webhook_orphan", attempt).await);
        clock.by(DAY + HOUR);
        eventually("it is told", || is_open(&world, "webhook_orphan", attempt)).await;
        can_be_dismissed(&world, "webhook_orphan", attempt).await;
        let again = "UPDATE inbox SET settled = NULL, state = 'pending', due = 0 WHERE state = 'orphan'";
        assert_eq!(execute(&world, again.to_owned()).await, 1);
        eventually("it waits again", || async { count(&world, waiting.clone()).await == 1 }).await;
        clock.by(HOUR);
        eventually("it is told again", || is_open(&world, "webhook_orphan", attempt)).await;
        assert_eq!(execute(&world, format!("UPDATE attempts SET id = '{attempt}' WHERE id = '{away}'")).await, 1);
        let named = format!(
            "INSERT INTO attempt_references (account_id, reference, kind, attempt_id, payment_id)
             SELECT account_id, '{reference}', 'session', id, payment_id FROM attempts WHERE id = '{attempt}'"
        );
        assert_eq!(execute(&world, named).await, 1);
        // The next delivery makes the attempt known, and the delivery that had been given up is taken up again.
        world.deliver(&event("evt_late")).await;
        world.alert_is_closed("webhook_orphan").await;
        world.books_are_right().await;
    }
}

/// A provider whose list of events has no end while `is_long` is set. Returns its address.
async fn endless(is_long: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = move || {
        let event = json!({"id": "evt_again", "object": "event", "type": "customer.created", "created": 1, "livemode": false,
            "data": {"object": {"id": "cus_1"}}});
        let list = json!({"object": "list", "data": [event], "has_more": is_long.load(Ordering::SeqCst)});
        async move { list.to_string() }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

both! {
    async fn a_list_of_events_that_is_too_long_is_told_until_it_is_read_to_its_end(world: World) {
        let is_long = Arc::new(AtomicBool::new(true));
        let url = endless(is_long.clone()).await;
        let new = account_at(&url, &format!("sk_test_{}", random_hex()), &format!("whsec_{}", random_hex()));
        let merchant = world.engine().merchants(&operator()).add("Busy", None).await.unwrap();
        let account = world.engine().accounts(&acting_for(&merchant.id.parse().unwrap(), Mode::Test)).add(new).await.unwrap().id;
        let again = format!("UPDATE jobs SET run_at = 0 WHERE kind = 'repair' AND subject = '{account}'");
        let overrun = || async {
            eventually("it is told", || async {
                execute(&world, again.clone()).await;
                is_open(&world, "repair_overrun", &account).await
            })
            .await;
        };
        overrun().await;
        can_be_dismissed(&world, "repair_overrun", &account).await;
        overrun().await;
        is_long.store(false, Ordering::SeqCst);
        eventually("it is closed", || async {
            execute(&world, again.clone()).await;
            !is_open(&world, "repair_overrun", &account).await
        })
        .await;
    }
}
