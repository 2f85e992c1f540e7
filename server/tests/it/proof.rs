//! Requests that are never answered: the search that proves that they did nothing, and the consequences.

use domain::checkout::Phase;
use domain::method::Method;
use domain::payment::Outcome;
use domain::session::Notice;
use engine::{Clock, Engine, Started};
use serde_json::json;

use crate::world::{Ahead, Told, World, eventually};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";

/// A time longer than a search needs to prove that an unanswered request did nothing, counted from the last repetition.
const PROVED: domain::Millis = 5 * domain::MINUTE;

both! {
    async fn a_stored_error_keeps_a_debt_unknown_for_minutes_and_not_for_an_hour(world: World) {
        let (other, clock) = world.ahead().await;
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "error_500_stored", "count": 2})).await;
        let (session, given_up) = (world.session().await, world.session().await);
        let mut attempts = vec![];
        for session in [&session, &given_up] {
            assert_eq!(other.engine.checkout().start(session, Method::Card, None).await.unwrap(), Started::Stay);
            assert_eq!(world.phase(session).await, Phase::Unknown);
            let payment = world.payment_of(session).await;
            attempts.push(world.statement(&payment).await.payment.attempts[0].id.to_string());
        }
        let called_off = world.payment_of(&given_up).await;
        let busy = world.till_refuses(&["payment", "cancel", called_off.as_str()], 1).await;
        assert!(busy.contains("cannot be called off now") && busy.contains("if nothing is found by 20"), "{busy}");
        eventually("the same request is answered the same", || async {
            world.calls("checkout.sessions.create").await.iter().filter(|call| call["replayed"] == true && call["status"] == 500).count() >= 2
        })
        .await;
        clock.by(2 * domain::MINUTE);
        eventually("it is only looked for", || async {
            for attempt in &attempts {
                if world.due("open", attempt).await.unwrap() - clock.now() < domain::MINUTE {
                    return false;
                }
            }
            true
        })
        .await;
        let sent = world.calls("checkout.sessions.create").await.len();
        assert_eq!(world.phase(&session).await, Phase::Unknown, "a request may be on its way");
        clock.by(PROVED);
        world.wait_for(&session, Phase::Choose).await;
        world.wait_for(&given_up, Phase::Choose).await;
        assert_eq!(world.calls("checkout.sessions.create").await.len(), sent, "nothing was sent meanwhile");
        assert_eq!(world.view(&session).await.notice, Some(Notice::ProviderUnreachable));
        assert_eq!(other.engine.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Redirect);
        let page = world.checkout().handoff(&session).await.unwrap().unwrap().address().to_owned();
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
        world.till(&["payment", "cancel", called_off.as_str()]).await;
        assert_eq!(world.phase(&given_up).await, Phase::Cancelled);
    }
}

both! {
    async fn a_time_that_is_past_is_no_time_to_come_again(world: World) {
        let (other, clock) = world.ahead().await;
        other.stop_background();
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "error_500_stored", "count": 1})).await;
        overdue(&world, &other.engine, &clock).await;
    }
}

both_at_adyen! {
    async fn a_time_that_is_past_is_no_time_to_come_again_where_nothing_can_be_searched(world: World) {
        let (other, clock) = world.ahead().await;
        other.stop_background();
        world.control("faults", json!({"provider": "adyen", "operation": "paymentLinks.create", "fault": "timeout_after_accept", "count": 1})).await;
        overdue(&world, &other.engine, &clock).await;
    }
}

/// A payment whose page was not answered for cannot be called off: at first the error names a time, and no more when that is past.
async fn overdue(world: &World, engine: &Engine, clock: &Ahead) {
    let session = world.session().await;
    assert_eq!(engine.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
    let payment = world.payment_of(&session).await;
    let early = engine.money(&world.scope()).cancel(&payment).await.unwrap_err().told();
    assert!(early.contains('Z') && early.contains("try again then"), "{early}");
    clock.by(40 * domain::DAY);
    let late = engine.money(&world.scope()).cancel(&payment).await.unwrap_err().told();
    assert!(late.contains("cannot be called off now") && late.contains("try again in a minute"), "{late}");
    assert!(!late.contains("again then") && !late.contains('Z'), "no time is named: {late}");
}

both! {
    async fn what_a_search_finds_is_not_given_up_however_late(world: World) {
        let (other, clock) = world.ahead().await;
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "timeout_after_accept", "count": 1})).await;
        world.control("faults", json!({"operation": "checkout.sessions.list", "fault": "error_500", "count": 1})).await;
        let session = world.session().await;
        assert_eq!(other.engine.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
        clock.by(PROVED + PROVED);
        world.wait_for(&session, Phase::Resume).await;
        assert_eq!(world.provider("/v1/checkout/sessions").await["data"].as_array().unwrap().len(), 1);
    }
}

both! {
    async fn a_page_that_is_opened_after_it_was_given_up_is_closed_and_shown_to_nobody(world: World) {
        let (other, clock) = world.ahead().await;
        // The server seems to have been stopped in the middle of its request.
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "slow", "delay_ms": 4000, "count": 1})).await;
        let session = world.session().await;
        let opening = { let (engine, session) = (other.engine.clone(), session.clone()); tokio::spawn(async move { engine.checkout().start(&session, Method::Card, None).await }) };
        world.wait_for(&session, Phase::Opening).await;
        clock.by(PROVED + PROVED);
        world.wait_for(&session, Phase::Choose).await;
        assert_eq!(opening.await.unwrap().unwrap(), Started::Stay, "the page is not shown");
        eventually("the page is closed", || async {
            let list = world.provider("/v1/checkout/sessions").await["data"].clone();
            list.as_array().unwrap().iter().map(|page| page["status"].clone()).collect::<Vec<_>>() == ["expired"]
        })
        .await;
        assert_eq!(world.phase(&session).await, Phase::Choose);
    }
}

both! {
    async fn a_page_that_comes_up_after_it_was_given_up_is_found_and_closed(world: World) {
        let (other, clock) = world.ahead().await;
        world.control("faults", json!({"operation": "checkout.sessions.create", "fault": "error_500_stored", "count": 1})).await;
        let session = world.session().await;
        assert_eq!(other.engine.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
        clock.by(PROVED + PROVED);
        world.wait_for(&session, Phase::Choose).await;
        // This is the effect of a request that was delayed for so long and whose reply is lost.
        let attempt = world.statement(&world.payment_of(&session).await).await.payment.attempts[0].id.clone();
        let item = "line_items[0][quantity]=1&line_items[0][price_data][currency]=eur&line_items[0][price_data][unit_amount]=3098";
        let body = format!("mode=payment&success_url=https://shop.example/&client_reference_id={attempt}&{item}&line_items[0][price_data][product_data][name]=Tea");
        world.at_provider("/v1/checkout/sessions", &body).await;
        clock.by(15 * domain::MINUTE);
        eventually("the page is closed", || async {
            world.provider("/v1/checkout/sessions").await["data"][0]["status"] == "expired"
        })
        .await;
        assert_eq!(world.phase(&session).await, Phase::Choose);
    }
}

both! {
    async fn a_stored_error_keeps_a_refund_unknown_for_minutes_and_not_for_a_day(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let (other, clock) = world.ahead().await;
        world.control("faults", json!({"operation": "refunds.create", "fault": "error_500_stored", "count": 1})).await;
        let asked = other.engine.money(&world.scope()).refund(&payment, Some(500)).await.unwrap();
        assert_eq!(asked.outcome, Outcome::Unknown);
        eventually("the same request is answered the same", || async {
            world.calls("refunds.create").await.iter().any(|call| call["replayed"] == true)
        })
        .await;
        assert!(world.statement(&payment).await.flags.unsure);
        // The clock advances in one step: a job that ran in between would be put off for longer than the test waits.
        clock.by(2 * domain::MINUTE + PROVED);
        eventually("it is known", || async { !world.statement(&payment).await.flags.unsure }).await;
        let known = world.statement(&payment).await.payment.attempts[0].modifications[0].clone();
        assert!(known.reason().is_some_and(|reason| reason.contains("has not done it")), "{known:?}");
        assert_eq!(other.engine.money(&world.scope()).refund(&payment, Some(500)).await.unwrap().outcome, Outcome::Succeeded);
        assert_eq!(world.provider("/v1/refunds").await["data"].as_array().unwrap().len(), 1);
        world.books_are_right().await;
    }
}

both! {
    async fn a_refund_that_could_not_be_sent_for_minutes_is_sent_when_the_provider_is_back(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let (other, clock) = world.ahead().await;
        let (here, ahead) = (&world, &clock);
        let lead = |url: String| async move {
            let mut tx = here.engine().store().begin().await.unwrap();
            sqlx::query("UPDATE provider_accounts SET base_url = $1").bind(url).execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            // The engine caches accounts for a moment.
            ahead.by(domain::MINUTE);
        };
        // No server listens on port 1.
        lead("http://127.0.0.1:1".to_owned()).await;
        assert_eq!(other.engine.money(&world.scope()).refund(&payment, Some(500)).await.unwrap().outcome, Outcome::Requested);
        clock.by(PROVED + 2 * domain::MINUTE);
        eventually("it was tried again", || async {
            let jobs = world.upkeep().failing_jobs(false, 100).await.unwrap();
            jobs.iter().any(|job| job.kind == "modify" && job.tries > 0)
        })
        .await;
        lead(world.sandbox.clone()).await;
        clock.by(PROVED);
        eventually("it is done", || async {
            let mut tx = world.engine().store().begin().await.unwrap();
            sqlx::query("UPDATE jobs SET run_at = 0 WHERE kind = 'modify'").execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            world.statement(&payment).await.totals.refunded == 500
        })
        .await;
        assert_eq!(world.provider("/v1/refunds").await["data"].as_array().unwrap().len(), 1);
    }
}
