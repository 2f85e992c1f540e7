//! Providers that are down or slow, and everybody else meanwhile.

use domain::checkout::Phase;
use domain::link::Usage;
use domain::method::Method;
use domain::session::{Notice, SessionState};
use engine::Started;
use engine::store::jobs;
use serde_json::json;

use crate::both;
use crate::world::{World, eventually};

const GOOD: &str = "4242424242424242";

both! {
    async fn nobody_waits_for_a_provider_that_is_down_until_it_answers_again(world: World) {
        world.control("faults", json!({"fault": "error_503", "probability_permille": 1000})).await;
        let mut refused_at_once = None;
        for _ in 0..12 {
            let session = world.session().await;
            assert_eq!(world.engine().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
            let view = world.view(&session).await;
            match view.phase {
                // The provider may have acted on it.
                Phase::Unknown => {}
                Phase::Choose => {
                    assert_eq!(view.notice, Some(Notice::ProviderUnreachable));
                    refused_at_once = Some(session);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        let session = refused_at_once.expect("calls are held back after some failures");
        assert!(world.alert_kinds().await.contains(&"provider_unreachable".to_owned()));
        world.control("reset", json!({})).await;
        eventually("the provider is called again", || async {
            world.engine().start(&session, Method::Card, None).await.unwrap() == Started::Redirect
        })
        .await;
        let page = world.engine().handoff(&session).await.unwrap().unwrap();
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

/// Questions that a slow provider is asked at a time.
const AT_A_TIME: usize = 12;

both! {
    async fn a_slow_provider_does_not_hold_up_what_has_nothing_to_do_with_it(world: World) {
        let mut attempts = vec![];
        for _ in 0..36 {
            let session = world.session().await;
            world.start(&session).await;
            let payment = world.payment_of(&session).await;
            attempts.push(world.statement(&payment).await.payment.attempts[0].id.to_string());
        }
        let unrelated = world.open(&world.link_with_ttl(Usage::Once, 1).await).await;
        world.control("faults", json!({"operation": "checkout.sessions.retrieve", "fault": "slow", "delay_ms": 2000, "probability_permille": 1000})).await;
        let mut tx = world.engine().store().begin().await.unwrap();
        jobs::hasten_many(&mut tx, "check", &attempts, 1, 1).await.unwrap();
        // Behind all of them in the queue.
        jobs::hasten(&mut tx, "expire", world.stored_session(&unrelated).await.id.as_str(), 2, 2).await.unwrap();
        tx.commit().await.unwrap();
        eventually("the session has ended", || async { world.stored_session(&unrelated).await.state == SessionState::Expired }).await;
        let asked = world.calls("checkout.sessions.retrieve").await.len();
        assert!(asked <= 2 * AT_A_TIME, "{asked} questions before anything else");
        eventually("everybody is asked about", || async {
            world.calls("checkout.sessions.retrieve").await.len() >= attempts.len()
        })
        .await;
    }
}
