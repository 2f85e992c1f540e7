//! Webhooks that arrive before the reply to the request that caused them.

use domain::checkout::Phase;
use domain::method::Method;
use domain::payment::{Outcome, Status};
use serde_json::json;

use crate::adyen::{calls as calls_at_adyen, paid as paid_at_adyen, refunded};
use crate::world::{World, eventually, random_hex, seconds, sign};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";

both! {
    async fn a_paid_webhook_that_beats_the_create_reply_is_believed_and_the_reply_harmless(world: World) {
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "slow", "delay_ms": 1500, "count": 1})).await;
        let session = world.session().await;
        let (engine, token) = (world.engine().clone(), session.clone());
        let starting = tokio::spawn(async move { engine.checkout().start(&token, Method::Card, None).await.unwrap() });
        eventually("the attempt is written down", || async {
            !world.statement(&world.payment_of(&session).await).await.payment.attempts.is_empty()
        })
        .await;
        let payment = world.payment_of(&session).await;
        let attempt = world.statement(&payment).await.payment.attempts[0].clone();
        assert!(attempt.refs.session.is_none(), "the provider has not answered yet");
        let intent = json!({
            "id": format!("evt_{}", random_hex()), "object": "event", "type": "payment_intent.succeeded",
            "created": seconds(), "livemode": false,
            "data": {"object": {"id": "pi_early", "object": "payment_intent", "status": "succeeded", "amount": 3098,
                "amount_received": 3098, "currency": "eur", "metadata": {"till_attempt": attempt.id}}}
        });
        let body = intent.to_string();
        let signature = sign(&world.webhook_secret, seconds(), &body);
        let headers = [("stripe-signature", signature.as_str())];
        let reply = world.send(axum::http::Method::POST, &world.account.webhook_url, "application/json", &body, &headers).await;
        assert_eq!(reply.status, 200);
        world.wait_for(&session, Phase::Paid).await;
        starting.await.unwrap();
        let statement = world.statement(&payment).await;
        assert_eq!((world.phase(&session).await, statement.payment.attempts.len()), (Phase::Paid, 1));
        assert_eq!(statement.totals.captured, 3098);
        world.books_are_right().await;
    }
}

both! {
    async fn a_refund_webhook_that_beats_its_reply_is_the_same_refund(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        world.control("faults", json!({"operation": "refund.*", "on": "webhook", "fault": "early", "count": 5})).await;
        world.control("faults", json!({"operation": "refunds.create", "fault": "slow", "delay_ms": 500, "count": 1})).await;
        let refund = world.money().refund(&payment, Some(1000)).await.unwrap();
        assert_eq!(refund.outcome, Outcome::Succeeded);
        let statement = world.statement(&payment).await;
        assert_eq!((statement.totals.refunded, statement.payment.attempts[0].book.refunds.len()), (1000, 1));
        assert_eq!(statement.payment.attempts[0].refundable(), 2098, "counted once");
        world.books_are_right().await;
    }
}

both! {
    async fn odd_answers_prove_nothing_and_odd_events_change_nothing(world: World) {
        for fault in ["timeout_before_accept", "error_503", "html_200", "conflict_409", "unknown_value"] {
            world.control("faults", json!({"operation": "checkout.sessions.create", "fault": fault, "count": 1})).await;
            let session = world.session().await;
            world.checkout().start(&session, Method::Card, None).await.unwrap();
            world.wait_for(&session, Phase::Resume).await;
            let page = world.start(&session).await;
            world.pay(&page, GOOD).await;
            world.wait_for(&session, Phase::Paid).await;
        }
        for fault in ["reorder", "late", "future", "another_account", "unknown_value", "duplicate", "wrong_key"] {
            world.control("faults", json!({"operation": "*", "on": "webhook", "fault": fault, "count": 2, "delay_ms": 300})).await;
            let session = world.session().await;
            let page = world.start(&session).await;
            world.pay(&page, GOOD).await;
            eventually(fault, || async { world.checkout().view(&session, true).await.unwrap().phase == Phase::Paid }).await;
        }
        world.books_are_right().await;
    }
}

/// The fault of a page that is made at once and answered late, with a status that tells nothing. The fault `slow` would
/// make the page late as well.
const LATE_REPLY: &str = "unknown_value";

/// A page that the provider has made and not reported yet, and the task that waits for the reply.
async fn unanswered_page(
    world: &World,
    fault: &str,
    delay_ms: i64,
) -> (domain::id::Token, String, tokio::task::JoinHandle<()>) {
    let fault = json!({"provider": "adyen", "operation": "paymentLinks.create", "on": "api", "fault": fault, "delay_ms": delay_ms, "count": 1});
    world.control("faults", fault).await;
    let session = world.session().await;
    let (engine, token) = (world.engine().clone(), session.clone());
    let starting = tokio::spawn(async move {
        engine.checkout().start(&token, Method::Card, None).await.unwrap();
    });
    let payment = world.payment_of(&session).await;
    let attempts = || async { world.statement(&payment).await.payment.attempts };
    eventually("the attempt is written down", || async { !attempts().await.is_empty() }).await;
    let mark = &world.account.id[world.account.id.len() - 8..];
    let reference = format!("{}-{mark}", attempts().await[0].id);
    let url = format!("{}/_control/adyen/checkouts?account={}&reference={reference}", world.sandbox, world.secret_key);
    let made = || async {
        let list: serde_json::Value = serde_json::from_slice(&world.get(&url).await.body).unwrap();
        list["checkouts"][0]["page"].as_str().map(str::to_owned)
    };
    eventually("the page is made", || async { made().await.is_some() }).await;
    (session, made().await.unwrap(), starting)
}

both_at_adyen! {
    async fn an_authorisation_that_beats_the_reply_to_the_create_request_is_the_same_payment(world: World) {
        for fault in [LATE_REPLY, "timeout_after_accept", "error_500_after_accept"] {
            let (session, page, starting) = unanswered_page(&world, fault, 4000).await;
            let payment = world.payment_of(&session).await;
            assert!(world.statement(&payment).await.payment.attempts[0].refs.session.is_none(), "nobody has been answered");
            assert_eq!(world.pay_at_adyen(&page, "Ada Shopper").await, 303);
            world.wait_for(&session, Phase::Paid).await;
            let early = world.statement(&payment).await.payment.attempts[0].clone();
            assert!(early.refs.session.is_none() && early.refs.payment.is_some(), "{fault}: the webhook was not early");
            starting.await.unwrap();
            world.inbox_is_empty().await;
            let statement = world.statement(&payment).await;
            assert_eq!((statement.status, statement.totals.captured), (Status::Succeeded, 3098), "{fault}");
            assert_eq!((statement.payment.attempts.len(), statement.payment.live()), (1, None), "{fault}");
            assert!(!statement.flags.second_success && !statement.flags.unsure);
            assert_eq!(world.told(&payment, "payment.succeeded").await, 1);
            world.page_says(&session, "paid", "Payment complete").await;
            assert_eq!(world.checkout().handoff(&session).await.unwrap(), None, "nobody is sent to pay again");
        }
        assert_eq!(calls_at_adyen(&world, "paymentLinks.create").await.len(), 3, "once each");
        world.books_say(&[("provider_receivable", 3 * 3098), ("merchant_payable", -3 * 3098)]).await;
        assert_eq!(world.alert_kinds().await, ["open_failed"], "of the reply that was an error");
    }
}

both_at_adyen! {
    async fn a_decline_that_beats_the_reply_leaves_a_page_that_can_be_paid(world: World) {
        let (session, page, starting) = unanswered_page(&world, LATE_REPLY, 4000).await;
        assert_eq!(world.pay_at_adyen(&page, "NOT_ENOUGH_BALANCE").await, 402);
        starting.await.unwrap();
        eventually("declined", || async { matches!(world.phase(&session).await, Phase::Declined(_)) }).await;
        world.books_say(&[]).await;
        assert_eq!(world.start(&session).await, page, "the same page");
        assert_eq!(world.pay_at_adyen(&page, "Ada Shopper").await, 303);
        world.wait_for(&session, Phase::Paid).await;
        let payment = world.payment_of(&session).await;
        assert_eq!(world.statement(&payment).await.payment.attempts.len(), 1);
        world.books_say(&[("provider_receivable", 3098), ("merchant_payable", -3098)]).await;
    }
}

both_at_adyen! {
    async fn a_refund_told_before_it_is_received_is_one_refund(world: World) {
        let (session, payment) = paid_at_adyen(&world).await;
        world.control("faults", json!({"provider": "adyen", "operation": "REFUND", "on": "webhook", "fault": "early", "count": 1})).await;
        let refund = world.money().refund(&payment, Some(1000)).await.unwrap();
        assert_ne!(refund.outcome, Outcome::Failed);
        refunded(&world, &payment, 1000).await;
        world.inbox_is_empty().await;
        let statement = world.statement(&payment).await;
        let attempt = &statement.payment.attempts[0];
        assert_eq!((attempt.book.refunds.len(), attempt.refundable()), (1, 2098), "counted once");
        assert_eq!(statement.totals.refund_pending, 0);
        world.books_say(&[("provider_receivable", 2098), ("merchant_payable", -2098)]).await;
        world.page_says(&session, "partly_refunded", "10.00").await;
    }
}
