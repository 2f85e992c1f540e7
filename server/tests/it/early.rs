//! Webhooks that are faster than the reply to the request that caused them.

use domain::checkout::Phase;
use domain::method::Method;
use domain::payment::Outcome;
use serde_json::json;

use crate::both;
use crate::world::{World, eventually, random_hex, seconds, sign};

const GOOD: &str = "4242424242424242";

both! {
    async fn a_paid_webhook_that_beats_the_create_reply_is_believed_and_the_reply_harmless(world: World) {
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "slow", "delay_ms": 1500, "count": 1})).await;
        let session = world.session().await;
        let (engine, token) = (world.engine().clone(), session.clone());
        let starting = tokio::spawn(async move { engine.start(&token, Method::Card, None).await.unwrap() });
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
        let refund = world.engine().refund(&payment, Some(1000)).await.unwrap();
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
            world.engine().start(&session, Method::Card, None).await.unwrap();
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
            eventually(fault, || async { world.engine().view(&session, true).await.unwrap().phase == Phase::Paid }).await;
        }
        world.books_are_right().await;
    }
}
