//! Deliveries that prove nothing by themselves: unsigned hints, and events that the provider must confirm.

use domain::checkout::Phase;
use domain::method::Method;
use domain::payment::{CloseReason, Stage};
use domain::{MINUTE, SECOND};
use engine::Clock;
use serde_json::json;

use crate::toy::{Provider, both_at_toy, deliver, hint, second_account};
use crate::world::{World, eventually, header};

/// A time longer than the pause between two requests about one attempt.
const PAUSE: i64 = 16 * SECOND;

both_at_toy! {
    "toy", "form",
    async fn a_hint_proves_nothing_and_makes_till_ask_at_any_stage(world: World, toy: Provider) {
        let (_other, clock) = world.ahead().await;
        let session = world.session().await;
        world.start(&session).await;
        let page = toy.page();
        let (query, fetch) = (format!("page={page}"), format!("GET /pages/{page}"));
        assert_eq!(hint(&world, &query).await, 200);
        eventually("the provider is asked", || async { toy.calls(&fetch) == 1 }).await;
        assert_eq!(world.phase(&session).await, Phase::Resume, "nobody has paid");
        // The same hint is sent again, each time after a new change.
        toy.pay(&page);
        clock.by(PAUSE);
        assert_eq!(hint(&world, &query).await, 200);
        world.wait_for(&session, Phase::Paid).await;
        toy.refund(&page, 700);
        clock.by(PAUSE);
        assert_eq!(hint(&world, &query).await, 200);
        world.wait_for(&session, Phase::PartlyRefunded).await;
        assert!(world.inbox().await.is_empty(), "a hint is no event");
        world.books_are_right().await;
    }
}

both_at_toy! {
    "toy", "form",
    async fn a_success_after_the_page_was_closed_is_found(world: World, toy: Provider) {
        let (_other, clock) = world.ahead().await;
        let session = world.session().await;
        world.start(&session).await;
        let page = toy.page();
        world.checkout().cancel(&session).await.unwrap();
        let payment = world.payment_of(&session).await;
        let attempt = world.statement(&payment).await.payment.attempts[0].clone();
        assert_eq!(attempt.stage, Stage::Closed(CloseReason::Cancelled));
        toy.pay(&page);
        clock.by(MINUTE);
        // This hint uses our reference.
        assert_eq!(hint(&world, &format!("order={}", attempt.id)).await, 200);
        world.wait_for(&session, Phase::Paid).await;
        world.books_are_right().await;
    }
}

both_at_toy! {
    "toy", "form",
    async fn a_success_of_a_page_that_was_given_up_is_found(world: World, toy: Provider) {
        let (other, clock) = world.ahead().await;
        toy.drop_requests(1);
        let session = world.session().await;
        other.engine.checkout().start(&session, Method::Card, None).await.unwrap();
        let payment = world.payment_of(&session).await;
        let attempt = world.statement(&payment).await.payment.attempts[0].id.to_string();
        eventually("only waiting is left", || async {
            world.due("open", &attempt).await.is_some_and(|due| due > clock.now() + MINUTE)
        })
        .await;
        clock.by(5 * MINUTE);
        world.wait_for(&session, Phase::Choose).await;
        toy.late(&attempt, 3098);
        toy.pay(&toy.page());
        clock.by(MINUTE);
        assert_eq!(hint(&world, &format!("order={attempt}")).await, 200);
        world.wait_for(&session, Phase::Paid).await;
        world.books_are_right().await;
    }
}

both_at_toy! {
    "toy", "form",
    async fn a_flood_of_hints_costs_few_questions(world: World, toy: Provider) {
        let (_other, clock) = world.ahead().await;
        let session = world.session().await;
        world.start(&session).await;
        let page = toy.page();
        let payment = world.payment_of(&session).await;
        let attempt = world.statement(&payment).await.payment.attempts[0].id.to_string();
        let long = "x".repeat(5_000);
        for number in 0..40 {
            let made_up = [format!("page=made-up-{number}"), format!("page=%00{number}"), format!("page={long}"), "order=att_x".to_owned()];
            assert_eq!(hint(&world, &made_up[number % 4]).await, 200);
        }
        assert_eq!(world.due("hint", &attempt).await, None);
        let fetch = format!("GET /pages/{page}");
        assert_eq!(toy.calls(&fetch), 0, "nothing is asked about what is not known");
        let query = format!("page={page}");
        for _ in 0..4 {
            let flood = (0..25).map(|_| hint(&world, &query));
            assert!(futures::future::join_all(flood).await.iter().all(|status| *status == 200));
        }
        eventually("the provider is asked", || async { toy.calls(&fetch) > 0 }).await;
        let more = (0..25).map(|_| hint(&world, &query));
        assert!(futures::future::join_all(more).await.iter().all(|status| *status == 200));
        eventually("the job waits for its time", || async {
            world.due("hint", &attempt).await.is_some_and(|due| due > clock.now())
        })
        .await;
        assert_eq!(toy.calls(&fetch), 1, "once in a while");
        clock.by(PAUSE);
        eventually("nothing is left to ask", || async { world.due("hint", &attempt).await.is_none() }).await;
        assert_eq!(toy.calls(&fetch), 2, "a hundred hints are two questions");
        // A hint at another account does not cause requests about this account's attempt.
        let other = second_account(&world, &toy).await;
        let asked = toy.calls(&fetch);
        clock.by(PAUSE);
        assert_eq!(world.get(&format!("{other}?{query}")).await.status, 200);
        assert_eq!(world.get(&format!("{other}?order={attempt}")).await.status, 200);
        assert_eq!((world.due("hint", &attempt).await, toy.calls(&fetch)), (None, asked));
    }
}

both_at_toy! {
    "toy", "form",
    async fn a_hint_that_was_acknowledged_survives_the_server(world: World, toy: Provider) {
        let session = world.session().await;
        world.start(&session).await;
        world.node.stop_background();
        let page = toy.page();
        toy.pay(&page);
        assert_eq!(hint(&world, &format!("page={page}")).await, 200);
        assert_eq!(world.phase(&session).await, Phase::Resume, "nobody works here any more");
        let _other = world.second_node().await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

both_at_toy! {
    "toy", "form",
    async fn a_delivery_that_must_be_verified_counts_when_the_provider_confirms_it(world: World, toy: Provider) {
        let session = world.session().await;
        world.start(&session).await;
        let page = toy.page();
        let payment = world.payment_of(&session).await;
        let attempt = world.statement(&payment).await.payment.attempts[0].id.to_string();
        let forged = json!({"event": "e0", "page": {"id": page, "reference": attempt, "status": "paid", "amount": 3098,
            "currency": "EUR", "refunds": []}});
        assert_eq!(deliver(&world, &forged).await, 400);
        assert!(world.alert_kinds().await.contains(&"webhook_rejected".to_owned()));
        toy.pay(&page);
        let event = toy.event(&page);
        toy.can_verify(false);
        assert_eq!(deliver(&world, &event).await, 503, "it shall come again");
        assert!(world.inbox().await.is_empty());
        toy.can_verify(true);
        for _ in 0..2 {
            assert_eq!(deliver(&world, &event).await, 200);
        }
        world.wait_for(&session, Phase::Paid).await;
        assert_eq!(world.inbox().await.len(), 1, "the second was a duplicate");
    }
}

both_at_toy! {
    "toy", "form",
    async fn a_provider_that_tries_out_an_address_gets_its_own_reply(world: World, _toy: Provider) {
        let reply = world.get(&format!("{}?challenge=word", world.account.webhook_url)).await;
        assert_eq!((reply.status, &reply.body[..]), (200, &br#"{"challenge":"word"}"#[..]));
        assert_eq!(header(&reply, "content-type"), "application/json");
        assert_eq!(world.get(&world.account.webhook_url).await.status, 400, "nothing is asked");
        let put = axum::http::Method::PUT;
        assert_eq!(world.send(put, &world.account.webhook_url, "", "", &[]).await.status, 405);
        assert_eq!(world.get(&world.account.webhook_url.replace("/toy/", "/stripe/")).await.status, 405);
    }
}
