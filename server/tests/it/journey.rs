//! A shopper's journey without a browser.

use domain::checkout::Phase;
use domain::decline::DeclineClass;
use domain::link::Usage;
use domain::method::Method;
use domain::session::Notice;
use serde_json::json;

use crate::both;
use crate::world::{World, eventually};

const GOOD: &str = "4242424242424242";

both! {
    async fn a_paid_link_stays_paid_and_only_webhooks_moved_the_money(world: World) {
        let link = world.link(Usage::Once).await;
        let session = world.open(&link).await;
        assert_eq!(world.phase(&session).await, Phase::Choose);
        let page = world.start(&session).await;
        assert_eq!(world.phase(&session).await, Phase::Resume);
        assert_eq!(world.pay(&page, GOOD).await, 303);
        world.wait_for(&session, Phase::Paid).await;
        assert_eq!(world.open(&link).await, session, "opening the link again leads to what was paid");
        let moved: Vec<_> = world.events(&session).await.into_iter().filter(|one| one.event.moves_money()).collect();
        assert!(!moved.is_empty());
        assert!(moved.iter().all(|one| one.source == "webhook"), "{moved:?}");
        assert_eq!(world.view(&session).await.figures.received, world.view(&session).await.total);
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}

both! {
    async fn coming_back_proves_nothing(world: World) {
        world.control("webhooks", json!({"hold": true})).await;
        let session = world.session().await;
        assert_eq!(world.checkout().view(&session, true).await.unwrap().phase, Phase::Choose);
        let page = world.start(&session).await;
        assert_eq!(world.checkout().view(&session, true).await.unwrap().phase, Phase::Confirming);
        world.pay(&page, GOOD).await;
        assert_eq!(world.checkout().view(&session, true).await.unwrap().phase, Phase::Confirming);
        world.control("webhooks", json!({"hold": false})).await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

both! {
    async fn a_lost_webhook_is_made_up_for_by_asking_after_the_shopper_came_back(world: World) {
        world.control("webhooks", json!({"drop": true})).await;
        let session = world.session().await;
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        assert_eq!(world.checkout().view(&session, true).await.unwrap().phase, Phase::Confirming);
        world.wait_for(&session, Phase::Paid).await;
        let events = world.events(&session).await;
        assert!(events.iter().any(|one| one.event.moves_money() && one.source == "fetch"));
    }
}

both! {
    async fn a_declined_card_leaves_the_page_open_for_another(world: World) {
        let session = world.session().await;
        let page = world.start(&session).await;
        for (card, class) in [
            ("4000000000000002", DeclineClass::Generic),
            ("4000000000009995", DeclineClass::InsufficientFunds),
            ("4000000000009979", DeclineClass::Generic),
        ] {
            // The simulator's time stamps are whole seconds; the newest decline must win.
            tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
            assert_eq!(world.pay(&page, card).await, 402);
            world.wait_for(&session, Phase::Declined(class)).await;
        }
        assert_eq!(world.start(&session).await, page, "the same page takes another card");
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
        assert_eq!(world.calls("checkout.sessions.create").await.len(), 1);
    }
}

both! {
    async fn cancelling_closes_the_page_at_the_provider_and_the_choice_is_back(world: World) {
        let session = world.session().await;
        let first = world.start(&session).await;
        world.checkout().cancel(&session).await.unwrap();
        let view = world.view(&session).await;
        assert_eq!((view.phase, view.notice), (Phase::Choose, Some(Notice::Cancelled)));
        assert_eq!(world.pay(&first, GOOD).await, 410, "nobody can pay on the closed page");
        let second = world.start(&session).await;
        assert_ne!(first, second);
        assert_eq!(world.view(&session).await.notice, None);
        world.pay(&second, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

both! {
    async fn cancelling_what_has_just_been_paid_shows_paid(world: World) {
        world.control("webhooks", json!({"hold": true})).await;
        let session = world.session().await;
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        world.checkout().cancel(&session).await.unwrap();
        let view = world.view(&session).await;
        assert_eq!((view.phase, view.notice), (Phase::Paid, None));
    }
}

both! {
    async fn an_expired_session_is_closed_at_the_provider_and_a_new_one_pays_the_same_debt(world: World) {
        let link = world.link_with_ttl(Usage::Once, 1_500).await;
        let session = world.open(&link).await;
        let page = world.start(&session).await;
        assert_eq!(world.checkout().renew(&session).await.unwrap(), session, "it is not over yet");
        world.wait_for(&session, Phase::Expired).await;
        assert_eq!(world.pay(&page, GOOD).await, 410);
        assert!(world.view(&session).await.can_renew);
        let renewed = world.checkout().renew(&session).await.unwrap();
        assert_ne!(renewed, session);
        assert_eq!(world.open(&link).await, renewed);
        assert_eq!(world.payment_of(&renewed).await, world.payment_of(&session).await);
        let page = world.start(&renewed).await;
        world.pay(&page, GOOD).await;
        world.wait_for(&renewed, Phase::Paid).await;
        assert_eq!(world.phase(&session).await, Phase::PaidLate, "the old page tells the truth too");
    }
}

both! {
    async fn what_was_paid_in_time_but_told_late_is_not_expired(world: World) {
        world.control("webhooks", json!({"hold": true})).await;
        let link = world.link_with_ttl(Usage::Once, 1_500).await;
        let session = world.open(&link).await;
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        // The session expires. Closing the page at the provider finds the payment.
        eventually("paid", || async {
            let phase = world.phase(&session).await;
            assert_ne!(phase, Phase::Expired);
            phase == Phase::Paid
        })
        .await;
    }
}

both! {
    async fn an_extension_moves_the_end(world: World) {
        let link = world.link_with_ttl(Usage::Once, 2_000).await;
        let session = world.open(&link).await;
        let before = world.view(&session).await;
        assert!(before.ends_soon && before.can_extend);
        world.checkout().extend(&session).await.unwrap();
        let after = world.view(&session).await;
        assert!(after.expires > before.expires);
        assert_eq!(after.notice, Some(Notice::Extended));
    }
}

both! {
    async fn every_visit_of_a_reusable_link_is_a_debt_of_its_own(world: World) {
        let link = world.link(Usage::Reusable).await;
        let (first, second) = (world.open(&link).await, world.open(&link).await);
        assert_ne!(world.payment_of(&first).await, world.payment_of(&second).await);
        let page = world.start(&first).await;
        world.pay(&page, GOOD).await;
        world.wait_for(&first, Phase::Paid).await;
        assert_eq!(world.phase(&second).await, Phase::Choose);
    }
}

both! {
    async fn a_method_that_is_not_offered_is_refused_in_words(world: World) {
        let session = world.session().await;
        let started = world.checkout().start(&session, Method::BankDebit, None).await.unwrap();
        assert_eq!(started, engine::Started::Stay);
        assert_eq!(world.view(&session).await.notice, Some(Notice::MethodUnavailable));
        assert_eq!(world.calls("checkout.sessions.create").await.len(), 0);
    }
}

both! {
    async fn a_refund_made_at_the_provider_is_shown(world: World) {
        let session = world.session().await;
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
        let intents = world.provider("/v1/payment_intents").await;
        let intent = intents["data"][0]["id"].as_str().unwrap().to_owned();
        let bearer = format!("Bearer {}", world.secret_key);
        let refund = |amount: &'static str| {
            let body = format!("payment_intent={intent}&amount={amount}");
            let (world, bearer) = (&world, &bearer);
            async move {
                let url = format!("{}/v1/refunds", world.sandbox);
                let kind = "application/x-www-form-urlencoded";
                world.send(axum::http::Method::POST, &url, kind, &body, &[("authorization", bearer)]).await
            }
        };
        assert_eq!(refund("1000").await.status, 200);
        world.wait_for(&session, Phase::PartlyRefunded).await;
        assert_eq!(refund("2098").await.status, 200);
        world.wait_for(&session, Phase::Refunded).await;
        assert_eq!(world.view(&session).await.figures.refunded.minor, 3098);
    }
}
