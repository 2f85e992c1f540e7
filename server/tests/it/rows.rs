//! Rows of captures, refunds and disputes, references of attempts, and events.

use domain::link::Usage;
use domain::payment::{MovementKind, Refs};
use engine::Page;
use engine::store::attempts;
use engine::store::movements::Movement;
use serde_json::json;
use sqlx::query;

use crate::both;
use crate::world::{World, eventually, operator};

const GOOD: &str = "4242424242424242";
const TOTAL: i64 = 3098;

async fn list(world: &World, kind: MovementKind) -> Vec<Movement> {
    world.money().movements(kind, &Page::first(100)).await.unwrap().rows
}

both! {
    async fn a_capture_and_its_refunds_are_rows_that_can_be_found(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let first = world.money().refund(&payment, Some(1000)).await.unwrap();
        world.money().refund(&payment, Some(500)).await.unwrap();
        let captures = list(&world, MovementKind::Capture).await;
        assert_eq!(captures.len(), 1, "{captures:?}");
        assert_eq!((captures[0].amount, captures[0].state.as_str()), (TOTAL, "succeeded"));
        let refunds = list(&world, MovementKind::Refund).await;
        let mut amounts: Vec<i64> = refunds.iter().map(|refund| refund.amount).collect();
        amounts.sort_unstable();
        assert_eq!(amounts, [500, 1000]);
        let letters = first.modification.id.as_str().trim_start_matches("mod_").to_owned();
        let by_id = world.money().find_movements(&format!("re_{letters}")).await.unwrap();
        assert_eq!((by_id[0].amount, by_id[0].capture.as_ref()), (1000, Some(&captures[0].id)));
        let reference = by_id[0].reference.clone().unwrap();
        assert_eq!(world.money().find_movements(&reference).await.unwrap(), by_id);
        assert_eq!(world.statement(&payment).await.movements.len(), 3);
        assert!(world.money().find_movements("re_nowhere").await.is_err());
        world.books_are_right().await;
    }
}

both! {
    async fn a_row_that_disagrees_with_its_attempt_is_found_by_the_audit(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        world.money().refund(&payment, Some(1000)).await.unwrap();
        for (breach, what) in [
            ("UPDATE movements SET amount = amount + 1 WHERE kind = 'refund'", "refunds of"),
            ("UPDATE movements SET state = 'failed' WHERE kind = 'capture'", "captures of"),
        ] {
            let mut tx = world.engine().store().begin().await.unwrap();
            query(breach).execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            let wrong = world.upkeep().audit_payment(&payment).await.unwrap();
            assert!(wrong.iter().any(|one| one.account.starts_with(what)), "{breach}: {wrong:?}");
        }
    }
}

both! {
    async fn an_attempt_is_found_by_each_of_its_references_and_shares_none(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let attempt = world.statement(&payment).await.payment.attempts[0].clone();
        let account = world.account_id();
        let mut tx = world.engine().store().begin().await.unwrap();
        for reference in [attempt.refs.session.clone().unwrap(), attempt.refs.payment.clone().unwrap()] {
            let key = (account.clone(), reference.clone());
            let found = attempts::locate_many_by_refs(&mut tx, &operator(), std::slice::from_ref(&key)).await.unwrap();
            assert_eq!(found[&key].attempt, attempt.id);
            let refs = Refs { session: Some(reference), payment: None };
            let found = attempts::locate_by_refs(&mut tx, &operator(), &account, &refs).await.unwrap().unwrap();
            assert_eq!(found.payment, payment);
        }
        let again = "INSERT INTO attempt_references (account_id, reference, kind, attempt_id, payment_id)
            SELECT account_id, reference, kind, attempt_id, payment_id FROM attempt_references";
        assert!(query(again).execute(&mut *tx).await.is_err(), "a reference has one attempt");
    }
}

both! {
    async fn events_are_numbered_without_gaps_and_keep_the_object_as_it_was(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        world.money().refund(&payment, Some(1000)).await.unwrap();
        let events = world.engine().events(&world.scope()).list(&Page::first(100)).await.unwrap().rows;
        let of_payment = events.iter().filter(|event| event.payment.as_deref() == Some(payment.as_str()));
        let mut numbers: Vec<i64> = of_payment.clone().filter_map(|event| event.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<i64>>());
        let paid = of_payment.clone().find(|event| event.name == "payment.succeeded").unwrap();
        assert_eq!(paid.snapshot["totals"]["refunded"], json!(0), "as it was then");
        let refund = of_payment.clone().find(|event| event.name == "refund.succeeded").unwrap();
        assert_eq!((refund.object_kind.as_str(), refund.snapshot["amount"].as_i64()), ("refund", Some(1000)));
        assert_eq!(refund.snapshot["id"], json!(refund.object_id));
        assert_eq!(world.money().find_movements(&refund.object_id).await.unwrap().len(), 1);
    }
}

both! {
    async fn links_have_events_too(world: World) {
        world.link(Usage::Once).await;
        let link = world.newest_links().await[0].id.clone();
        world.links().activate(&link.parse().unwrap(), false).await.unwrap();
        let events = world.engine().events(&world.scope()).list(&Page::first(100)).await.unwrap().rows;
        let of_link = events.iter().filter(|event| event.object_id == link);
        let mut said: Vec<(&str, Option<bool>)> =
            of_link.map(|event| (event.name.as_str(), event.snapshot["active"].as_bool())).collect();
        said.sort_unstable();
        assert_eq!(said, [("link.created", Some(true)), ("link.updated", Some(false))]);
    }
}

both! {
    async fn old_events_are_forgotten_in_batches_and_numbers_go_on(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let before = world.statement(&payment).await.told.len();
        let text = "INSERT INTO events (id, merchant_id, live, name, object_kind, object_id, snapshot, source, actor, created)
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
            SELECT 'evt_' || CAST(i AS TEXT), (SELECT MIN(id) FROM merchants), 0, 'x', 'x', 'x', '{}', 'engine', 'engine', i FROM n";
        let mut tx = world.engine().store().begin().await.unwrap();
        query(text).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let (_node, clock) = world.ahead().await;
        clock.by(2 * domain::DAY);
        let old = || async {
            let mut connection = world.engine().store().reader().await.unwrap();
            let rows = query("SELECT id FROM events WHERE created < 10000").fetch_all(&mut *connection).await.unwrap();
            rows.len()
        };
        eventually("the old ones are gone", || async { old().await == 0 }).await;
        assert_eq!(world.statement(&payment).await.told.len(), before);
        world.money().refund(&payment, Some(1000)).await.unwrap();
        let mut connection = world.engine().store().reader().await.unwrap();
        let all = engine::store::events::of_payment(&mut connection, &operator(), &payment).await.unwrap();
        assert!((1..).zip(&all).all(|(number, event)| event.number == number), "{all:?}");
    }
}
