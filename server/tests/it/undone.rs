//! Captures and refunds that fail after they succeeded: the posting is reversed, and the request can be repeated.

use domain::id::PaymentId;
use domain::payment::{Outcome, Status};
use serde_json::json;

use crate::adyen::{authorised as authorised_at_adyen, captured, paid as paid_at_adyen, psp, refunded};
use crate::world::{World, eventually};
use crate::{both, both_at_adyen};

const REFUND_FAILS_LATER: &str = "4000000000005126";
const TOTAL: i64 = 3098;
const PAID: [(&str, i64); 2] = [("provider_receivable", TOTAL), ("merchant_payable", -TOTAL)];

/// Checks that everything is as it was before the refund, and that the merchant was notified once of its failure.
async fn is_paid_again(world: &World, payment: &PaymentId) {
    refunded(world, payment, 0).await;
    world.inbox_is_empty().await;
    let statement = world.statement(payment).await;
    let totals = statement.totals;
    assert_eq!((statement.status, totals.captured, totals.refund_pending), (Status::Succeeded, TOTAL, 0));
    assert!(!statement.flags.refunded && !statement.flags.partially_refunded, "{:?}", statement.flags);
    assert_eq!(statement.payment.attempts[0].refundable(), TOTAL);
    world.books_say(&PAID).await;
    let sent: Vec<_> = statement.ledger.iter().filter(|row| row.business == "refund_sent").collect();
    let sent: Vec<_> = sent.iter().map(|row| (row.account.as_str(), row.amount)).collect();
    let there = [("refunds_in_transit", TOTAL), ("provider_receivable", -TOTAL)];
    let back = [("provider_receivable", TOTAL), ("refunds_in_transit", -TOTAL)];
    assert_eq!(sent, [there, back].concat());
}

both! {
    async fn a_whole_refund_that_fails_leaves_the_payment_paid_and_refundable(world: World) {
        let (session, payment) = world.paid_with(REFUND_FAILS_LATER).await;
        // The failure is sent as three kinds of event, each delivered twice.
        world.control("webhooks", json!({"duplicate": 1})).await;
        assert_eq!(world.money().refund(&payment, None).await.unwrap().outcome, Outcome::Succeeded);
        assert!(world.statement(&payment).await.flags.refunded);
        world.books_say(&[]).await;
        world.page_says(&session, "refunded", "Your payment has been refunded").await;
        assert!(world.money().refund(&payment, Some(1)).await.is_err(), "it has all gone back");
        world.control("advance", json!({"seconds": 60})).await;
        is_paid_again(&world, &payment).await;
        let refund = world.provider("/v1/refunds").await["data"][0].clone();
        let event = json!({"id": format!("evt_{}", crate::world::random_hex()), "type": "charge.refund.updated",
            "created": crate::world::seconds(), "livemode": false, "data": {"object": refund}});
        world.deliver(&event).await;
        world.inbox_is_empty().await;
        assert_eq!((world.told(&payment, "refund.succeeded").await, world.told(&payment, "refund.failed").await), (1, 1));
        let (text, times) = world.alert("refund_failed").await;
        assert_eq!(times, 1, "told under three names and twice each, and raised once: {text}");
        let attempt = &world.statement(&payment).await.payment.attempts[0];
        let command = format!("till payment refund {payment} --attempt {} --amount 30.98", attempt.id);
        assert!(text.contains("expired_or_canceled_card") && text.contains("EUR 30.98") && text.contains(&command), "{text}");
        assert_eq!(attempt.modifications[0].reason(), Some("expired_or_canceled_card"));
        world.page_says(&session, "paid", "Payment complete").await;
        assert_eq!(world.money().refund(&payment, None).await.unwrap().outcome, Outcome::Succeeded);
        assert_eq!(world.statement(&payment).await.totals.refunded, TOTAL);
        world.books_say(&[]).await;
    }
}

both! {
    async fn of_two_refunds_the_one_that_fails_is_taken_back_and_no_other(world: World) {
        let (session, payment) = world.paid_with(REFUND_FAILS_LATER).await;
        let first = world.money().refund(&payment, Some(1000)).await.unwrap();
        world.control("webhooks", json!({"hold": true})).await;
        world.control("advance", json!({"seconds": 60})).await;
        // The refund is requested while the failure of the first is on its way: the provider has the whole amount
        // again, and Till does not know it yet.
        let second = world.money().refund(&payment, None).await.unwrap();
        assert_eq!((second.outcome, second.modification.amount()), (Outcome::Succeeded, TOTAL - 1000));
        world.control("webhooks", json!({"hold": false, "reversed": true})).await;
        eventually("the first has failed", || async { world.told(&payment, "refund.failed").await >= 1 }).await;
        let statement = world.statement(&payment).await;
        let outcome = |id| statement.payment.attempts[0].modification(id).unwrap().outcome(&statement.payment.attempts[0].book);
        assert_eq!(outcome(&first.modification.id), Outcome::Failed);
        if outcome(&second.modification.id) == Outcome::Succeeded {
            assert_eq!(statement.totals.refunded, TOTAL - 1000);
            world.books_say(&[("provider_receivable", 1000), ("merchant_payable", -1000)]).await;
            world.page_says(&session, "partly_refunded", "20.98").await;
        }
        world.control("advance", json!({"seconds": 60})).await;
        eventually("both have failed", || async { world.told(&payment, "refund.failed").await == 2 }).await;
        world.books_say(&PAID).await;
    }
}

both_at_adyen! {
    async fn a_whole_refund_that_fails_or_comes_back_leaves_the_payment_paid(world: World) {
        for (round, trigger) in ["refund_failed", "refunded_reversed"].into_iter().enumerate() {
            let (session, payment) = paid_at_adyen(&world).await;
            let psp = psp(&world, &payment).await;
            world.money().refund(&payment, None).await.unwrap();
            world.books_say(&[("provider_receivable", TOTAL), ("refunds_in_transit", -TOTAL)]).await;
            refunded(&world, &payment, TOTAL).await;
            world.books_say(&[]).await;
            world.page_says(&session, "refunded", "Your payment has been refunded").await;
            world.control("adyen/webhooks", json!({"duplicate": 2})).await;
            world.control(&format!("adyen/payments/{psp}/{trigger}"), json!({})).await;
            is_paid_again(&world, &payment).await;
            world.control("adyen/webhooks", json!({"duplicate": 0})).await;
            assert_eq!(world.told(&payment, "refund.failed").await, 1, "{trigger}");
            let alerts = world.upkeep().alerts(100).await.unwrap();
            let alerts: Vec<_> = alerts.iter().filter(|alert| alert.kind == "refund_failed").collect();
            assert_eq!((alerts.len(), alerts[0].times), (1, 1), "{trigger}: {alerts:?}");
            assert!(alerts[0].detail.contains(payment.as_str()) && alerts[0].detail.contains("EUR 30.98"), "{alerts:?}");
            world.page_says(&session, "paid", "Payment complete").await;
            world.money().refund(&payment, None).await.unwrap();
            refunded(&world, &payment, TOTAL).await;
            world.books_say(&[]).await;
            assert_eq!(world.told(&payment, "refund.succeeded").await, 2, "round {round}");
        }
    }
}

both_at_adyen! {
    async fn a_refund_that_the_provider_refuses_after_taking_it_was_never_sent(world: World) {
        let (session, payment) = paid_at_adyen(&world).await;
        // The payment was refunded at Adyen, and its webhook is held back.
        world.control("adyen/webhooks", json!({"hold": true})).await;
        let body = json!({"merchantAccount": "HarbourBooks", "amount": {"value": TOTAL, "currency": "EUR"}, "reference": "by hand"}).to_string();
        let url = format!("{}/adyen/v72/payments/{}/refunds", world.sandbox, psp(&world, &payment).await);
        let reply = world.send(axum::http::Method::POST, &url, "application/json", &body, &[("x-api-key", &world.secret_key)]).await;
        assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
        assert_eq!(world.money().refund(&payment, Some(1000)).await.unwrap().outcome, Outcome::Pending);
        world.control("advance", json!({"seconds": 60})).await;
        world.control("adyen/webhooks", json!({"hold": false})).await;
        refunded(&world, &payment, TOTAL).await;
        eventually("ours has failed", || async { world.told(&payment, "refund.failed").await == 1 }).await;
        assert_eq!(world.statement(&payment).await.totals.refund_pending, 0);
        world.books_say(&[]).await;
        world.page_says(&session, "refunded", "Your payment has been refunded").await;
    }
}

both_at_adyen! {
    async fn a_capture_that_fails_after_success_takes_the_money_back_and_can_be_made_again(world: World) {
        let (session, payment) = authorised_at_adyen(&world).await;
        world.money().capture(&payment, None, true).await.unwrap();
        captured(&world, &payment, TOTAL).await;
        world.books_say(&PAID).await;
        world.control("adyen/webhooks", json!({"duplicate": 2})).await;
        world.control(&format!("adyen/payments/{}/capture_failed", psp(&world, &payment).await), json!({})).await;
        captured(&world, &payment, 0).await;
        world.inbox_is_empty().await;
        let statement = world.statement(&payment).await;
        assert_eq!((statement.status, statement.totals.authorised), (Status::RequiresCapture, TOTAL));
        assert_eq!((world.told(&payment, "capture.failed").await, world.told(&payment, "payment.captured").await), (1, 2));
        assert_eq!((world.told(&payment, "payment.requires_capture").await, world.told(&payment, "payment.succeeded").await), (2, 1));
        world.books_say(&[]).await;
        let (text, times) = world.alert("capture_failed").await;
        assert_eq!(times, 1, "{text}");
        assert!(text.contains(payment.as_str()) && text.contains("EUR 30.98"), "{text}");
        world.page_says(&session, "authorised", "Your payment is approved").await;
        assert!(world.money().refund(&payment, None).await.is_err(), "there is nothing to refund");
        does_as_told(&world, &text).await;
        captured(&world, &payment, TOTAL).await;
        world.books_say(&PAID).await;
        world.page_says(&session, "paid", "Payment complete").await;
    }
}

/// Runs the command that an alert names, which must succeed.
async fn does_as_told(world: &World, text: &str) {
    let command =
        text.split('`').find(|part| part.starts_with("till payment capture")).unwrap_or_else(|| panic!("{text}"));
    let words: Vec<_> = command.split(' ').skip(1).collect();
    world.till_says(&words).await;
}

both_at_adyen! {
    async fn a_payment_taken_at_once_whose_capture_fails_can_be_captured_as_the_alert_says(world: World) {
        let (session, payment) = paid_at_adyen(&world).await;
        world.control(&format!("adyen/payments/{}/capture_failed", psp(&world, &payment).await), json!({})).await;
        captured(&world, &payment, 0).await;
        let (text, _) = world.alert("capture_failed").await;
        assert!(!text.contains("pay again"), "the shopper's page says that the payment is approved: {text}");
        world.page_says(&session, "authorised", "Your payment is approved").await;
        does_as_told(&world, &text).await;
        captured(&world, &payment, TOTAL).await;
        world.alert_is_closed("capture_failed").await;
        world.books_say(&PAID).await;
        world.page_says(&session, "paid", "Payment complete").await;
    }
}

both_at_adyen! {
    async fn a_part_whose_capture_fails_is_captured_again_and_the_rest_kept(world: World) {
        let (_, payment) = authorised_at_adyen(&world).await;
        world.money().capture(&payment, Some(1000), false).await.unwrap();
        captured(&world, &payment, 1000).await;
        world.control(&format!("adyen/payments/{}/capture_failed", psp(&world, &payment).await), json!({})).await;
        captured(&world, &payment, 0).await;
        let (text, _) = world.alert("capture_failed").await;
        assert!(text.contains("--amount 10.00 --keep-rest"), "{text}");
        does_as_told(&world, &text).await;
        captured(&world, &payment, 1000).await;
        assert_eq!(world.statement(&payment).await.payment.attempts[0].capturable(), TOTAL - 1000);
        // For a capture that was to release the rest, the alert's command releases it as well.
        let (_, payment) = authorised_at_adyen(&world).await;
        world.money().capture(&payment, Some(1200), true).await.unwrap();
        captured(&world, &payment, 1200).await;
        world.control(&format!("adyen/payments/{}/capture_failed", psp(&world, &payment).await), json!({})).await;
        captured(&world, &payment, 0).await;
        let (text, _) = world.alert("capture_failed").await;
        assert!(text.contains("--amount 12.00`"), "{text}");
    }
}

both_at_adyen! {
    async fn a_payment_taken_at_once_whose_capture_fails_is_not_paid(world: World) {
        let (session, payment) = paid_at_adyen(&world).await;
        world.money().refund(&payment, Some(1000)).await.unwrap();
        refunded(&world, &payment, 1000).await;
        world.control(&format!("adyen/payments/{}/capture_failed", psp(&world, &payment).await), json!({})).await;
        captured(&world, &payment, 0).await;
        let statement = world.statement(&payment).await;
        assert_ne!(statement.status, Status::Succeeded);
        assert_eq!(statement.totals.refunded, 1000, "what went to the shopper is gone");
        assert!(world.money().refund(&payment, Some(1)).await.is_err());
        assert_eq!(world.alert("capture_failed").await.1, 1);
        // It is not known yet who bears the loss, so a person is asked to look.
        world.books_say(&[("provider_receivable", -1000), ("suspense", 1000)]).await;
        assert_ne!(world.phase(&session).await, domain::checkout::Phase::Paid);
    }
}

both_at_adyen! {
    async fn an_authorisation_said_to_have_ended_does_not_undo_what_has_been_refunded(world: World) {
        for (round, first) in ["EXPIRE", "REFUND"].into_iter().enumerate() {
            let (session, payment) = paid_at_adyen(&world).await;
            let attempt = world.statement(&payment).await.payment.attempts[0].clone();
            let expire = json!({"eventCode": "EXPIRE", "success": "true", "pspReference": format!("E{round}"),
                "originalReference": attempt.refs.payment, "merchantAccountCode": "HarbourBooks", "merchantReference": attempt.id,
                "amount": {"value": TOTAL, "currency": "EUR"}, "reason": ""});
            if first == "EXPIRE" {
                world.control("webhooks", json!({"hold": true})).await;
                world.money().refund(&payment, Some(1000)).await.unwrap();
                crate::deliveries::notice(&world, &expire).await;
                world.inbox_is_empty().await;
                // The capture is not proved yet, and a refund is on its way: the shopper must not be able to pay.
                world.wait_for(&session, domain::checkout::Phase::Unclear).await;
                let method = domain::method::Method::Card;
                assert!(world.checkout().start(&session, method, None).await.is_err() || world.statement(&payment).await.payment.live().is_none());
                world.control("webhooks", json!({"hold": false})).await;
                refunded(&world, &payment, 1000).await;
            } else {
                world.money().refund(&payment, Some(1000)).await.unwrap();
                refunded(&world, &payment, 1000).await;
                crate::deliveries::notice(&world, &expire).await;
            }
            world.inbox_is_empty().await;
            let statement = world.statement(&payment).await;
            assert_eq!((statement.status, statement.totals.captured, statement.payment.is_overdrawn()), (Status::Succeeded, TOTAL, false));
            assert_eq!(statement.payment.attempts.len(), 1);
            world.page_says(&session, "partly_refunded", "10.00").await;
            let left = (i64::try_from(round).unwrap() + 1) * (TOTAL - 1000);
            world.books_say(&[("provider_receivable", left), ("merchant_payable", -left)]).await;
        }
    }
}
