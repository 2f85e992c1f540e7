//! Providers that are down or slow, and the service for everybody else meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use domain::checkout::Phase;
use domain::link::Usage;
use domain::method::Method;
use domain::session::{Notice, SessionState};
use engine::store::jobs;
use engine::{NewAccount, Started};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::both;
use crate::world::{World, eventually, operator, seconds};

const GOOD: &str = "4242424242424242";

both! {
    async fn nobody_waits_for_a_provider_that_is_down_until_it_answers_again(world: World) {
        world.control("faults", json!({"fault": "error_503", "probability_permille": 1000})).await;
        let mut refused_at_once = None;
        for _ in 0..12 {
            let session = world.session().await;
            assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
            let view = world.view(&session).await;
            match view.phase {
                // The provider may have acted on the request.
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
            world.checkout().start(&session, Method::Card, None).await.unwrap() == Started::Redirect
        })
        .await;
        let page = world.checkout().handoff(&session).await.unwrap().unwrap().address().to_owned();
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
        world.alert_is_closed("provider_unreachable").await;
    }
}

/// How many requests a slow provider gets at a time.
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
        jobs::hasten_many(&mut tx, &operator(), "check", &attempts, 1, 1).await.unwrap();
        // This job is behind all of them in the queue.
        jobs::hasten(&mut tx, &operator(), "expire", world.stored_session(&unrelated).await.id.as_str(), 2, 2).await.unwrap();
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

/// An error in the forms of both Stripe and Adyen.
const FORBIDDEN: &str = r#"{"error": {"type": "invalid_request_error", "message": "Invalid API Key"}, "errorCode": "000", "message": "Forbidden"}"#;

/// A provider that answers every request with one status and counts the requests. Returns its address.
async fn always(status: u16, body: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let status = StatusCode::from_u16(status).unwrap();
    let answer = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async move { (status, body) }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    (url, asked)
}

both! {
    async fn a_wrong_key_is_told_at_once(world: World) {
        let mut world = world;
        for (provider, status, credentials) in [
            ("stripe", 401, vec![("secret_key", "sk_test_ofnobodyatall0000")]),
            ("stripe", 403, vec![("secret_key", "sk_test_ofnobodyatall0000")]),
            ("adyen", 401, vec![("api_key", "test_ofnobodyatall0000"), ("merchant_account", "HarbourBooks")]),
            ("adyen", 403, vec![("api_key", "test_ofnobodyatall0000"), ("merchant_account", "HarbourBooks")]),
        ] {
            let (url, asked) = always(status, FORBIDDEN).await;
            world.merchant = world.engine().merchants(&operator()).add("Wrong Key", None).await.unwrap().id.parse().unwrap();
            let credentials = credentials.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let new = NewAccount { provider: provider.to_owned(), base_url: Some(url), credentials, webhook_secrets: vec![] };
            world.account = world.accounts().add(new).await.unwrap();
            let session = world.session().await;
            let began = seconds();
            assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
            assert!(seconds() - began < 10, "{} s", seconds() - began);
            let view = world.view(&session).await;
            assert_eq!((view.phase, view.notice), (Phase::Choose, Some(Notice::ProviderRefused)), "{provider} {status}");
            assert_eq!(asked.load(Ordering::SeqCst), 1, "it is not asked again");
            let alerts = world.upkeep().alerts(100).await.unwrap();
            let told: Vec<_> = alerts.iter().filter(|alert| alert.subject.contains(&world.account.id)).collect();
            let kinds: Vec<_> = told.iter().map(|alert| (alert.kind.as_str(), alert.times)).collect();
            let kind = if status == 401 { "provider_credentials" } else { "provider_rights" };
            assert_eq!(kinds, [(kind, 1)], "one thing is wrong, so one thing is told");
            assert!(told[0].detail.contains("till provider set-credential"), "{}", told[0].detail);
        }
    }
}

both! {
    async fn a_key_turned_away_by_something_in_between_frees_no_debt(world: World) {
        let mut world = world;
        for provider in ["stripe", "adyen"] {
            for (status, body) in [(401, ""), (403, ""), (403, "<html>Forbidden</html>")] {
                let (url, _) = always(status, body).await;
                world.merchant = world.engine().merchants(&operator()).add("Walled In", None).await.unwrap().id.parse().unwrap();
                let credentials = match provider {
                    "stripe" => &[("secret_key", "sk_test_ofnobodyatall0000")][..],
                    _ => &[("api_key", "test_ofnobodyatall0000"), ("merchant_account", "WalledIn")],
                };
                let credentials = credentials.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
                let new = NewAccount { provider: provider.to_owned(), base_url: Some(url), credentials, webhook_secrets: vec![] };
                world.account = world.accounts().add(new).await.unwrap();
                let session = world.session().await;
                assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
                // A firewall that inspects replies may have put this reply in the place of an opened page's.
                assert_eq!(world.view(&session).await.phase, Phase::Unknown, "{provider} {status} {body}");
                let alerts = world.upkeep().alerts(100).await.unwrap();
                let told: Vec<_> = alerts.iter().filter(|alert| alert.subject.contains(&world.account.id)).collect();
                let kind = if status == 401 { "provider_credentials" } else { "provider_rights" };
                assert!(told.iter().any(|alert| alert.kind == kind), "{provider} {status}: {told:?}");
                assert!(told.iter().all(|alert| alert.kind != "open_failed"), "one thing is told once: {told:?}");
            }
        }
    }
}

both! {
    async fn a_page_that_cannot_be_closed_holds_no_click_up(world: World) {
        let session = world.session().await;
        world.start(&session).await;
        // The key belongs to another account, which does not know the open page.
        world.accounts().set_credential(&world.account_id(), "secret_key", "sk_test_ofanotheraccount").await.unwrap();
        let click = world.checkout().start(&session, Method::BankDebit, None);
        let answered = timeout(Duration::from_secs(35), click).await.expect("a click waits no longer");
        assert_eq!(answered.unwrap(), Started::Stay);
        assert_eq!(world.phase(&session).await, Phase::Closing, "it says what is known");
        // The next click finds the job of the first one running.
        let again = timeout(Duration::from_secs(35), world.checkout().start(&session, Method::Card, None));
        assert_eq!(again.await.expect("nor does the next").unwrap(), Started::Stay);
        world.accounts().set_credential(&world.account_id(), "secret_key", &world.secret_key).await.unwrap();
        let payment = world.payment_of(&session).await;
        let attempt = world.statement(&payment).await.payment.attempts[0].id.to_string();
        let mut tx = world.engine().store().begin().await.unwrap();
        jobs::hasten(&mut tx, &operator(), "close", &attempt, 1, 1).await.unwrap();
        tx.commit().await.unwrap();
        eventually("the job closes it", || async { world.phase(&session).await == Phase::Choose }).await;
    }
}

both! {
    async fn a_click_is_answered_while_a_slow_provider_is_still_being_asked(world: World) {
        let node = world.tuned_node(|tuning| tuning.click = Duration::from_millis(300)).await;
        let slow = |operation| json!({"operation": operation, "fault": "slow", "delay_ms": 9000});
        let session = world.session().await;
        world.control("faults", slow("checkout.sessions.create")).await;
        assert_eq!(node.engine.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
        assert_eq!(world.phase(&session).await, Phase::Opening, "it says what is known");
        eventually("what the click began goes on", || async { world.phase(&session).await == Phase::Resume }).await;
        world.control("faults", slow("checkout.sessions.expire")).await;
        timeout(Duration::from_secs(8), node.engine.checkout().cancel(&session)).await.expect("it waits no longer").unwrap();
        eventually("this goes on too", || async { world.view(&session).await.notice == Some(Notice::Cancelled) }).await;
        assert_eq!(world.phase(&session).await, Phase::Choose);
    }
}
