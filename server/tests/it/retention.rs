//! Old rows are forgotten in small transactions, and needed rows are kept.

use domain::checkout::Phase;
use domain::link::Usage;
use domain::{DAY, HOUR, MINUTE};
use engine::store::inbox::InboxState;
use engine::{Clock, OpenedLink, SystemClock};
use serde_json::json;
use sqlx::{AssertSqlSafe, Row, query};

use crate::deliveries::notice;
use crate::world::{World, eventually};
use crate::{both, both_at_adyen};

async fn execute(world: &World, text: String) {
    let mut tx = world.engine().store().begin().await.unwrap();
    query(AssertSqlSafe(text)).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn count(world: &World, of: &str) -> i64 {
    let mut connection = world.engine().store().reader().await.unwrap();
    let text = format!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM {of}");
    query(AssertSqlSafe(text)).fetch_one(&mut *connection).await.unwrap().get("n")
}

/// Inserts rows `i` from 1 to 1,300: more than two transactions forget.
async fn insert(world: &World, into: &str, values: &str) {
    let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)";
    execute(world, format!("INSERT INTO {into} {numbers} SELECT {values} FROM n")).await;
}

/// An id with a prefix and the number of the row.
fn id(prefix: &str) -> String {
    format!("'{prefix}_' || SUBSTR('00000000000000000000000000' || CAST(i AS TEXT), LENGTH(CAST(i AS TEXT)) + 1)")
}

both! {
    async fn what_is_old_goes_in_batches_and_a_run_that_fails_half_way_goes_on(world: World) {
        let (_node, clock) = world.ahead().await;
        let account = &world.account.id;
        let merchant = &world.merchant;
        let (ex, inb, job, ord, pay, ses, evt) = (id("ex"), id("in"), id("job"), id("ord"), id("pi"), id("cs"), id("evt"));
        insert(&world, "exchanges (id, account_id, operation, request, reply, duration, at)", &format!("{ex}, '{account}', 'x', 'x', 'x', 1, i")).await;
        insert(&world, "inbox_packs (id, bytes)", &format!("{inb}, 'x'")).await;
        insert(
            &world,
            "inbox (id, account_id, event, state, pack, received)",
            &format!("{inb}, '{account}', 'old_' || CAST(i AS TEXT), CASE WHEN i = 7 THEN 'pending' WHEN i = 8 THEN 'orphan' ELSE 'ignored' END, {inb}, 1"),
        )
        .await;
        // The pending delivery must not be taken up now.
        execute(&world, format!("UPDATE inbox SET due = {} WHERE state = 'pending'", SystemClock.now() + 15 * MINUTE)).await;
        insert(&world, "inbox_waits (wanted, inbox_id)", &format!("'a/' || CAST(i AS TEXT), {inb}")).await;
        insert(&world, "jobs (id, kind, subject, run_at, tries, generation, leased_until, dead, created)", &format!("{job}, 'check', {job}, 1, 0, 0, 0, i, 1")).await;
        insert(&world, "events (id, merchant_id, live, name, object_kind, object_id, snapshot, source, actor, created)", &format!("{evt}, '{merchant}', 0, 'x', 'x', 'x', '{{}}', 'engine', 'engine', i")).await;
        insert(
            &world,
            "orders (id, merchant_id, live, once, currency, total, basket, customer, fields, metadata, returns, policies, created)",
            &format!("{ord}, '{merchant}', 0, 0, 'EUR', 1, '{{}}', '{{}}', '[]', '{{}}', '{{}}', '{{}}', i"),
        )
        .await;
        insert(
            &world,
            "payments (id, merchant_id, order_id, live, currency, amount, capture, canceled, status, authorised, captured, refunded, seq, revision, created, updated)",
            &format!("{pay}, '{merchant}', {ord}, 0, 'EUR', 1, 'automatic', 0, 'requires_payment', 0, 0, 0, CASE WHEN i = 9 THEN 1 ELSE 0 END, 0, i, i"),
        )
        .await;
        insert(
            &world,
            "sessions (id, token, merchant_id, live, order_id, payment_id, state, extension, expires, revision, created)",
            &format!("{ses}, {ses}, '{merchant}', 0, {ord}, {pay}, 'expired', 0, 1, 0, 1"),
        )
        .await;
        // The database refuses to delete this row, in the second transaction of its table.
        execute(&world, "CREATE TABLE held (id TEXT REFERENCES exchanges (id))".to_owned()).await;
        execute(&world, format!("INSERT INTO held WITH n (i) AS (SELECT 700) SELECT {ex} FROM n")).await;
        let kept = (count(&world, "payments").await, count(&world, "payment_events").await, count(&world, "orders").await);
        clock.by(2 * MINUTE);
        eventually("the others go", || async { count(&world, "payments").await == kept.0 - 1_299 }).await;
        assert_eq!(count(&world, "exchanges WHERE at <= 1300").await, 800, "the first transaction is done, the second is not");
        assert_eq!(count(&world, "sessions WHERE created = 1").await, 1, "of the payment that was started");
        assert_eq!(count(&world, "orders").await, kept.2 - 1_299, "each with its payment");
        assert_eq!(count(&world, "events WHERE created <= 1300").await, 0);
        assert_eq!(count(&world, "jobs WHERE dead IS NOT NULL").await, 0);
        assert_eq!((count(&world, "inbox_packs").await, count(&world, "inbox").await), (1, 1), "of the one that is pending");
        assert_eq!(count(&world, "inbox_waits").await, 0);
        assert_eq!(count(&world, "payment_events").await, kept.1);
        execute(&world, "DELETE FROM held".to_owned()).await;
        clock.by(HOUR);
        eventually("the rest goes", || async { count(&world, "exchanges WHERE at <= 1300").await == 0 }).await;
    }
}

both! {
    async fn a_one_time_link_begins_anew_once_an_order_that_nobody_began_to_pay_is_forgotten(world: World) {
        let (node, clock) = world.ahead().await;
        let link = world.link(Usage::Once).await;
        let first = world.open(&link).await;
        clock.by(31 * DAY + 2 * HOUR);
        eventually("it is forgotten", || async { count(&world, "orders").await == 0 }).await;
        assert_eq!((count(&world, "payments").await, count(&world, "sessions").await), (0, 0));
        assert_eq!(world.checkout().open_link(&link).await.unwrap(), OpenedLink::Order);
        let second = node.engine.checkout().act_on(&link).await.unwrap();
        assert_ne!(first, second);
        assert_eq!(node.engine.checkout().view(&second, false).await.unwrap().phase, Phase::Choose);
    }
}

both_at_adyen! {
    async fn an_event_is_known_when_its_bytes_are_forgotten(world: World) {
        let (_node, clock) = world.ahead().await;
        let session = world.session().await;
        let page = world.start(&session).await;
        assert_eq!(world.pay_at_adyen(&page, "Ada Shopper").await, 303);
        world.wait_for(&session, Phase::Paid).await;
        let attempt = world.statement(&world.payment_of(&session).await).await.payment.attempts[0].clone();
        let reference = attempt.refs.payment.clone().unwrap();
        let event = format!("AUTHORISATION:{reference}:true");
        let before = world.inbox().await;
        let known = before.iter().find(|row| row.event.contains(&event)).expect("it was delivered").clone();
        clock.by(91 * DAY);
        eventually("its bytes are forgotten", || async { count(&world, "inbox_packs").await == 0 }).await;
        let why = world.upkeep().delivery(&known.id).await.unwrap().1.unwrap_err();
        assert_eq!(why.damage, engine::problem::Damage::Gone);
        let mark = &world.account.id[world.account.id.len() - 8..];
        let again = json!({"pspReference": reference, "originalReference": "", "merchantAccountCode": "HarbourBooks",
            "merchantReference": format!("{}-{mark}", attempt.id), "amount": {"value": 3098, "currency": "EUR"},
            "eventCode": "AUTHORISATION", "success": "true"});
        assert_eq!(notice(&world, &again).await.status, 202);
        let after = world.inbox().await;
        assert_eq!(after.len(), before.len(), "a repetition is a duplicate");
        assert_eq!(after.iter().find(|row| row.id == known.id).unwrap().state, InboxState::Applied);
        world.books_are_right().await;
    }
}
