//! The merchant's actions on a payment's money and their outcome: captures, voids, refunds, disputes, surplus, and the
//! ledger.

use domain::checkout::Phase;
use domain::method::Method;
use domain::payment::{Outcome, Status};
use engine::store::merchants::SurplusPolicy;
use serde_json::json;

use crate::both;
use crate::world::{Told, World, eventually, operator, paid_event, random_hex, seconds, sign};

const GOOD: &str = "4242424242424242";
const REFUND_FAILS_LATER: &str = "4000000000005126";
const REFUND_TAKES_A_WHILE: &str = "4000000000007726";
const TOTAL: i64 = 3098;

async fn advance(world: &World) {
    world.control("advance", json!({"seconds": 60})).await;
}

both! {
    async fn a_refund_goes_back_in_parts_and_never_beyond_what_was_captured(world: World) {
        let (session, payment) = world.paid_with(GOOD).await;
        assert_eq!(world.balance("provider_receivable").await, TOTAL);
        let first = world.money().refund(&payment, Some(1000)).await.unwrap();
        assert_eq!(first.outcome, Outcome::Succeeded);
        world.wait_for(&session, Phase::PartlyRefunded).await;
        let error = world.money().refund(&payment, Some(TOTAL - 999)).await.unwrap_err().told();
        assert!(error.contains("20.98"), "{error}");
        world.money().refund(&payment, None).await.unwrap();
        world.wait_for(&session, Phase::Refunded).await;
        assert!(world.money().refund(&payment, None).await.is_err());
        world.books_are_right().await;
        assert_eq!((world.balance("provider_receivable").await, world.balance("merchant_payable").await), (0, 0));
        let told = world.statement(&payment).await.told;
        assert_eq!(told.iter().filter(|name| *name == "refund.succeeded").count(), 2, "{told:?}");
    }
}

both! {
    async fn of_two_refunds_of_sixty_on_a_hundred_at_once_one_is_refused(world: World) {
        let other = world.second_node().await;
        let (_, payment) = world.paid_with(GOOD).await;
        let sixty = TOTAL * 6 / 10;
        let tries = (0..6).map(|number| {
            let engine = if number % 2 == 0 { world.engine() } else { &other.engine };
            let (money, payment) = (engine.money(&world.scope()), payment.clone());
            tokio::spawn(async move { money.refund(&payment, Some(sixty)).await.is_ok() })
        });
        let done = futures::future::join_all(tries).await.into_iter().filter(|done| *done.as_ref().unwrap()).count();
        assert_eq!(done, 1);
        assert_eq!(world.statement(&payment).await.totals.refunded, sixty);
        assert_eq!(world.provider("/v1/refunds").await["data"].as_array().unwrap().len(), 1);
        world.books_are_right().await;
    }
}

both! {
    async fn a_refund_whose_reply_is_lost_is_looked_for_and_not_sent_twice(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        world.control("webhooks", json!({"drop": true})).await;
        world.control("faults", json!({"operation": "refunds.create", "fault": "timeout_after_accept", "count": 1})).await;
        let refund = world.money().refund(&payment, Some(500)).await.unwrap();
        assert_eq!(refund.outcome, Outcome::Unknown);
        assert!(world.statement(&payment).await.flags.unsure);
        assert!(world.money().refund(&payment, None).await.unwrap().modification.amount() <= TOTAL - 500, "unknown counts as gone");
        eventually("the refund is known", || async { world.statement(&payment).await.totals.refunded == TOTAL }).await;
        assert!(!world.statement(&payment).await.flags.unsure);
        assert_eq!(world.provider("/v1/refunds").await["data"].as_array().unwrap().len(), 2);
        assert!(!world.calls("refunds.list").await.is_empty());
        world.books_are_right().await;
    }
}

both! {
    async fn a_refund_that_was_never_received_is_sent_again_with_its_own_key(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        world.control("faults", json!({"operation": "refunds.create", "fault": "error_500", "count": 1})).await;
        assert_eq!(world.money().refund(&payment, Some(500)).await.unwrap().outcome, Outcome::Unknown);
        eventually("the refund is done", || async { world.statement(&payment).await.totals.refunded == 500 }).await;
        let mut keys: Vec<_> =
            world.calls("refunds.create").await.iter().map(|call| call["idempotency_key"].to_string()).collect();
        keys.dedup();
        assert_eq!(keys.len(), 1, "{keys:?}");
    }
}

both! {
    async fn a_refund_may_take_a_while_and_may_fail_after_success(world: World) {
        let (_, slow) = world.paid_with(REFUND_TAKES_A_WHILE).await;
        assert_eq!(world.money().refund(&slow, Some(500)).await.unwrap().outcome, Outcome::Pending);
        assert_eq!(world.balance("refunds_in_transit").await, -500);
        advance(&world).await;
        eventually("the refund has arrived", || async { world.statement(&slow).await.totals.refunded == 500 }).await;
        assert_eq!(world.balance("refunds_in_transit").await, 0);
        let (session, failing) = world.paid_with(REFUND_FAILS_LATER).await;
        world.money().refund(&failing, None).await.unwrap();
        advance(&world).await;
        eventually("the refund has failed", || async { world.statement(&failing).await.told.iter().any(|name| name == "refund.failed") }).await;
        assert_eq!(world.statement(&failing).await.totals.refunded, 0);
        assert_eq!(world.phase(&session).await, Phase::Paid);
        world.books_are_right().await;
        world.money().refund(&failing, Some(1)).await.unwrap();
    }
}

both! {
    async fn authorised_money_is_captured_in_part_and_the_rest_is_released(world: World) {
        let (session, payment) = world.authorised().await;
        assert_eq!((world.statement(&payment).await.status, world.balance("provider_receivable").await), (Status::RequiresCapture, 0));
        assert!(world.money().capture(&payment, Some(TOTAL + 1), true).await.is_err());
        let captured = world.money().capture(&payment, Some(1000), true).await.unwrap();
        assert_eq!(captured.outcome, Outcome::Succeeded);
        world.wait_for(&session, Phase::PartlyCollected).await;
        assert!(world.money().capture(&payment, Some(1), true).await.is_err());
        assert!(world.money().void(&payment).await.is_err());
        assert_eq!(world.balance("provider_receivable").await, 1000);
        world.books_are_right().await;
    }
}

both! {
    async fn authorised_money_is_released(world: World) {
        let (session, payment) = world.authorised().await;
        assert_eq!(world.money().void(&payment).await.unwrap().outcome, Outcome::Succeeded);
        assert_eq!(world.phase(&session).await, Phase::Cancelled);
        assert!(world.money().capture(&payment, None, true).await.is_err());
        assert_eq!(world.provider("/v1/payment_intents").await["data"][0]["status"], "canceled");
    }
}

both! {
    async fn of_a_capture_and_a_void_at_once_one_is_done(world: World) {
        let other = world.second_node().await;
        for _ in 0..4 {
            let (_, payment) = world.authorised().await;
            let capture = { let (money, payment) = (world.money(), payment.clone()); tokio::spawn(async move { money.capture(&payment, None, true).await.is_ok() }) };
            let void = { let (money, payment) = (other.engine.money(&world.scope()), payment.clone()); tokio::spawn(async move { money.void(&payment).await.is_ok() }) };
            let (captured, voided) = (capture.await.unwrap(), void.await.unwrap());
            assert!(captured != voided, "captured {captured}, voided {voided}");
            let status = world.statement(&payment).await.status;
            assert_eq!(status, if captured { Status::Succeeded } else { Status::Canceled });
        }
        world.books_are_right().await;
    }
}

both! {
    async fn a_second_success_is_recorded_and_sent_back(world: World) {
        let (session, payment, page) = paid_twice_soon(&world).await;
        world.pay(&page, GOOD).await;
        eventually("the second success is sent back", || async { world.statement(&payment).await.totals.refunded == TOTAL }).await;
        let statement = world.statement(&payment).await;
        assert!(statement.flags.second_success && statement.totals.captured == 2 * TOTAL, "{statement:#?}");
        assert!(statement.told.iter().any(|name| name == "payment.second_success"));
        world.alert_is_closed("second_success").await;
        assert_eq!((world.balance("suspense").await, world.balance("merchant_payable").await), (0, -TOTAL));
        assert_eq!(world.provider("/v1/refunds").await["data"].as_array().unwrap().len(), 1);
        assert_eq!(world.phase(&session).await, Phase::Paid);
        world.books_are_right().await;
    }
}

both! {
    async fn a_second_success_is_held_if_the_merchant_wants_it_so(world: World) {
        world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Hold).await.unwrap();
        let (_, payment, page) = paid_twice_soon(&world).await;
        world.pay(&page, GOOD).await;
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"surplus_held".to_owned()) }).await;
        assert_eq!((world.balance("suspense").await, world.statement(&payment).await.totals.refunded), (-TOTAL, 0));
        world.money().keep(&payment).await.unwrap();
        assert_eq!((world.balance("suspense").await, world.balance("merchant_payable").await), (0, -2 * TOTAL));
        world.books_are_right().await;
    }
}

/// A payment made on a page that had been given up, and the second page, still open at the provider.
pub(crate) async fn paid_twice_soon(world: &World) -> (domain::id::Token, domain::id::PaymentId, String) {
    let session = world.session().await;
    world.start(&session).await;
    let (first, attempt) = {
        let provider = world.provider("/v1/checkout/sessions").await["data"][0].clone();
        (provider["id"].as_str().unwrap().to_owned(), provider["client_reference_id"].as_str().unwrap().to_owned())
    };
    world.checkout().cancel(&session).await.unwrap();
    let page = world.start(&session).await;
    // The provider cannot close the second page while the late success of the first arrives.
    world.control("faults", json!({"operation": "checkout.sessions.expire", "fault": "error_500", "count": 50})).await;
    let body = paid_event(&format!("evt_{}", random_hex()), &attempt, &first, TOTAL, "eur");
    let signature = sign(&world.webhook_secret, seconds(), &body);
    let headers = [("stripe-signature", signature.as_str())];
    world.send(axum::http::Method::POST, &world.account.webhook_url, "application/json", &body, &headers).await;
    world.wait_for(&session, Phase::Paid).await;
    let payment = world.payment_of(&session).await;
    (session, payment, page)
}

both! {
    async fn what_is_paid_after_a_cancel_is_sent_back(world: World) {
        let session = world.session().await;
        let page = world.start(&session).await;
        let payment = world.payment_of(&session).await;
        world.control("faults", json!({"operation": "checkout.sessions.expire", "fault": "error_500", "count": 50})).await;
        world.money().cancel(&payment).await.unwrap();
        world.pay(&page, GOOD).await;
        eventually("it is sent back", || async { world.statement(&payment).await.totals.refunded == TOTAL }).await;
        assert_eq!((world.balance("suspense").await, world.balance("merchant_payable").await), (0, 0));
        world.books_are_right().await;
    }
}

both! {
    async fn a_dispute_takes_the_money_and_a_win_brings_it_back(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let intent = world.provider("/v1/payment_intents").await["data"][0]["id"].as_str().unwrap().to_owned();
        world.control("disputes", json!({"payment_intent": intent})).await;
        eventually("disputed", || async { world.statement(&payment).await.flags.disputed }).await;
        assert_eq!((world.balance("disputes").await, world.balance("provider_receivable").await), (TOTAL, 0));
        assert!(world.money().refund(&payment, Some(1)).await.is_err(), "the bank has it");
        assert!(world.alert_kinds().await.contains(&"dispute_opened".to_owned()));
        let dispute = world.provider("/v1/disputes").await["data"][0]["id"].as_str().unwrap().to_owned();
        world.control(&format!("disputes/{dispute}/close"), json!({"status": "won"})).await;
        eventually("won", || async { !world.statement(&payment).await.flags.disputed }).await;
        assert_eq!((world.balance("disputes").await, world.balance("provider_receivable").await), (0, TOTAL));
        let told = world.statement(&payment).await.told;
        assert!(told.iter().any(|name| name == "dispute.opened") && told.iter().any(|name| name == "dispute.won"), "{told:?}");
        world.books_are_right().await;
    }
}

both! {
    async fn three_tabs_and_two_servers_open_one_page(world: World) {
        let other = world.second_node().await;
        let session = world.session().await;
        let tabs = (0..6).map(|number| {
            let engine = if number % 2 == 0 { world.engine().clone() } else { other.engine.clone() };
            let session = session.clone();
            tokio::spawn(async move { engine.checkout().start(&session, Method::Card, None).await.unwrap() })
        });
        futures::future::join_all(tabs).await;
        assert_eq!(world.provider("/v1/checkout/sessions").await["data"].as_array().unwrap().len(), 1);
    }
}

both! {
    async fn the_books_cannot_be_changed(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        assert!(!world.statement(&payment).await.ledger.is_empty());
        for statement in ["UPDATE entries SET amount = 1", "DELETE FROM entries", "UPDATE transactions SET at = 1", "DELETE FROM transactions",
            "UPDATE payment_events SET seq = 99", "DELETE FROM payment_events",
            "INSERT INTO entries SELECT source_id, number, 99, business, account, party, currency, 0 FROM entries",
            "INSERT INTO transactions SELECT source, source_id, number, merchant_id, live, posted_by, approved_by, at FROM transactions",
            "INSERT INTO transactions SELECT 'manual', 'man_1', 1, merchant_id, live, 'usr_1', 'usr_1', at FROM transactions",
            "INSERT INTO transactions SELECT 'manual', 'man_1', 1, merchant_id, live, 'usr_1', NULL, at FROM transactions"]
        {
            let mut tx = world.engine().store().begin().await.unwrap();
            assert!(sqlx::query(statement).execute(&mut *tx).await.is_err(), "{statement}");
        }
    }
}
