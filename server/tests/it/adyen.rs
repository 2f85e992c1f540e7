//! Payments through the Adyen simulator: the provider answers "received" and sends the result later.

use domain::checkout::Phase;
use domain::id::PaymentId;
use domain::method::Method;
use domain::payment::{Outcome, Status};
use engine::{Clock, Started};
use serde_json::{Value, json};

use crate::both_at_adyen;
use crate::world::{Told, World, eventually};

const TOTAL: i64 = 3098;
const ADA: &str = "Ada Shopper";

pub(crate) async fn paid(world: &World) -> (domain::id::Token, PaymentId) {
    let session = world.session().await;
    let page = world.start(&session).await;
    assert_eq!(world.pay_at_adyen(&page, ADA).await, 303);
    world.wait_for(&session, Phase::Paid).await;
    let payment = world.payment_of(&session).await;
    (session, payment)
}

pub(crate) async fn authorised(world: &World) -> (domain::id::Token, PaymentId) {
    let session = world.session_to_capture().await;
    let page = world.start(&session).await;
    assert_eq!(world.pay_at_adyen(&page, ADA).await, 303);
    world.wait_for(&session, Phase::Authorised).await;
    let payment = world.payment_of(&session).await;
    (session, payment)
}

/// The provider's reference of a payment.
pub(crate) async fn psp(world: &World, payment: &PaymentId) -> String {
    world.statement(payment).await.payment.attempts.last().unwrap().refs.payment.clone().unwrap()
}

pub(crate) async fn calls(world: &World, operation: &str) -> Vec<Value> {
    let url = format!("{}/_control/adyen/calls?account={}&operation={operation}", world.sandbox, world.secret_key);
    let reply = world.get(&url).await;
    let calls: Value = serde_json::from_slice(&reply.body).unwrap();
    calls["calls"].as_array().unwrap_or_else(|| panic!("no list of calls: {calls}")).clone()
}

async fn advance(world: &World) {
    world.control("advance", json!({"seconds": 60})).await;
}

pub(crate) async fn captured(world: &World, payment: &PaymentId, total: i64) {
    eventually(&format!("captured {total}"), || async { world.statement(payment).await.totals.captured == total })
        .await;
}

pub(crate) async fn refunded(world: &World, payment: &PaymentId, total: i64) {
    eventually(&format!("refunded {total}"), || async { world.statement(payment).await.totals.refunded == total })
        .await;
}

both_at_adyen! {
    async fn a_decline_leaves_the_page_open_and_the_next_try_is_paid(world: World) {
        let session = world.session().await;
        let page = world.start(&session).await;
        assert_eq!(world.pay_at_adyen(&page, "NOT_ENOUGH_BALANCE").await, 402);
        eventually("declined", || async { matches!(world.phase(&session).await, Phase::Declined(_)) }).await;
        assert_eq!(world.start(&session).await, page, "the same page");
        assert_eq!(world.pay_at_adyen(&page, ADA).await, 303);
        world.wait_for(&session, Phase::Paid).await;
        assert_eq!(world.balance("provider_receivable").await, TOTAL);
        world.books_are_right().await;
    }
}

both_at_adyen! {
    async fn captures_are_received_then_done_and_one_may_fail_after_success(world: World) {
        let (session, payment) = authorised(&world).await;
        let first = world.money().capture(&payment, Some(1000), false).await.unwrap();
        assert_eq!(first.outcome, Outcome::Pending, "received is not done");
        assert_eq!(world.balance("provider_receivable").await, 0);
        captured(&world, &payment, 1000).await;
        world.money().capture(&payment, None, true).await.unwrap();
        captured(&world, &payment, TOTAL).await;
        world.wait_for(&session, Phase::Paid).await;
        assert!(world.money().void(&payment).await.is_err());
        world.control(&format!("adyen/payments/{}/capture_failed", psp(&world, &payment).await), json!({})).await;
        eventually("a capture has failed", || async { world.statement(&payment).await.totals.captured < TOTAL }).await;
        assert!(world.statement(&payment).await.flags.partially_captured);
        world.books_are_right().await;
    }
}

both_at_adyen! {
    async fn a_rest_that_was_kept_is_said_to_stay_and_what_is_advised_works(world: World) {
        let (session, payment) = authorised(&world).await;
        let id = payment.as_str();
        world.money().capture(&payment, Some(1000), false).await.unwrap();
        captured(&world, &payment, 1000).await;
        let attempt = world.statement(&payment).await.payment.attempts[0].id.clone();
        let capture = format!("till payment capture {id} --attempt {attempt} --amount 20.98");
        for command in ["void", "cancel"] {
            let refused = world.till_refuses(&["payment", command, id], 1).await;
            let says = ["EUR 10.00 was captured; the other EUR 20.98 stays authorised until the provider releases it", &capture];
            assert!(says.iter().all(|says| refused.contains(says)), "{command}: {refused}");
        }
        world.till(&["payment", "capture", id, "--attempt", attempt.as_str(), "--amount", "20.98"]).await;
        captured(&world, &payment, TOTAL).await;
        world.wait_for(&session, Phase::Paid).await;
        assert!(world.till_refuses(&["payment", "void", id], 1).await.contains("all that was authorised has been captured"));
    }
}

both_at_adyen! {
    async fn a_void_is_received_then_done(world: World) {
        let (session, payment) = authorised(&world).await;
        assert_eq!(world.money().void(&payment).await.unwrap().outcome, Outcome::Pending);
        assert!(world.money().capture(&payment, None, true).await.is_err(), "it is being voided");
        world.wait_for(&session, Phase::Cancelled).await;
        assert_eq!(world.statement(&payment).await.status, Status::Canceled);
    }
}

both_at_adyen! {
    async fn refunds_are_received_then_done_and_may_fail_later(world: World) {
        let (session, payment) = paid(&world).await;
        assert_eq!(world.money().refund(&payment, Some(2000)).await.unwrap().outcome, Outcome::Pending);
        assert!(world.money().refund(&payment, Some(2000)).await.is_err(), "what is on its way is gone");
        refunded(&world, &payment, 2000).await;
        // The notice may come before the test looks at the balance, so the journal tells what was in transit.
        let ledger = world.statement(&payment).await.ledger;
        assert!(ledger.iter().any(|line| line.account == "refunds_in_transit" && line.amount == -2000), "{ledger:?}");
        world.control(&format!("adyen/payments/{}/refund_failed", psp(&world, &payment).await), json!({})).await;
        refunded(&world, &payment, 0).await;
        assert_eq!((world.phase(&session).await, world.balance("provider_receivable").await), (Phase::Paid, TOTAL));
        world.books_are_right().await;
        world.money().refund(&payment, None).await.unwrap();
        refunded(&world, &payment, TOTAL).await;
    }
}

both_at_adyen! {
    async fn a_lost_reply_is_repeated_with_the_same_key_and_opens_one_page(world: World) {
        world.control("faults", json!({"provider": "adyen", "operation": "paymentLinks.create", "fault": "timeout_after_accept", "count": 1})).await;
        let session = world.session().await;
        assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
        assert_eq!(world.phase(&session).await, Phase::Unknown);
        world.wait_for(&session, Phase::Resume).await;
        let mut keys: Vec<_> =
            calls(&world, "paymentLinks.create").await.iter().map(|call| call["idempotency_key"].to_string()).collect();
        assert_eq!(keys.len(), 2);
        keys.dedup();
        assert_eq!(keys.len(), 1, "{keys:?}");
        let page = world.start(&session).await;
        world.pay_at_adyen(&page, ADA).await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

both_at_adyen! {
    async fn an_opening_that_is_never_answered_is_called_off_when_its_page_would_have_closed_and_the_refusal_says_when(world: World) {
        let (_other, clock) = world.ahead().await;
        world.control("faults", json!({"provider": "adyen", "operation": "paymentLinks.create", "fault": "timeout_after_accept", "count": 1000})).await;
        let session = world.session().await;
        assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
        let payment = world.payment_of(&session).await;
        let until = world.statement(&payment).await.payment.attempts[0].until.unwrap();
        let refused = world.till_refuses(&["payment", "cancel", payment.as_str()], 1).await;
        let when = domain::time::format(until + 5 * domain::MINUTE);
        assert!(refused.contains("cannot be searched") && refused.contains(&when), "{refused}");
        clock.by(until + 6 * domain::MINUTE - clock.now());
        world.wait_for(&session, Phase::Expired).await;
        assert_eq!(world.till(&["payment", "cancel", payment.as_str()]).await["status"], "canceled");
    }
}

both_at_adyen! {
    async fn a_refund_whose_reply_is_lost_is_sent_once(world: World) {
        let (_, payment) = paid(&world).await;
        world.control("faults", json!({"provider": "adyen", "operation": "payments.refund", "fault": "timeout_after_accept", "count": 1})).await;
        assert_eq!(world.money().refund(&payment, Some(1000)).await.unwrap().outcome, Outcome::Unknown);
        refunded(&world, &payment, 1000).await;
        eventually("it is known", || async { !world.statement(&payment).await.flags.unsure }).await;
        let mut keys: Vec<_> =
            calls(&world, "payments.refund").await.iter().map(|call| call["idempotency_key"].to_string()).collect();
        keys.dedup();
        assert_eq!(keys.len(), 1, "always with the same key: {keys:?}");
        advance(&world).await;
        assert_eq!(world.statement(&payment).await.payment.attempts[0].book.refunds.len(), 1);
        world.books_are_right().await;
    }
}

both_at_adyen! {
    async fn what_the_webhook_did_not_tell_the_link_does(world: World) {
        world.control("adyen/webhooks", json!({"hold": true})).await;
        let session = world.session().await;
        let page = world.start(&session).await;
        world.pay_at_adyen(&page, ADA).await;
        assert_eq!(world.checkout().view(&session, true).await.unwrap().phase, Phase::Confirming);
        world.wait_for(&session, Phase::Paid).await;
        let payment = world.payment_of(&session).await;
        let error = world.money().refund(&payment, None).await.unwrap_err().told();
        assert!(error.contains("not named the payment yet"), "{error}");
        world.control("adyen/webhooks", json!({"hold": false})).await;
        eventually("the payment is named", || async { world.money().refund(&payment, Some(1)).await.is_ok() }).await;
        world.books_are_right().await;
    }
}

both_at_adyen! {
    async fn a_chargeback_takes_the_money_and_its_reversal_brings_it_back(world: World) {
        let (_, payment) = paid(&world).await;
        let psp = psp(&world, &payment).await;
        world.control(&format!("adyen/payments/{psp}/chargeback"), json!({})).await;
        eventually("charged back", || async { world.balance("disputes").await == TOTAL }).await;
        world.control(&format!("adyen/payments/{psp}/chargeback_reversed"), json!({})).await;
        eventually("reversed", || async { world.balance("disputes").await == 0 }).await;
        world.control(&format!("adyen/payments/{psp}/second_chargeback"), json!({})).await;
        eventually("charged back for good", || async { world.told(&payment, "dispute.lost").await == 1 }).await;
        assert_eq!((world.balance("disputes").await, world.balance("merchant_payable").await), (0, 0));
        world.books_are_right().await;
    }
}

both_at_adyen! {
    async fn deliveries_that_are_forged_batched_doubled_or_in_another_order_end_in_the_same_books(world: World) {
        world.control("adyen/webhooks", json!({"tamper": true})).await;
        let session = world.session().await;
        let page = world.start(&session).await;
        world.pay_at_adyen(&page, ADA).await;
        eventually("the forgery is noticed", || async { world.alert_kinds().await.contains(&"webhook_rejected".to_owned()) }).await;
        assert_ne!(world.phase(&session).await, Phase::Paid);
        world.control("adyen/webhooks", json!({"tamper": false, "duplicate": 2, "batch": true, "hold": true, "retry_scale": 0})).await;
        let (other, _) = { let session = world.session().await; let page = world.start(&session).await; world.pay_at_adyen(&page, ADA).await; (session, page) };
        world.control("adyen/webhooks", json!({"hold": false, "reversed": true})).await;
        world.wait_for(&other, Phase::Paid).await;
        let payment = world.payment_of(&other).await;
        world.money().refund(&payment, Some(500)).await.unwrap();
        refunded(&world, &payment, 500).await;
        world.books_are_right().await;
    }
}

both_at_adyen! {
    async fn a_second_payment_on_one_link_is_recorded_and_sent_back(world: World) {
        world.control("adyen/webhooks", json!({"allow_double_payment": true, "hold": true})).await;
        let session = world.session().await;
        let page = world.start(&session).await;
        assert_eq!(world.pay_at_adyen(&page, ADA).await, 303);
        let second = world.pay_at_adyen(&page, ADA).await;
        world.control("adyen/webhooks", json!({"hold": false})).await;
        assert_eq!(second, 303);
        let payment = world.payment_of(&session).await;
        refunded(&world, &payment, TOTAL).await;
        assert_eq!(world.phase(&session).await, Phase::Paid, "paid twice and sent back once is paid");
        let statement = world.statement(&payment).await;
        assert!(statement.flags.second_success && statement.totals.captured == 2 * TOTAL, "{statement:#?}");
        world.alert_is_closed("second_success").await;
        world.books_are_right().await;
    }
}
