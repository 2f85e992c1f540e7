//! Orders: viewing a page stores nothing, and an order stays as it was made, also at the provider.

use std::collections::BTreeMap;

use axum::http::Method as HttpMethod;
use domain::checkout::Phase;
use domain::link::Usage;
use domain::method::Method;
use engine::Started;
use engine::store::{Dialect, jobs, orders};
use futures::future::join_all;
use serde_json::json;
use sqlx::{AssertSqlSafe, Row};

use crate::world::{Database, World, header, operator};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";
/// The address to which the server moves in the tests of repetitions.
const ELSEWHERE: &str = "https://elsewhere.example";

/// The number of rows of each table.
pub async fn rows(world: &World) -> BTreeMap<String, i64> {
    let store = world.engine().store();
    let tables = match store.dialect() {
        Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Dialect::Postgres => {
            "SELECT table_name::TEXT AS name FROM information_schema.tables WHERE table_schema = 'public'"
        }
    };
    let mut tx = store.begin().await.unwrap();
    let names: Vec<String> =
        sqlx::query(tables).fetch_all(&mut *tx).await.unwrap().iter().map(|row| row.get("name")).collect();
    let mut rows = BTreeMap::new();
    for name in names {
        let count = AssertSqlSafe(format!("SELECT COUNT(*) AS rows FROM {name}"));
        let count: i64 = sqlx::query(count).fetch_one(&mut *tx).await.unwrap().get("rows");
        rows.insert(name, count);
    }
    rows
}

/// Changes stored rows, as an edit would.
async fn edit(world: &World, text: &'static str) {
    let mut tx = world.engine().store().begin().await.unwrap();
    sqlx::query(text).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

both! {
    async fn a_thousand_visits_of_links_store_nothing(world: World) {
        world.node.stop_background();
        let links = [world.link(Usage::Reusable).await, world.link(Usage::Once).await];
        let before = rows(&world).await;
        assert!(before.len() > 15 && before["links"] == 2, "{before:?}");
        let visit = |number: usize| {
            let url = format!("{}/l/{}", world.node.url, links[number / 5 % 2]);
            let world = &world;
            async move {
                let (method, headers) = match number % 5 {
                    0 => (HttpMethod::HEAD, vec![]),
                    1 => (HttpMethod::GET, vec![("sec-purpose", "prefetch"), ("purpose", "prefetch")]),
                    _ => (HttpMethod::GET, vec![("user-agent", "crawler")]),
                };
                world.send(method, &url, "", "", &headers).await.status
            }
        };
        for hundred in 0..10 {
            let statuses = join_all((0..100).map(|number| visit(hundred * 100 + number))).await;
            assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        }
        assert_eq!(rows(&world).await, before);
        // The status request of an open page stores nothing either.
        let status = format!("{}/fn/read_status?token={}", world.node.url, links[0]);
        world.get(&status).await;
        assert_eq!(rows(&world).await, before);
        // There is no order yet that a reference could name.
        assert_eq!(world.checkout().view_link(&links[0]).await.unwrap().reference, None);
        // A shopper's action makes the order.
        let page = world.start(&world.open(&links[0]).await).await;
        let after = rows(&world).await;
        assert_eq!((after["orders"], after["payments"], after["sessions"], after["attempts"]), (1, 1, 1, 1), "{page}");
    }
}

both! {
    async fn every_shopper_who_acts_on_a_reusable_link_has_an_order_of_their_own(world: World) {
        let link = world.link(Usage::Reusable).await;
        let (first, second) = (world.open(&link).await, world.open(&link).await);
        assert_ne!(first, second);
        for session in [first, second] {
            let page = world.start(&session).await;
            world.pay(&page, GOOD).await;
            world.wait_for(&session, Phase::Paid).await;
        }
        assert_eq!(world.newest_links().await[0].paid, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presses_on_two_servers_meet_in_one_payment() {
    let world = World::new(Database::postgres().await).await;
    let other = world.second_node().await;
    for _ in 0..4 {
        let link = world.link(Usage::Once).await;
        let before = world.calls("checkout.sessions.create").await.len();
        let presses = (0..8).map(|turn| {
            let node = if turn % 2 == 0 { &world.node } else { &other };
            let (url, world, link) = (format!("{}/fn/start_payment", node.url), &world, link.as_str());
            async move { header(&world.post_form(&url, &[("token", link), ("method", "card")]).await, "location") }
        });
        let led = join_all(presses).await;
        assert!(led[0].starts_with("/c/") && led[0].ends_with("/go"), "{led:?}");
        assert!(led.iter().all(|one| *one == led[0]), "{led:?}");
        assert_eq!(world.calls("checkout.sessions.create").await.len(), before + 1);
    }
    let counted = rows(&world).await;
    assert_eq!((counted["orders"], counted["payments"], counted["sessions"], counted["attempts"]), (4, 4, 4, 4));
}

both! {
    async fn shoppers_who_press_a_one_time_link_at_the_same_moment_meet_in_one_payment(world: World) {
        let start = format!("{}/fn/start_payment", world.node.url);
        for turn in 1..=4 {
            let link = world.link(Usage::Once).await;
            let press = || async {
                header(&world.post_form(&start, &[("token", link.as_str()), ("method", "card")]).await, "location")
            };
            let (first, second) = tokio::join!(press(), press());
            assert!(first.starts_with("/c/") && first.ends_with("/go") && first == second, "{first} {second}");
            let counted = rows(&world).await;
            let made = (counted["orders"], counted["payments"], counted["sessions"], counted["attempts"]);
            assert_eq!(made, (turn, turn, turn, turn));
            assert_eq!(i64::try_from(world.calls("checkout.sessions.create").await.len()).unwrap(), turn);
        }
    }
}

both! {
    async fn an_order_stays_as_it_was_when_its_link_is_edited(world: World) {
        let session = world.session().await;
        let id = world.stored_session(&session).await.order;
        let order = || async {
            orders::find(&mut world.engine().store().reader().await.unwrap(), &operator(), &id).await.unwrap().unwrap()
        };
        let (before, shown) = (order().await, world.view(&session).await);
        assert!(shown.reference.is_some());
        edit(
            &world,
            "UPDATE links SET basket = REPLACE(basket, 'Tea', 'Coal'), total = 1, metadata = '{\"a\":\"b\"}',
             returns = '{\"success\":\"https://other.example\",\"cancel\":null}',
             policies = REPLACE(policies, 'automatic', 'manual')",
        )
        .await;
        let known = world.newest_links().await;
        world.links().activate(&known[0].id.parse().unwrap(), false).await.unwrap();
        assert_eq!(order().await, before);
        let view = world.view(&session).await;
        assert_eq!((&view.basket, &view.sums, view.total, &view.returns), (&shown.basket, &shown.sums, shown.total, &shown.returns));
        assert_eq!((view.basket.lines[0].name.as_str(), view.total.minor), ("Tea", 3_098));
        // The payment is for the order as it was made: the whole amount, captured at once.
        let page = world.start(&session).await;
        assert_eq!(world.pay(&page, GOOD).await, 303);
        world.wait_for(&session, Phase::Paid).await;
        assert_eq!(world.view(&session).await.figures.received.minor, 3_098);
        // The database itself refuses to change an order.
        let mut tx = world.engine().store().begin().await.unwrap();
        assert!(sqlx::query("UPDATE orders SET total = 1").execute(&mut *tx).await.is_err());
    }
}

/// The first request is lost, fails at the provider, or loses its reply. Then the server moves, and the link, the
/// merchant and the session are edited. Another server must repeat the first request.
async fn repeats_the_first_request(
    world: &World,
    operation: &str,
    is_replayed: bool,
    calls: impl AsyncFn() -> Vec<serde_json::Value>,
) {
    world.node.stop_background();
    let session = world.session().await;
    assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
    assert_eq!(world.phase(&session).await, Phase::Unknown, "{operation}");
    for text in [
        "UPDATE links SET basket = REPLACE(basket, 'Tea', 'Coal')",
        "UPDATE merchants SET name = 'Another', support_email = 'a@b.example'",
        "UPDATE sessions SET extension = 7, expires = expires + 60000",
    ] {
        edit(world, text).await;
    }
    let moved = world.moved_node(ELSEWHERE).await;
    let payment = world.payment_of(&session).await;
    let attempt = world.statement(&payment).await.payment.attempts[0].id.to_string();
    let mut tx = world.engine().store().begin().await.unwrap();
    jobs::hasten(&mut tx, &operator(), "open", &attempt, 1, 1).await.unwrap();
    tx.commit().await.unwrap();
    world.wait_for(&session, Phase::Resume).await;
    let calls = calls().await;
    let said = |field: &str| calls.iter().map(|call| call[field].clone()).collect::<Vec<_>>();
    let (keys, bodies, paths) = (said("idempotency_key"), said("body_sha256"), said("path"));
    assert!(calls.len() == 2 && keys[0] == keys[1] && keys[0].is_string(), "{calls:?}");
    assert!(bodies[0] == bodies[1] && bodies[0].is_string() && paths[0] == paths[1], "{calls:?}");
    // The provider answers an executed request from its memory, and would refuse its key with another body.
    assert_eq!(calls[1]["replayed"], is_replayed, "{calls:?}");
    drop(moved);
    no_credentials(world).await;
}

/// The stored request is the sent one without the credentials.
async fn no_credentials(world: &World) {
    let mut tx = world.engine().store().begin().await.unwrap();
    let stored: String = sqlx::query("SELECT sent FROM attempts").fetch_one(&mut *tx).await.unwrap().get("sent");
    assert!(stored.contains("return") && stored.contains(":open"), "{stored}");
    assert!(!stored.contains(&world.secret_key) && !stored.contains(ELSEWHERE), "{stored}");
}

async fn stripe_repeats(world: &World, fault: &str) {
    world.control("faults", json!({"operation": "checkout.sessions.create", "fault": fault, "count": 1})).await;
    repeats_the_first_request(world, "stripe", false, async || world.calls("checkout.sessions.create").await).await;
}

async fn adyen_repeats(world: &World, fault: &str, is_replayed: bool) {
    let wanted = json!({"provider": "adyen", "operation": "paymentLinks.create", "fault": fault, "count": 1});
    world.control("faults", wanted).await;
    let calls = async || crate::adyen::calls(world, "paymentLinks.create").await;
    repeats_the_first_request(world, "adyen", is_replayed, calls).await;
}

both! {
    async fn a_repeated_opening_is_the_same_request(world: World) {
        stripe_repeats(&world, "error_500").await;
    }
}

both! {
    async fn an_opening_that_was_lost_on_the_way_is_repeated_as_the_same_request(world: World) {
        stripe_repeats(&world, "timeout_before_accept").await;
    }
}

both_at_adyen! {
    async fn a_repeated_opening_is_the_same_request_at_adyen(world: World) {
        adyen_repeats(&world, "error_500", false).await;
    }
}

both_at_adyen! {
    async fn an_opening_whose_reply_was_lost_is_repeated_as_the_same_request_at_adyen(world: World) {
        adyen_repeats(&world, "timeout_after_accept", true).await;
    }
}

both! {
    async fn a_link_that_is_switched_off_meanwhile_takes_no_order(world: World) {
        let link = world.link(Usage::Reusable).await;
        let known = world.newest_links().await;
        world.links().activate(&known[0].id.parse().unwrap(), false).await.unwrap();
        let start = format!("{}/fn/start_payment", world.node.url);
        let pressed = world.post_form(&start, &[("token", link.as_str()), ("method", "card")]).await;
        let page = world.get(&format!("{}{}", world.node.url, header(&pressed, "location"))).await;
        assert!(pressed.status == 303 && [303, 410].contains(&page.status), "{}", page.status);
        assert_eq!(rows(&world).await["orders"], 0);
    }
}
