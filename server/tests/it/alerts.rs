//! Alerts whose cause can end: each opens, goes with its cause, comes again with it, and can be dismissed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use domain::checkout::Phase;
use domain::id::Token;
use domain::method::Method;
use engine::Engine;
use serde_json::json;
use sqlx::{AssertSqlSafe, query};
use tokio::net::TcpListener;

use crate::both;
use crate::world::{World, account_at, eventually, random_hex};

async fn execute(world: &World, statement: String) -> u64 {
    let mut tx = world.engine().store().begin().await.unwrap();
    let done = query(AssertSqlSafe(statement)).execute(&mut *tx).await.unwrap().rows_affected();
    tx.commit().await.unwrap();
    done
}

async fn is_open(world: &World, kind: &str, subject: &str) -> bool {
    world.engine().alerts(100).await.unwrap().iter().any(|alert| alert.kind == kind && alert.subject == subject)
}

async fn can_be_dismissed(world: &World, kind: &str, subject: &str) {
    world.engine().dismiss_alert(kind, subject).await.unwrap();
    assert!(!is_open(world, kind, subject).await);
    assert!(world.engine().dismiss_alert(kind, subject).await.is_err(), "there is none any more");
}

/// Presses Pay while the provider answers with errors.
async fn start_in_vain(world: &World) -> Token {
    let session = world.session().await;
    world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "error_500"})).await;
    let _ = world.engine().start(&session, Method::Card, None).await.unwrap();
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

/// A provider whose list of events has no end until it is told to have one; its address.
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
        let merchant = Engine::add_merchant(world.engine(), "Busy", None).await.unwrap();
        let account = world.engine().add_account(&merchant.id.parse().unwrap(), new).await.unwrap().id;
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
