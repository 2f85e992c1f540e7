//! Providers and servers that fail in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::checkout::Phase;
use domain::method::Method;
use domain::session::Notice;
use domain::{Millis, SECOND};
use engine::store::jobs;
use engine::{Clock, Started, SystemClock};
use futures::future::BoxFuture;
use serde_json::json;
use tokio::time::sleep;

use crate::both;
use crate::world::{World, account_at, eventually, operator, paid_event, random_hex, seconds, sign};

const GOOD: &str = "4242424242424242";

fn keys(calls: &[serde_json::Value]) -> Vec<String> {
    let mut keys: Vec<_> =
        calls.iter().map(|call| call["idempotency_key"].as_str().unwrap_or_default().to_owned()).collect();
    keys.dedup();
    keys
}

both! {
    async fn a_lost_reply_is_unknown_until_the_same_request_is_answered(world: World) {
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "timeout_after_accept", "count": 1})).await;
        let session = world.session().await;
        assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
        assert_eq!(world.phase(&session).await, Phase::Unknown);
        assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay, "nobody pays again meanwhile");
        world.wait_for(&session, Phase::Resume).await;
        let calls = world.calls("checkout.sessions.create").await;
        assert_eq!(keys(&calls).len(), 1, "always the same key: {calls:?}");
        assert!(!world.calls("checkout.sessions.list").await.is_empty(), "it was looked for by our reference");
        assert_eq!(world.provider("/v1/checkout/sessions").await["data"].as_array().unwrap().len(), 1);
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

both! {
    async fn an_error_that_proves_nothing_is_asked_about_again(world: World) {
        for fault in ["error_500", "html_502", "error_500_after_accept"] {
            world.control("faults", json!({"operation": "checkout.sessions.create", "fault": fault, "count": 1})).await;
            let session = world.session().await;
            assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay, "{fault}");
            assert_eq!(world.phase(&session).await, Phase::Unknown, "{fault}");
            world.wait_for(&session, Phase::Resume).await;
        }
    }
}

both! {
    async fn a_rate_limit_is_waited_for(world: World) {
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "rate_limit_429", "count": 1})).await;
        let session = world.session().await;
        world.start(&session).await;
    }
}

/// The clock of a server that is suspended for a while whenever it waits.
struct Halting {
    by: Millis,
    ahead: AtomicI64,
}

impl Clock for Halting {
    fn now(&self) -> Millis {
        SystemClock.now() + self.ahead.load(Ordering::SeqCst)
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.ahead.fetch_add(self.by, Ordering::SeqCst);
        Box::pin(tokio::time::sleep(time))
    }
}

both! {
    async fn a_server_that_was_stopped_while_opening_does_not_take_itself_for_the_only_one(world: World) {
        let halting = Halting { by: 31 * SECOND, ahead: AtomicI64::new(0) };
        let other = world.node_with_clock(Arc::new(halting)).await;
        other.stop_background();
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "rate_limit_429", "count": 3})).await;
        let session = world.session().await;
        assert_eq!(other.engine.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
        assert_eq!(world.phase(&session).await, Phase::Unknown, "a job may have opened it meanwhile");
        let payment = world.payment_of(&session).await;
        let attempt = world.statement(&payment).await.payment.attempts[0].id.to_string();
        let mut tx = world.engine().store().begin().await.unwrap();
        jobs::hasten(&mut tx, &operator(), "open", &attempt, 1, 1).await.unwrap();
        tx.commit().await.unwrap();
        world.wait_for(&session, Phase::Resume).await;
        world.pay(&world.start(&session).await, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

both! {
    async fn a_provider_that_cannot_be_reached_charges_nothing_and_can_be_tried_again(world: World) {
        let engine = world.engine();
        engine.accounts(&world.scope()).enable(&world.account_id(), false).await.unwrap();
        // No server listens on port 1.
        let nowhere = account_at("http://127.0.0.1:1", &world.secret_key, "whsec_0123456789abcdef");
        let nowhere = engine.accounts(&world.scope()).add(nowhere).await.unwrap();
        let session = world.session().await;
        assert_eq!(engine.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
        let view = world.view(&session).await;
        assert_eq!((view.phase, view.notice), (Phase::Choose, Some(Notice::ProviderUnreachable)));
        engine.accounts(&world.scope()).enable(&nowhere.id.parse().unwrap(), false).await.unwrap();
        engine.accounts(&world.scope()).enable(&world.account_id(), true).await.unwrap();
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

both! {
    async fn refused_credentials_are_told_to_a_person_and_not_to_the_shopper(world: World) {
        let engine = world.engine();
        engine.accounts(&world.scope()).enable(&world.account_id(), false).await.unwrap();
        let wrong = account_at(&world.sandbox, "sk_test_not_known_there", "whsec_0123456789abcdef");
        engine.accounts(&world.scope()).add(wrong).await.unwrap();
        let session = world.session().await;
        assert_eq!(engine.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
        let view = world.view(&session).await;
        assert_eq!((view.phase, view.notice), (Phase::Choose, Some(Notice::ProviderRefused)));
        assert_eq!(world.alert_kinds().await, ["provider_credentials"]);
    }
}

async fn dollars(world: &World) -> domain::id::Token {
    let unit = domain::money::Money::new(2500, "USD".parse().unwrap());
    let line = domain::line::Line::new("Tea", unit, 1);
    let new = engine::NewLink::of(vec![line], domain::link::Usage::Once);
    let link = world.links().add(new).await.unwrap();
    world.open(&link.url.rsplit('/').next().unwrap().parse().unwrap()).await
}

both! {
    async fn a_failed_debit_whose_webhooks_are_lost_does_not_lock_the_debt(world: World) {
        world.control("webhooks", json!({"drop": true})).await;
        let session = dollars(&world).await;
        assert_eq!(world.checkout().start(&session, Method::BankDebit, None).await.unwrap(), Started::Redirect);
        let page = world.checkout().handoff(&session).await.unwrap().unwrap().address().to_owned();
        let fields = [("method", "us_bank_account"), ("routing", "110000000"), ("account", "000222222227"), ("name", "Jo")];
        assert_eq!(world.post_form(&page, &fields).await.status, 303);
        world.control("advance", json!({"seconds": 10})).await;
        // A new choice closes the first page, and closing finds the outcome.
        eventually("another attempt can begin", || async {
            world.checkout().start(&session, Method::Card, None).await.unwrap() == Started::Redirect
        })
        .await;
        let page = world.checkout().handoff(&session).await.unwrap().unwrap().address().to_owned();
        world.control("webhooks", json!({"drop": false})).await;
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

both! {
    async fn a_provider_in_trouble_is_not_asked_more_often_because_somebody_reloads(world: World) {
        world.control("webhooks", json!({"drop": true})).await;
        let session = world.session().await;
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        world.control("faults", json!({"operation": "checkout.sessions.retrieve", "fault": "error_500", "count": 2})).await;
        assert_eq!(world.checkout().view(&session, true).await.unwrap().phase, Phase::Confirming);
        eventually("the provider was asked", || async { !world.calls("checkout.sessions.retrieve").await.is_empty() }).await;
        for _ in 0..20 {
            world.checkout().view(&session, true).await.unwrap();
        }
        world.wait_for(&session, Phase::Paid).await;
        assert_eq!(world.calls("checkout.sessions.retrieve").await.len(), 3);
    }
}

both! {
    async fn what_was_said_before_is_not_said_of_the_outcome(world: World) {
        let link = world.link_with_ttl(domain::link::Usage::Once, 30_000).await;
        let session = world.open(&link).await;
        // In the millisecond in which the session was made, its time cannot be extended yet.
        sleep(Duration::from_millis(5)).await;
        world.checkout().extend(&session).await.unwrap();
        assert_eq!(world.view(&session).await.notice, Some(Notice::Extended));
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
        assert_eq!(world.view(&session).await.notice, None);
    }
}

both! {
    async fn a_server_that_joins_later_sees_the_same_truth(world: World) {
        world.control("webhooks", json!({"hold": true})).await;
        let session = world.session().await;
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        let other = world.second_node().await;
        world.control("webhooks", json!({"hold": false})).await;
        eventually("paid, as the other server sees it", || async {
            other.engine.checkout().view(&session, true).await.unwrap().phase == Phase::Paid
        })
        .await;
    }
}

both! {
    async fn exchanges_are_written_down_without_secrets(world: World) {
        let session = world.session().await;
        world.start(&session).await;
        let payment = world.payment_of(&session).await;
        let mut connection = world.engine().store().reader().await.unwrap();
        let stored = engine::store::payments::find(&mut connection, &operator(), &payment).await.unwrap().unwrap();
        let attempt = &stored.payment.attempts[0].id;
        let exchanges = engine::store::exchanges::of_attempt(&mut connection, &world.scope(), attempt).await.unwrap();
        assert_eq!(exchanges.len(), 1);
        let text = format!("{exchanges:?}");
        assert!(text.contains("checkout.sessions.create") && text.contains("3098"), "{text}");
        for secret in [&world.secret_key, &world.webhook_secret, &session.to_string(), "/c/pay/"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

both! {
    async fn what_no_webhook_told_is_listed_at_the_provider(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        world.control("webhooks", json!({"drop": true})).await;
        // A refund is made in the provider's own dashboard.
        let intent = world.statement(&payment).await.payment.attempts[0].refs.payment.clone().unwrap();
        let bearer = format!("Bearer {}", world.secret_key);
        let (url, body) = (format!("{}/v1/refunds", world.sandbox), format!("payment_intent={intent}&amount=700"));
        let kind = "application/x-www-form-urlencoded";
        let reply = world.send(axum::http::Method::POST, &url, kind, &body, &[("authorization", &bearer)]).await;
        assert_eq!(reply.status, 200);
        assert_eq!(world.statement(&payment).await.totals.refunded, 0);
        let mut tx = world.engine().store().begin().await.unwrap();
        sqlx::query("UPDATE jobs SET run_at = 0 WHERE kind = 'repair'").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        eventually("the refund is known", || async { world.statement(&payment).await.totals.refunded == 700 }).await;
        world.books_are_right().await;
    }
}

both! {
    async fn a_clock_that_is_set_back_strands_nothing(world: World) {
        world.control("webhooks", json!({"hold": true})).await;
        let session = world.session().await;
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        // The jobs look as if a server whose clock was a day ahead had put them off.
        let ahead = (crate::world::seconds() + 86_400) * 1000 + 7_200_000;
        let mut tx = world.engine().store().begin().await.unwrap();
        sqlx::query("UPDATE jobs SET run_at = $1, leased_until = $1").bind(ahead).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        world.control("webhooks", json!({"hold": false, "drop": true})).await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

both! {
    async fn an_event_that_was_given_up_is_applied_once_its_payment_is_known(world: World) {
        let session = world.session().await;
        world.start(&session).await;
        let provider = world.provider("/v1/checkout/sessions").await["data"][0].clone();
        let attempt = provider["client_reference_id"].as_str().unwrap().to_owned();
        let refund = json!({
            "id": format!("evt_{}", random_hex()), "object": "event", "type": "refund.updated", "created": seconds(),
            "livemode": false,
            "data": {"object": {"id": "re_1", "object": "refund", "payment_intent": "pi_forged", "amount": 98,
                "currency": "eur", "status": "succeeded"}}
        });
        let paid = paid_event(&format!("evt_{}", random_hex()), &attempt, provider["id"].as_str().unwrap(), 3098, "eur");
        for body in [refund.to_string(), paid] {
            let signature = sign(&world.webhook_secret, seconds(), &body);
            let headers = [("stripe-signature", signature.as_str())];
            let url = &world.account.webhook_url;
            assert_eq!(world.send(axum::http::Method::POST, url, "application/json", &body, &headers).await.status, 200);
            if body.contains("re_1") {
                let mut tx = world.engine().store().begin().await.unwrap();
                let given_up = "UPDATE inbox SET state = 'orphan', settled = 1 WHERE state = 'waiting' AND id IN (SELECT inbox_id FROM inbox_waits)";
                assert_eq!(sqlx::query(given_up).execute(&mut *tx).await.unwrap().rows_affected(), 1);
                tx.commit().await.unwrap();
            }
        }
        world.wait_for(&session, Phase::PartlyRefunded).await;
        world.books_are_right().await;
    }
}
