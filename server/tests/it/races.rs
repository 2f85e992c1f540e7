//! Concurrent tabs, clicks and servers.

use domain::checkout::Phase;
use domain::link::Usage;
use domain::method::Method;
use engine::{OpenedLink, Started};
use futures::future::join_all;
use serde_json::json;

use crate::both;
use crate::world::{Database, World, eventually};

const GOOD: &str = "4242424242424242";

both! {
    async fn many_starts_open_one_page(world: World) {
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "slow", "delay_ms": 300, "count": 1})).await;
        let session = world.session().await;
        let starts = join_all((0..8).map(|_| world.checkout().start(&session, Method::Card, None))).await;
        assert!(starts.iter().all(|started| *started == Ok(Started::Redirect)), "{starts:?}");
        assert_eq!(world.calls("checkout.sessions.create").await.len(), 1);
        assert_eq!(world.provider("/v1/checkout/sessions").await["data"].as_array().unwrap().len(), 1);
    }
}

both! {
    async fn everybody_who_acts_on_a_one_time_link_meets_in_one_session(world: World) {
        let link = world.link(Usage::Once).await;
        let opened = join_all((0..8).map(|_| world.checkout().act_on(&link))).await;
        let first = opened[0].clone().unwrap();
        assert_eq!(world.checkout().open_link(&link).await, Ok(OpenedLink::Session(first.clone())));
        assert!(opened.iter().all(|one| *one == Ok(first.clone())), "{opened:?}");
    }
}

both! {
    async fn a_cancel_racing_a_payment_ends_in_the_truth(world: World) {
        for _ in 0..5 {
            let session = world.session().await;
            let page = world.start(&session).await;
            let (status, cancelled) = tokio::join!(world.pay(&page, GOOD), world.checkout().cancel(&session));
            cancelled.unwrap();
            let expected = if status == 303 { Phase::Paid } else { Phase::Choose };
            world.wait_for(&session, expected).await;
        }
    }
}

both! {
    async fn renewing_twice_gives_one_session(world: World) {
        let link = world.link_with_ttl(Usage::Once, 1_000).await;
        let session = world.open(&link).await;
        world.wait_for(&session, Phase::Expired).await;
        let renewed = join_all((0..6).map(|_| world.checkout().renew(&session))).await;
        let first = renewed[0].clone().unwrap();
        assert!(renewed.iter().all(|one| *one == Ok(first.clone())), "{renewed:?}");
    }
}

both! {
    async fn changing_the_method_closes_the_first_page_first(world: World) {
        let unit = domain::money::Money::new(2500, "USD".parse().unwrap());
        let new = engine::NewLink::of(vec![domain::line::Line::new("Tea", unit, 1)], Usage::Once);
        let link = world.links().add(new).await.unwrap();
        let session = world.open(&link.url.rsplit('/').next().unwrap().parse().unwrap()).await;
        let card = world.start(&session).await;
        assert_eq!(world.checkout().start(&session, Method::BankDebit, None).await.unwrap(), Started::Redirect);
        assert_eq!(world.pay(&card, GOOD).await, 410, "the first page is closed");
        let debit = world.checkout().handoff(&session).await.unwrap().unwrap().address().to_owned();
        let fields = [("method", "us_bank_account"), ("routing", "110000000"), ("account", "000123456789"), ("name", "Jo")];
        assert_eq!(world.post_form(&debit, &fields).await.status, 303);
        world.wait_for(&session, Phase::Processing).await;
        assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay, "one debt, one payment");
        world.control("advance", json!({"seconds": 10})).await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_open_one_page_and_share_the_work() {
    let world = World::new(Database::postgres().await).await;
    let other = world.second_node().await;
    for _ in 0..4 {
        let session = world.session().await;
        let before = world.calls("checkout.sessions.create").await.len();
        let starts = (0..6).map(|turn| {
            let engine = if turn % 2 == 0 { world.engine() } else { &other.engine };
            engine.checkout().start(&session, Method::Card, None)
        });
        let starts = join_all(starts).await;
        assert!(starts.iter().all(|started| *started == Ok(Started::Redirect)), "{starts:?}");
        assert_eq!(world.calls("checkout.sessions.create").await.len(), before + 1);
        let page = other.engine.checkout().handoff(&session).await.unwrap().unwrap().address().to_owned();
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
    }
    eventually("the inbox is empty", || async { world.engine().backlog().await.unwrap() == 0 }).await;
    assert_eq!(world.alert_kinds().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_on_one_server_hears_what_another_server_learned() {
    let world = World::new(Database::postgres().await).await;
    let other = world.second_node().await;
    let session = world.session().await;
    let page = world.start(&session).await;
    let mut follower = other.engine.checkout().follow(&session).await.unwrap();
    let before = follower.next().await.unwrap();
    world.pay(&page, GOOD).await;
    let paid = async {
        loop {
            let revision = follower.next().await.unwrap();
            assert_ne!(revision, before);
            if other.engine.checkout().view(&session, true).await.unwrap().phase == Phase::Paid {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(90), paid).await.expect("the other server's page hears of it");
}
