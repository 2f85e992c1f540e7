//! Deliveries that must change nothing and leave a trace.

use axum::http::Method;
use connectors::HttpResponse;
use domain::checkout::Phase;
use domain::id::Token;
use engine::store::inbox::InboxState;
use serde_json::json;

use crate::both;
use crate::world::{World, account_at, eventually, paid_event, random_hex, seconds, sign};

const GOOD: &str = "4242424242424242";

async fn deliver(world: &World, url: &str, signature: Option<&str>, body: &str) -> HttpResponse {
    let headers: Vec<_> = signature.into_iter().map(|signature| ("stripe-signature", signature)).collect();
    world.send(Method::POST, url, "application/json", body, &headers).await
}

/// A session with an open page, and the webhook that would pay it.
async fn opened(world: &World) -> (Token, String) {
    let session = world.session().await;
    world.start(&session).await;
    let calls = world.provider("/v1/checkout/sessions").await;
    let provider = calls["data"][0].clone();
    let attempt = provider["client_reference_id"].as_str().unwrap().to_owned();
    let body = paid_event(&format!("evt_{}", random_hex()), &attempt, provider["id"].as_str().unwrap(), 3098, "eur");
    (session, body)
}

async fn stays_unpaid(world: &World, session: &Token) {
    eventually("the inbox is empty", || async { world.engine().backlog().await.unwrap() == 0 }).await;
    assert_eq!(world.phase(session).await, Phase::Resume);
    assert!(world.events(session).await.iter().all(|one| !one.event.moves_money()));
}

both! {
    async fn a_bad_signature_changes_nothing_and_leaves_a_trace(world: World) {
        let (session, body) = opened(&world).await;
        let now = seconds();
        let cases = [
            ("missing_signature", None),
            ("malformed_signature", Some("nonsense".to_owned())),
            ("wrong_signature", Some(sign("whsec_other", now, &body))),
            ("wrong_signature", Some(sign(&world.webhook_secret, now, "{}"))),
            ("stale_signature", Some(sign(&world.webhook_secret, now - 400, &body))),
            ("future_signature", Some(sign(&world.webhook_secret, now + 400, &body))),
        ];
        for (reason, signature) in cases {
            let reply = deliver(&world, &world.account.webhook_url, signature.as_deref(), &body).await;
            assert_eq!(reply.status, 400, "{reason}");
            let alerts = world.upkeep().alerts(10).await.unwrap();
            let trace = alerts.iter().find(|alert| alert.kind == "webhook_rejected" && alert.subject.ends_with(reason));
            assert!(trace.is_some(), "{reason}: {alerts:?}");
        }
        stays_unpaid(&world, &session).await;
        assert!(world.inbox().await.is_empty());
        let wrong = world.upkeep().alerts(10).await.unwrap().into_iter().find(|a| a.subject.ends_with("wrong_signature"));
        assert_eq!(wrong.unwrap().times, 2, "repetitions are counted, not stored");
    }
}

both! {
    async fn the_right_signature_is_what_makes_the_difference(world: World) {
        let (session, body) = opened(&world).await;
        let signature = sign(&world.webhook_secret, seconds(), &body);
        assert_eq!(deliver(&world, &world.account.webhook_url, Some(&signature), &body).await.status, 200);
        world.wait_for(&session, Phase::Paid).await;
    }
}

both! {
    async fn a_wrong_amount_or_currency_is_stored_flagged_and_not_applied(world: World) {
        let (session, body) = opened(&world).await;
        for wrong in [body.replace("3098", "3097"), body.replace("\"eur\"", "\"usd\"")] {
            let wrong = wrong.replace("evt_", &format!("evt_{}", random_hex()));
            let signature = sign(&world.webhook_secret, seconds(), &wrong);
            assert_eq!(deliver(&world, &world.account.webhook_url, Some(&signature), &wrong).await.status, 200);
        }
        stays_unpaid(&world, &session).await;
        let inbox = world.inbox().await;
        assert_eq!(inbox.len(), 2);
        assert!(inbox.iter().all(|row| row.state == InboxState::Mismatch && row.note.is_some()), "{inbox:?}");
        let alerts = world.upkeep().alerts(10).await.unwrap();
        assert_eq!((alerts.len(), alerts[0].kind.as_str(), alerts[0].times), (1, "webhook_mismatch", 2));
    }
}

both! {
    async fn another_account_cannot_speak_for_this_one(world: World) {
        let (session, body) = opened(&world).await;
        let other = account_at(&world.sandbox, "sk_test_otheraccount", "whsec_of_another_account");
        let other = world.accounts().add(other).await.unwrap();
        let now = seconds();
        // The delivery is signed by the other account and sent to this account's address.
        let signature = sign("whsec_of_another_account", now, &body);
        assert_eq!(deliver(&world, &world.account.webhook_url, Some(&signature), &body).await.status, 400);
        // The delivery is correctly signed for the other account, and about this account's attempt.
        assert_eq!(deliver(&world, &other.webhook_url, Some(&signature), &body).await.status, 200);
        // One event is of a connected account, the other of live mode. Only the latter shows a wrong setup.
        for (field, value) in [("account", json!("acct_1")), ("livemode", json!(true))] {
            let mut event: serde_json::Value = serde_json::from_str(&body).unwrap();
            event["id"] = json!(format!("evt_{}", random_hex()));
            event[field] = value;
            let body = event.to_string();
            let signature = sign(&world.webhook_secret, now, &body);
            assert_eq!(deliver(&world, &world.account.webhook_url, Some(&signature), &body).await.status, 200);
        }
        stays_unpaid(&world, &session).await;
        let alerts = world.upkeep().alerts(10).await.unwrap();
        let foreign: i64 = alerts.iter().filter(|alert| alert.kind == "webhook_foreign").map(|alert| alert.times).sum();
        assert_eq!(foreign, 1);
        let inbox = world.inbox().await;
        assert!(inbox.iter().all(|row| row.state == InboxState::Foreign && row.note.is_some()), "{inbox:?}");
    }
}

both! {
    async fn addresses_without_an_account_are_not_found(world: World) {
        for url in [
            format!("{}/hooks/stripe/pa_00000000000000000000000000", world.node.url),
            format!("{}/hooks/stripe/nonsense", world.node.url),
            format!("{}/hooks/stripe/%ff", world.node.url),
            world.account.webhook_url.replace("/stripe/", "/adyen/"),
        ] {
            assert_eq!(deliver(&world, &url, None, "{}").await.status, 404, "{url}");
        }
        let get = world.get(&world.account.webhook_url).await;
        assert_eq!(get.status, 405);
    }
}

both! {
    async fn a_duplicate_gets_the_same_reply_and_has_no_second_effect(world: World) {
        let (session, body) = opened(&world).await;
        let signature = sign(&world.webhook_secret, seconds(), &body);
        let first = deliver(&world, &world.account.webhook_url, Some(&signature), &body).await;
        world.wait_for(&session, Phase::Paid).await;
        let events = world.events(&session).await;
        for _ in 0..3 {
            let again = deliver(&world, &world.account.webhook_url, Some(&signature), &body).await;
            assert_eq!((again.status, &again.body), (first.status, &first.body));
        }
        eventually("the inbox is empty", || async { world.engine().backlog().await.unwrap() == 0 }).await;
        assert_eq!(world.inbox().await.len(), 1);
        assert_eq!(world.events(&session).await, events);
    }
}

both! {
    async fn many_copies_and_any_order_give_the_same_result(world: World) {
        world.control("webhooks", json!({"hold": true, "duplicate": 3})).await;
        let session = world.session().await;
        let page = world.start(&session).await;
        world.pay(&page, "4000000000000002").await;
        world.pay(&page, GOOD).await;
        world.control("webhooks", json!({"hold": false, "reversed": true})).await;
        world.wait_for(&session, Phase::Paid).await;
        eventually("the inbox is empty", || async { world.engine().backlog().await.unwrap() == 0 }).await;
        assert_eq!(world.phase(&session).await, Phase::Paid);
        assert_eq!(world.view(&session).await.figures.received.minor, 3098);
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}

both! {
    async fn two_secrets_are_valid_while_one_is_replaced(world: World) {
        let (session, body) = opened(&world).await;
        let account = world.account_id();
        let changed = world.accounts().add_webhook_secret(&account, "whsec_0123456789abcdef").await.unwrap();
        assert_eq!(changed.webhook_secrets, 2);
        let signature = sign(&world.webhook_secret, seconds(), &body);
        assert_eq!(deliver(&world, &world.account.webhook_url, Some(&signature), &body).await.status, 200);
        world.wait_for(&session, Phase::Paid).await;
        world.accounts().retire_webhook_secrets(&account).await.unwrap();
        assert_eq!(deliver(&world, &world.account.webhook_url, Some(&signature), &body).await.status, 400);
        let signature = sign("whsec_0123456789abcdef", seconds(), &body);
        assert_eq!(deliver(&world, &world.account.webhook_url, Some(&signature), &body).await.status, 200);
    }
}

both! {
    async fn events_of_other_payments_on_the_account_are_no_alarm(world: World) {
        let body = json!({"id": "evt_1", "type": "payment_intent.succeeded", "created": seconds(), "livemode": false,
            "data": {"object": {"id": "pi_elsewhere", "status": "succeeded", "amount": 5, "amount_received": 5, "currency": "eur"}}});
        let body = body.to_string();
        let signature = sign(&world.webhook_secret, seconds(), &body);
        assert_eq!(deliver(&world, &world.account.webhook_url, Some(&signature), &body).await.status, 200);
        let customer = json!({"id": "evt_2", "type": "customer.created", "created": 1, "livemode": false,
            "data": {"object": {"id": "cus_1"}}})
        .to_string();
        let signature = sign(&world.webhook_secret, seconds(), &customer);
        assert_eq!(deliver(&world, &world.account.webhook_url, Some(&signature), &customer).await.status, 200);
        let unrelated = world.inbox().await.into_iter().find(|row| row.event == "evt_2").unwrap();
        let kind = unrelated.kind.as_deref();
        assert_eq!((unrelated.state, kind), (InboxState::Ignored, Some("customer.created")), "settled as it was stored");
        let (_, body) = world.upkeep().delivery(&unrelated.id).await.unwrap();
        assert_eq!(body.unwrap(), customer.as_bytes());
        let waiting = world.inbox().await.into_iter().find(|row| row.event == "evt_1").unwrap();
        assert_eq!(waiting.state, InboxState::Waiting, "it waits in case its payment becomes known");
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}
