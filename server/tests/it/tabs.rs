//! One session in several tabs, on several servers, over HTTP, with impatient people and slow networks.

use connectors::HttpResponse;
use domain::checkout::Phase;
use domain::id::Token;
use domain::payment::Status;
use futures::future::join_all;
use serde_json::json;

use crate::both;
use crate::disputes::dollars;
use crate::world::{Told, World, header};

const GOOD: &str = "4242424242424242";

async fn click(world: &World, url: &str, action: &str, token: &Token, method: &str) -> HttpResponse {
    let token = token.to_string();
    world.post_form(&format!("{url}/fn/{action}"), &[("token", &token), ("method", method)]).await
}

/// The pages at the provider, as (address, open).
async fn pages(world: &World) -> Vec<(String, bool)> {
    let list = world.provider("/v1/checkout/sessions?limit=100").await;
    let page = |one: &serde_json::Value| (one["url"].as_str().unwrap_or_default().to_owned(), one["status"] == "open");
    list["data"].as_array().unwrap().iter().map(page).collect()
}

both! {
    async fn a_double_click_in_three_tabs_on_two_servers_opens_one_page_and_takes_the_money_once(world: World) {
        let other = world.second_node().await;
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "slow", "delay_ms": 400, "count": 1})).await;
        let session = world.session().await;
        let clicks = (0..6).map(|number| {
            let url = if number % 2 == 0 { &world.node.url } else { &other.url };
            click(&world, url, "start_payment", &session, "card")
        });
        for reply in join_all(clicks).await {
            assert_eq!((reply.status, header(&reply, "location")), (303, format!("/c/{session}/go")));
        }
        assert_eq!(world.calls("checkout.sessions.create").await.len(), 1);
        let page = other.engine.checkout().handoff(&session).await.unwrap().unwrap().address().to_owned();
        // The form at the provider is sent twice as well.
        let paid = join_all([world.pay(&page, GOOD), world.pay(&page, GOOD)]).await;
        assert!(paid.contains(&303), "{paid:?}");
        world.wait_for(&session, Phase::Paid).await;
        let payment = world.payment_of(&session).await;
        let statement = world.statement(&payment).await;
        assert_eq!((statement.payment.attempts.len(), statement.totals.captured), (1, 3098));
        world.books_say(&[("provider_receivable", 3098), ("merchant_payable", -3098)]).await;
        for url in [&world.node.url, &other.url] {
            let late = click(&world, url, "start_payment", &session, "card").await;
            assert_eq!(header(&late, "location"), format!("/c/{session}"), "paid is paid");
            let html = String::from_utf8(world.get(&format!("{url}/c/{session}")).await.body.to_vec()).unwrap();
            assert!(html.contains("data-phase=\"paid\""), "{html}");
        }
        assert_eq!(world.calls("checkout.sessions.create").await.len(), 1);
    }
}

both! {
    async fn tabs_that_choose_different_methods_leave_one_page_that_can_be_paid(world: World) {
        let other = world.second_node().await;
        for round in 0..3 {
            let session = dollars(&world).await;
            let before = pages(&world).await.len();
            let clicks = (0..6).map(|number| {
                let url = if number % 2 == 0 { &world.node.url } else { &other.url };
                click(&world, url, "start_payment", &session, ["card", "bank_debit"][number / 3])
            });
            assert!(join_all(clicks).await.iter().all(|reply| reply.status == 303));
            let payment = world.payment_of(&session).await;
            // Tabs that keep closing each other's page may give up. Then no page is open, and a person clicks again.
            crate::world::eventually("at rest", || async { matches!(world.phase(&session).await, Phase::Resume | Phase::Choose) }).await;
            if world.phase(&session).await == Phase::Choose {
                let made = pages(&world).await;
                assert!(made[..made.len() - before].iter().all(|(_, open)| !open), "{made:?}");
                click(&world, &world.node.url, "start_payment", &session, "card").await;
            }
            let open = world.checkout().handoff(&session).await.unwrap().unwrap().address().to_owned();
            let made = pages(&world).await;
            let mine: Vec<_> = made[..made.len() - before].to_vec();
            assert_eq!(mine.iter().filter(|(_, open)| *open).count(), 1, "round {round}: {mine:?}");
            for (closed, _) in mine.iter().filter(|(url, _)| *url != open && !url.is_empty()) {
                assert_eq!(world.pay(closed, GOOD).await, 410, "closed before the next was opened");
            }
            let live = world.statement(&payment).await.payment.live().cloned().unwrap();
            let fields = [("method", "us_bank_account"), ("routing", "110000000"), ("account", "000123456789"), ("name", "Jo")];
            match live.method {
                domain::method::Method::Card => assert_eq!(world.pay(&open, GOOD).await, 303),
                domain::method::Method::BankDebit => assert_eq!(world.post_form(&open, &fields).await.status, 303),
            }
            world.wait_for(&session, Phase::Paid).await;
            let statement = world.statement(&payment).await;
            assert_eq!((statement.status, statement.totals.captured), (Status::Succeeded, 2500));
            assert!(!statement.flags.second_success);
        }
        world.books_say(&[("provider_receivable", 7500), ("merchant_payable", -7500)]).await;
    }
}

both! {
    async fn giving_up_in_one_tab_while_paying_in_another_ends_in_the_truth_on_both_servers(world: World) {
        let other = world.second_node().await;
        let mut taken = 0;
        for _ in 0..4 {
            let session = world.session().await;
            let page = world.start(&session).await;
            let cancel = click(&world, &other.url, "cancel_payment", &session, "card");
            let (status, reply) = tokio::join!(world.pay(&page, GOOD), cancel);
            assert_eq!(reply.status, 303);
            let (expected, name) = if status == 303 { (Phase::Paid, "paid") } else { (Phase::Choose, "choose") };
            taken += if status == 303 { 3098 } else { 0 };
            world.wait_for(&session, expected).await;
            let html = String::from_utf8(world.get(&format!("{}/c/{session}", other.url)).await.body.to_vec()).unwrap();
            assert!(html.contains(&format!("data-phase=\"{name}\"")), "{html}");
        }
        let expected = [("provider_receivable", taken), ("merchant_payable", -taken)];
        world.books_say(if taken > 0 { &expected } else { &[] }).await;
    }
}

both! {
    async fn refunds_of_sixty_on_a_hundred_from_two_servers_while_the_provider_is_slow(world: World) {
        let other = world.second_node().await;
        let (_, payment) = world.paid_with(GOOD).await;
        let sixty = 3098 * 6 / 10;
        world.control("faults", json!({"operation": "refunds.create", "fault": "slow", "delay_ms": 500, "count": 2})).await;
        world.control("faults", json!({"operation": "refunds.create", "fault": "timeout_after_accept", "count": 1})).await;
        let both = [world.money(), other.engine.money(&world.scope())];
        let tries = both.iter().map(|money| money.refund(&payment, Some(sixty)));
        let done = join_all(tries).await;
        assert_eq!(done.iter().filter(|tried| tried.is_ok()).count(), 1, "{done:?}");
        let refused = done.iter().find_map(|tried| tried.as_ref().err()).unwrap().told();
        assert!(refused.contains("the same refund was asked for"), "{refused}");
        let refused = other.engine.money(&world.scope()).refund(&payment, Some(sixty + 1)).await.unwrap_err().told();
        assert!(refused.contains("12.40"), "says what is left: {refused}");
        // The rest is refunded and the reply is lost. An unknown refund counts as gone.
        other.engine.money(&world.scope()).refund(&payment, None).await.unwrap();
        assert!(world.money().refund(&payment, Some(1)).await.is_err());
        crate::world::eventually("all is known", || async { world.statement(&payment).await.totals.refunded == 3098 }).await;
        assert_eq!(world.provider("/v1/refunds").await["data"].as_array().unwrap().len(), 2);
        world.books_say(&[]).await;
    }
}
