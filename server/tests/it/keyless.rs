//! Requests that must not be sent twice: at a provider without idempotency keys, and after a key has expired.

use domain::checkout::Phase;
use domain::method::Method;
use domain::payment::Outcome;
use domain::session::Notice;
use domain::{DAY, HOUR, MINUTE};
use engine::{Clock, Started};
use serde_json::json;

use crate::adyen::calls;
use crate::toy::{Provider, both_at_toy, deliver, hint};
use crate::world::{World, eventually};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";
/// A time longer than a search needs to prove that a request did nothing.
const PROVED: i64 = 5 * MINUTE;

/// Starts a payment that stays unanswered, and returns the attempt's id.
async fn unanswered(world: &World, engine: &engine::Engine, session: &domain::id::Token) -> String {
    assert_eq!(engine.checkout().start(session, Method::Card, None).await.unwrap(), Started::Stay);
    assert_eq!(world.phase(session).await, Phase::Unknown);
    let payment = world.payment_of(session).await;
    world.statement(&payment).await.payment.attempts[0].id.to_string()
}

/// How often an alert of a kind was raised about a subject.
async fn raised(world: &World, kind: &str, subject: &str) -> i64 {
    let alerts = world.upkeep().alerts(100).await.unwrap();
    alerts.iter().filter(|alert| alert.kind == kind && alert.subject == subject).map(|alert| alert.times).sum()
}

/// Makes every job of a kind due.
async fn hurry(world: &World, kind: &'static str) {
    let mut tx = world.engine().store().begin().await.unwrap();
    sqlx::query("UPDATE jobs SET run_at = 0 WHERE kind = $1").bind(kind).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

both_at_toy! {
    "toy", "form",
    async fn a_page_whose_reply_was_lost_is_found_and_not_asked_for_again(world: World, toy: Provider) {
        toy.lose_replies(1);
        let session = world.session().await;
        unanswered(&world, world.engine(), &session).await;
        world.wait_for(&session, Phase::Resume).await;
        assert_eq!((toy.calls("POST /pages"), toy.calls("GET /pages")), (1, 1));
    }
}

both_at_toy! {
    "toy", "form",
    async fn a_page_that_was_never_made_is_given_up_when_a_search_proves_it(world: World, toy: Provider) {
        let (other, clock) = world.ahead().await;
        toy.drop_requests(1);
        let session = world.session().await;
        let attempt = unanswered(&world, &other.engine, &session).await;
        eventually("it is looked for", || async { toy.calls("GET /pages") > 0 }).await;
        eventually("only waiting is left", || async {
            world.due("open", &attempt).await.is_some_and(|due| due > clock.now() + MINUTE)
        })
        .await;
        assert_eq!(world.phase(&session).await, Phase::Unknown, "the request may be on its way");
        clock.by(PROVED);
        world.wait_for(&session, Phase::Choose).await;
        assert_eq!(toy.calls("POST /pages"), 1, "it was never sent again");
        assert_eq!(world.view(&session).await.notice, Some(Notice::ProviderUnreachable));
        assert_eq!(world.alert_kinds().await, vec!["open_failed"], "nobody needs to look at it");
        assert_eq!(other.engine.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Redirect);
        assert_eq!(toy.calls("POST /pages"), 2);
    }
}

both_at_toy! {
    "mute", "form",
    async fn a_page_that_cannot_be_looked_for_is_left_to_a_person_who_is_told_once(world: World, toy: Provider) {
        let (other, clock) = world.ahead().await;
        toy.lose_replies(1);
        let session = world.session().await;
        let attempt = unanswered(&world, &other.engine, &session).await;
        eventually("a person is told", || async { raised(&world, "open_unknown", &attempt).await == 1 }).await;
        let alerts = world.upkeep().alerts(10).await.unwrap();
        let detail = &alerts.iter().find(|alert| alert.kind == "open_unknown").unwrap().detail;
        assert!(detail.contains(&attempt) && detail.contains("Look at the provider") && detail.contains("pay again from"), "{detail}");
        for _ in 0..3 {
            clock.by(16 * MINUTE);
            hurry(&world, "open").await;
            eventually("the job has looked", || async {
                world.due("open", &attempt).await.is_some_and(|due| due > clock.now())
            })
            .await;
        }
        assert_eq!((toy.calls("POST /pages"), raised(&world, "open_unknown", &attempt).await), (1, 1));
        assert_eq!(world.phase(&session).await, Phase::Unknown);
        // The provider's own event counts, even now.
        let page = toy.page();
        toy.pay(&page);
        assert_eq!(deliver(&world, &toy.event(&page)).await, 200);
        world.wait_for(&session, Phase::Paid).await;
    }
}

/// A payment made at the toy, and its page.
async fn paid(world: &World, toy: &Provider) -> (domain::id::PaymentId, String) {
    let session = world.session().await;
    world.start(&session).await;
    let page = toy.page();
    toy.pay(&page);
    assert_eq!(hint(world, &format!("page={page}")).await, 200);
    world.wait_for(&session, Phase::Paid).await;
    (world.payment_of(&session).await, page)
}

both_at_toy! {
    "toy", "form",
    async fn a_refund_whose_reply_was_lost_is_found_and_one_that_was_not_made_is_given_up(world: World, toy: Provider) {
        let (payment, page) = paid(&world, &toy).await;
        let (other, clock) = world.ahead().await;
        toy.lose_replies(1);
        assert_eq!(other.engine.money(&world.scope()).refund(&payment, Some(500)).await.unwrap().outcome, Outcome::Unknown);
        eventually("it is found", || async { world.statement(&payment).await.totals.refunded == 500 }).await;
        toy.drop_requests(1);
        assert_eq!(other.engine.money(&world.scope()).refund(&payment, Some(300)).await.unwrap().outcome, Outcome::Unknown);
        clock.by(PROVED);
        hurry(&world, "modify").await;
        eventually("it is known", || async { !world.statement(&payment).await.flags.unsure }).await;
        let known = world.statement(&payment).await.payment.attempts[0].modifications[1].clone();
        assert!(known.reason().is_some_and(|reason| reason.contains("has not done it")), "{known:?}");
        assert_eq!((toy.calls(&format!("POST /pages/{page}/refunds")), toy.refunds(&page)), (2, 1));
        world.books_are_right().await;
    }
}

both_at_toy! {
    "mute", "form",
    async fn a_refund_that_cannot_be_looked_for_is_left_to_a_person_who_is_told_once(world: World, toy: Provider) {
        let (payment, page) = paid(&world, &toy).await;
        let (other, clock) = world.ahead().await;
        toy.lose_replies(1);
        let asked = other.engine.money(&world.scope()).refund(&payment, Some(500)).await.unwrap();
        let (id, subject) = (asked.modification.id.to_string(), format!("{}/{}", world.statement(&payment).await.payment.attempts[0].id, asked.modification.id));
        assert_eq!(asked.outcome, Outcome::Unknown);
        eventually("a person is told", || async { raised(&world, "modification_unknown", &id).await == 1 }).await;
        for _ in 0..3 {
            clock.by(2 * HOUR);
            hurry(&world, "modify").await;
            eventually("the job has looked", || async {
                world.due("modify", &subject).await.is_some_and(|due| due > clock.now())
            })
            .await;
        }
        assert_eq!(raised(&world, "modification_unknown", &id).await, 1);
        assert!(world.statement(&payment).await.flags.unsure);
        assert_eq!((toy.calls(&format!("POST /pages/{page}/refunds")), toy.refunds(&page)), (1, 1));
    }
}

both_at_toy! {
    "mute", "form",
    async fn a_refund_that_did_not_leave_is_over_because_nobody_will_send_it_later(world: World, toy: Provider) {
        let (payment, page) = paid(&world, &toy).await;
        let mut tx = world.engine().store().begin().await.unwrap();
        // No server listens on port 1.
        sqlx::query("UPDATE provider_accounts SET base_url = 'http://127.0.0.1:1'").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let asked = world.money().refund(&payment, Some(500)).await.unwrap();
        assert_eq!(asked.outcome, Outcome::Failed);
        assert!(asked.modification.reason().is_some_and(|reason| reason.contains("nothing was done")), "{asked:?}");
        assert_eq!(toy.refunds(&page), 0);
    }
}

/// Redirects the account's requests to another address. The engine caches accounts for a moment.
async fn lead(world: &World, clock: &crate::world::Ahead, url: &str) {
    let mut tx = world.engine().store().begin().await.unwrap();
    let update = sqlx::query("UPDATE provider_accounts SET base_url = $1 WHERE id = $2").bind(url.to_owned());
    update.bind(world.account.id.clone()).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    clock.by(MINUTE);
}

both! {
    async fn a_key_that_stripe_has_forgotten_is_not_sent_again(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let (other, clock) = world.ahead().await;
        lead(&world, &clock, "http://127.0.0.1:1").await;
        let asked = other.engine.money(&world.scope()).refund(&payment, Some(500)).await.unwrap();
        assert_eq!(asked.outcome, Outcome::Requested, "it did not leave");
        clock.by(DAY);
        lead(&world, &clock, &world.sandbox).await;
        hurry(&world, "modify").await;
        eventually("it is over", || async {
            hurry(&world, "modify").await;
            world.statement(&payment).await.payment.attempts[0].modifications[0].outcome(&domain::payment::Book::default()) == Outcome::Failed
        })
        .await;
        assert_eq!(world.calls("refunds.create").await.len(), 0);
        assert!(!world.calls("refunds.list").await.is_empty(), "it was looked for instead");
        assert_eq!(world.statement(&payment).await.totals.refunded, 0);
        // With a new key the refund can be requested again.
        assert_eq!(other.engine.money(&world.scope()).refund(&payment, Some(500)).await.unwrap().outcome, Outcome::Succeeded);
    }
}

both_at_adyen! {
    async fn a_key_that_adyen_has_forgotten_is_not_sent_again(world: World) {
        let session = world.session().await;
        let page = world.start(&session).await;
        world.pay_at_adyen(&page, "A. Shopper").await;
        world.wait_for(&session, Phase::Paid).await;
        let payment = world.payment_of(&session).await;
        let (other, clock) = world.ahead().await;
        world.control("adyen/webhooks", json!({"hold": true})).await;
        world.control("faults", json!({"provider": "adyen", "operation": "payments.refund", "fault": "timeout_after_accept", "count": 1})).await;
        let asked = other.engine.money(&world.scope()).refund(&payment, Some(500)).await.unwrap();
        assert_eq!(asked.outcome, Outcome::Unknown);
        // A month passes before the job repeats the request.
        clock.by(32 * DAY);
        let id = asked.modification.id.to_string();
        eventually("a person is told", || async {
            hurry(&world, "modify").await;
            raised(&world, "modification_unknown", &id).await > 0
        })
        .await;
        let sent_before = calls(&world, "payments.refund").await.len();
        for _ in 0..3 {
            hurry(&world, "modify").await;
            clock.by(HOUR);
        }
        assert_eq!(raised(&world, "modification_unknown", &id).await, 1);
        assert_eq!(calls(&world, "payments.refund").await.len(), sent_before, "never with a key of another month");
        assert!(world.statement(&payment).await.flags.unsure);
        // The provider's own webhook settles the outcome.
        world.control("adyen/webhooks", json!({"hold": false})).await;
        eventually("it is known", || async { !world.statement(&payment).await.flags.unsure }).await;
    }
}
