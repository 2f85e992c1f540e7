//! Authorisations that expire before they are captured, and captures that come too late.

use domain::checkout::Phase;
use domain::id::{PaymentId, Token};
use domain::payment::{Outcome, Status};
use domain::session::SessionState;
use serde_json::json;

use crate::adyen::{authorised as authorised_at_adyen, captured, psp};
use crate::world::{Told, World, eventually, seconds};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";
const TOTAL: i64 = 3098;

/// Ends an authorisation as Stripe does after seven days: the intent is cancelled, and an event reports this.
async fn runs_out(world: &World, payment: &PaymentId) {
    let intent = world.intent_of(payment).await;
    world.at_provider(&format!("/v1/payment_intents/{intent}/cancel"), "cancellation_reason=abandoned").await;
}

/// Checks that the debt is as it was before the authorisation, that an alert was raised, and that the merchant was
/// notified once.
async fn is_payable_again(world: &World, payment: &PaymentId) {
    eventually("released", || async { world.statement(payment).await.status == Status::RequiresPaymentMethod }).await;
    let statement = world.statement(payment).await;
    assert_eq!((statement.totals.authorised, statement.totals.captured), (TOTAL, 0));
    assert!(statement.payment.attempts[0].book.voided && statement.payment.live().is_none());
    assert_eq!(statement.ledger, vec![], "an authorisation moves no money");
    assert_eq!(
        (world.told(payment, "payment.requires_payment_method").await, world.told(payment, "payment.canceled").await),
        (1, 0)
    );
    world.books_say(&[]).await;
}

both! {
    async fn an_authorisation_that_runs_out_leaves_the_debt_payable_and_is_told_to_a_person(world: World) {
        let (session, payment) = world.authorised().await;
        world.page_says(&session, "authorised", "Your payment is approved").await;
        world.control("webhooks", json!({"duplicate": 1})).await;
        runs_out(&world, &payment).await;
        is_payable_again(&world, &payment).await;
        world.inbox_is_empty().await;
        world.control("webhooks", json!({"duplicate": 0})).await;
        let (text, times) = world.alert("authorisation_released").await;
        assert_eq!(times, 1, "{text}");
        assert!(text.contains("EUR 30.98") && text.contains(&format!("till payment cancel {payment}")), "{text}");
        let refused = world.money().capture(&payment, None, true).await.unwrap_err().told();
        assert!(refused.contains("the authorisation has been released"), "{refused}");
        assert!(world.money().void(&payment).await.is_err());
        assert!(world.calls("payment_intents.capture").await.is_empty(), "the provider is not asked");

        world.page_says(&session, "released", "The approval of your payment has ended").await;
        let stored = world.stored_session(&session).await;
        assert_eq!(stored.state, SessionState::Open);
        assert!(stored.expires > seconds() * 1000 + 30 * domain::MINUTE, "there is time to pay");
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Authorised).await;
        assert!(!world.statement(&payment).await.flags.second_success, "the first is gone");
        world.money().capture(&payment, None, true).await.unwrap();
        world.wait_for(&session, Phase::Paid).await;
        world.books_say(&[("provider_receivable", TOTAL), ("merchant_payable", -TOTAL)]).await;
        world.alert_is_closed("authorisation_released").await;
    }
}

both! {
    async fn a_released_debt_that_is_called_off_is_over(world: World) {
        let (session, payment) = world.authorised().await;
        runs_out(&world, &payment).await;
        is_payable_again(&world, &payment).await;
        world.till(&["payment", "cancel", payment.as_str()]).await;
        world.page_says(&session, "cancelled", "This payment was cancelled").await;
        let again = world.checkout().start(&session, domain::method::Method::Card, None).await.unwrap();
        assert_eq!(again, engine::Started::Stay, "nobody pays what was called off");
    }
}

both! {
    async fn a_void_that_the_merchant_asked_for_calls_the_debt_off_and_alerts_nobody(world: World) {
        let (session, payment) = world.authorised().await;
        world.money().void(&payment).await.unwrap();
        world.inbox_is_empty().await;
        assert_eq!(world.statement(&payment).await.status, Status::Canceled);
        world.page_says(&session, "cancelled", "This payment was cancelled").await;
        assert_eq!(world.stored_session(&session).await.state, SessionState::Complete);
        let again = world.checkout().start(&session, domain::method::Method::Card, None).await.unwrap();
        assert_eq!(again, engine::Started::Stay);
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}

both! {
    async fn a_reopened_session_ends_and_the_link_begins_a_new_one(world: World) {
        let (session, payment) = world.authorised().await;
        runs_out(&world, &payment).await;
        is_payable_again(&world, &payment).await;
        let mut tx = world.engine().store().begin().await.unwrap();
        let past = seconds() * 1000 - 1;
        sqlx::query("UPDATE sessions SET expires = $1").bind(past).execute(&mut *tx).await.unwrap();
        sqlx::query("UPDATE jobs SET run_at = $1 WHERE kind = 'expire'").bind(past).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        eventually("it has ended", || async { world.stored_session(&session).await.state == SessionState::Expired }).await;
        let renewed = world.checkout().renew(&session).await.unwrap();
        assert_ne!(renewed, session);
        world.page_says(&renewed, "released", "If you still want to pay").await;
        let page = world.start(&renewed).await;
        world.pay(&page, GOOD).await;
        world.wait_for(&renewed, Phase::Authorised).await;
    }
}

both! {
    async fn a_capture_that_comes_before_the_news_of_the_end_is_refused_and_told_once(world: World) {
        let (session, payment) = world.authorised().await;
        world.control("webhooks", json!({"hold": true})).await;
        runs_out(&world, &payment).await;
        assert_eq!(world.money().capture(&payment, None, true).await.unwrap().outcome, Outcome::Failed);
        assert_eq!(world.calls("payment_intents.capture").await.len(), 1);
        assert_eq!(world.told(&payment, "capture.failed").await, 1);
        world.books_say(&[]).await;
        world.control("webhooks", json!({"hold": false})).await;
        is_payable_again(&world, &payment).await;
        world.inbox_is_empty().await;
        assert_eq!(world.told(&payment, "capture.failed").await, 1);
        world.page_says(&session, "released", "The approval of your payment has ended").await;
    }
}

both! {
    async fn a_capture_whose_authorisation_runs_out_while_it_is_unanswered_ends_in_the_truth(world: World) {
        let (_, payment) = world.authorised().await;
        world.control("faults", json!({"operation": "payment_intents.capture", "fault": "error_500", "count": 1})).await;
        assert_eq!(world.money().capture(&payment, None, true).await.unwrap().outcome, Outcome::Unknown);
        assert!(world.statement(&payment).await.flags.unsure);
        runs_out(&world, &payment).await;
        eventually("it is known", || async { !world.statement(&payment).await.flags.unsure }).await;
        is_payable_again(&world, &payment).await;
        assert_eq!(world.told(&payment, "capture.failed").await, 1);
    }
}

both_at_adyen! {
    async fn an_authorisation_that_expires_cannot_be_captured(world: World) {
        let (session, payment) = authorised_at_adyen(&world).await;
        world.control(&format!("adyen/payments/{}/expire", psp(&world, &payment).await), json!({})).await;
        is_payable_again(&world, &payment).await;
        assert!(world.money().capture(&payment, None, true).await.is_err());
        assert_eq!(world.alert("authorisation_released").await.1, 1);
        world.page_says(&session, "released", "The approval of your payment has ended").await;
        let page = world.start(&session).await;
        assert_eq!(world.pay_at_adyen(&page, "Ada Shopper").await, 303);
        world.wait_for(&session, Phase::Authorised).await;
    }
}

both_at_adyen! {
    async fn a_capture_that_is_taken_after_the_end_fails_in_whichever_order_it_is_told(world: World) {
        for reversed in [false, true] {
            let (session, payment) = authorised_at_adyen(&world).await;
            world.control("adyen/webhooks", json!({"hold": true})).await;
            world.control(&format!("adyen/payments/{}/expire", psp(&world, &payment).await), json!({})).await;
            assert_eq!(world.money().capture(&payment, None, true).await.unwrap().outcome, Outcome::Pending);
            world.control("advance", json!({"seconds": 60})).await;
            world.control("adyen/webhooks", json!({"hold": false, "reversed": reversed})).await;
            is_payable_again(&world, &payment).await;
            world.inbox_is_empty().await;
            assert_eq!(world.told(&payment, "capture.failed").await, 1, "reversed: {reversed}");
            assert_eq!(world.phase(&session).await, Phase::Released);
        }
    }
}

both_at_adyen! {
    async fn what_was_captured_before_the_rest_expires_is_kept(world: World) {
        let (session, payment) = authorised_at_adyen(&world).await;
        world.money().capture(&payment, Some(1000), false).await.unwrap();
        captured(&world, &payment, 1000).await;
        world.control(&format!("adyen/payments/{}/expire", psp(&world, &payment).await), json!({})).await;
        eventually("the rest is gone", || async { world.statement(&payment).await.payment.attempts[0].book.voided }).await;
        let statement = world.statement(&payment).await;
        assert_eq!((statement.status, statement.totals.captured), (Status::Succeeded, 1000));
        let (text, times) = world.alert("authorisation_released").await;
        assert!(times == 1 && text.contains("EUR 20.98") && text.contains("EUR 10.00"), "{text}");
        let refused = world.money().capture(&payment, Some(1), true).await.unwrap_err().told();
        assert!(refused.contains("has been released; nothing more can be captured"), "{refused}");
        world.books_say(&[("provider_receivable", 1000), ("merchant_payable", -1000)]).await;
        world.page_says(&session, "partly_collected", "10.00").await;
    }
}

both_at_adyen! {
    async fn a_rest_that_the_merchant_gave_up_is_released_without_a_word(world: World) {
        let (_, payment) = authorised_at_adyen(&world).await;
        world.money().capture(&payment, Some(1000), false).await.unwrap();
        captured(&world, &payment, 1000).await;
        world.money().capture(&payment, Some(500), true).await.unwrap();
        captured(&world, &payment, 1500).await;
        world.control(&format!("adyen/payments/{}/expire", psp(&world, &payment).await), json!({})).await;
        eventually("the rest is gone", || async { world.statement(&payment).await.payment.attempts[0].book.voided }).await;
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}

/// Checks that the shopper reads that the merchant took a part, and that the operator reads the captured and the
/// released amount. No alert is raised.
async fn is_left_at_a_part(world: &World, session: &Token, payment: &PaymentId) {
    world.inbox_is_empty().await;
    world.page_says(session, "partly_collected", "10.00").await;
    world.books_say(&[("provider_receivable", 1000), ("merchant_payable", -1000)]).await;
    assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    let shown = world.till_says(&["payment", "show", payment.as_str()]).await;
    for line in
        ["captured EUR 10.00, refunded EUR 0.00", "authorised EUR 30.98 in all", "captured EUR 10.00", "released"]
    {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

both_at_adyen! {
    async fn a_part_captured_in_adyens_customer_area_is_what_the_merchant_takes(world: World) {
        let (session, payment) = authorised_at_adyen(&world).await;
        let psp = psp(&world, &payment).await;
        let body = json!({"merchantAccount": "HarbourBooks", "amount": {"value": 1000, "currency": "EUR"}, "reference": "by hand"});
        let url = format!("{}/adyen/v72/payments/{psp}/captures", world.sandbox);
        let key = [("x-api-key", world.secret_key.as_str())];
        let reply = world.send(axum::http::Method::POST, &url, "application/json", &body.to_string(), &key).await;
        assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
        world.control("advance", json!({"seconds": 60})).await;
        captured(&world, &payment, 1000).await;
        world.page_says(&session, "partly_collected", "10.00").await;
        assert!(!world.statement(&payment).await.payment.attempts[0].book.voided, "the rest is still held");
        world.control(&format!("adyen/payments/{psp}/expire"), json!({})).await;
        eventually("the rest is gone", || async { world.statement(&payment).await.payment.attempts[0].book.voided }).await;
        is_left_at_a_part(&world, &session, &payment).await;
    }
}

both! {
    async fn a_part_captured_in_stripes_dashboard_is_what_the_merchant_takes(world: World) {
        let (session, payment) = world.authorised().await;
        let intent = world.intent_of(&payment).await;
        world.at_provider(&format!("/v1/payment_intents/{intent}/capture"), "amount_to_capture=1000").await;
        captured(&world, &payment, 1000).await;
        eventually("the rest is gone", || async { world.statement(&payment).await.payment.attempts[0].book.voided }).await;
        is_left_at_a_part(&world, &session, &payment).await;
    }
}
