//! Payments above or below the debt: refunds by policy, held amounts, and reports that are not believed.

use domain::checkout::Phase;
use domain::id::{PaymentId, Token};
use domain::payment::Status;
use domain::{MINUTE, SECOND};
use engine::Clock;
use engine::store::inbox::InboxState;
use engine::store::merchants::SurplusPolicy;
use serde_json::{Value, json};

use crate::adyen::{authorised as authorised_at_adyen, captured, refunded};
use crate::world::{Told, World, eventually, operator, random_hex, seconds};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";
const REFUND_FAILS_LATER: &str = "4000000000005126";
const TOTAL: i64 = 3098;
const OVER: i64 = 500;

/// An event about an intent for the debt of which another amount arrived, as Stripe reports a capture beyond the
/// authorisation.
async fn received(world: &World, payment: &PaymentId, received: i64) -> Value {
    let attempt = world.statement(payment).await.payment.attempts[0].clone();
    json!({
        "id": format!("evt_{}", random_hex()), "object": "event", "type": "payment_intent.succeeded", "created": seconds(),
        "livemode": false, "data": {"object": {"id": attempt.refs.payment, "object": "payment_intent", "status": "succeeded",
            "amount": TOTAL, "amount_received": received, "currency": "eur", "metadata": {"till_attempt": attempt.id}}}
    })
}

async fn overpaid(world: &World, card: &str) -> (Token, PaymentId) {
    let (session, payment) = world.paid_with(card).await;
    let event = received(world, &payment, TOTAL + OVER).await;
    world.deliver(&event).await;
    world.deliver(&event).await;
    eventually("overpaid", || async { world.statement(&payment).await.totals.captured == TOTAL + OVER }).await;
    (session, payment)
}

both! {
    async fn what_is_paid_too_much_is_sent_back_once_and_the_page_says_paid(world: World) {
        let (session, payment) = overpaid(&world, GOOD).await;
        eventually("it is sent back", || async { world.statement(&payment).await.totals.refunded == OVER }).await;
        world.inbox_is_empty().await;
        let statement = world.statement(&payment).await;
        assert_eq!((statement.status, statement.totals.captured, statement.payment.surplus()), (Status::Succeeded, TOTAL + OVER, 0));
        assert!(statement.flags.overpaid && !statement.flags.second_success);
        assert_eq!(world.provider("/v1/refunds").await["data"].as_array().unwrap().len(), 1);
        assert_eq!(world.told(&payment, "refund.succeeded").await, 1);
        world.books_say(&[("provider_receivable", TOTAL), ("merchant_payable", -TOTAL)]).await;
        let suspense = statement.ledger.iter().filter(|row| row.business == "surplus").count();
        assert_eq!(suspense, 4, "into suspense and out of it, on both accounts");
        world.page_says(&session, "paid", "Payment complete").await;
    }
}

both! {
    async fn what_is_paid_too_much_is_held_until_somebody_keeps_it_or_sends_it_back(world: World) {
        world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Hold).await.unwrap();
        let (session, kept) = overpaid(&world, GOOD).await;
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"surplus_held".to_owned()) }).await;
        let (text, _) = world.alert("surplus_held").await;
        assert!(text.contains("till payment keep") && text.contains(kept.as_str()), "{text}");
        assert!(world.calls("refunds.create").await.is_empty());
        world.books_say(&[("provider_receivable", TOTAL + OVER), ("merchant_payable", -TOTAL), ("suspense", -OVER)]).await;
        world.page_says(&session, "overpaid", "You have paid too much").await;
        let decided = world.money().keep(&kept).await.unwrap();
        assert_eq!((decided.now, decided.in_all), (OVER, OVER));
        let again = world.money().keep(&kept).await.unwrap_err().told();
        assert!(again.contains("EUR 5.00 is kept already"), "kept once: {again}");
        world.page_says(&session, "overpaid_kept", "keeps").await;
        assert!(!world.alert_kinds().await.contains(&"surplus_held".to_owned()), "the merchant has decided");
        world.books_say(&[("provider_receivable", TOTAL + OVER), ("merchant_payable", -TOTAL - OVER)]).await;

        let (session, back) = overpaid(&world, GOOD).await;
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"surplus_held".to_owned()) }).await;
        world.money().refund(&back, Some(OVER)).await.unwrap();
        world.alert_is_closed("surplus_held").await;
        assert_eq!(world.statement(&back).await.payment.surplus(), 0);
        let nothing = world.money().keep(&back).await.unwrap_err().told();
        assert!(nothing.contains("nothing to keep"), "{nothing}");
        world.books_say(&[("provider_receivable", 2 * TOTAL + OVER), ("merchant_payable", -2 * TOTAL - OVER)]).await;
        world.page_says(&session, "paid", "Payment complete").await;
    }
}

both! {
    async fn a_surplus_that_cannot_go_back_is_tried_again_with_growing_pauses_and_the_reason_is_told(world: World) {
        let (_other, clock) = world.ahead().await;
        let low = json!({"operation": "refunds.create", "fault": "insufficient_balance", "count": 2});
        world.control("faults", low).await;
        let (session, payment) = overpaid(&world, GOOD).await;
        let tries = |expected: i64| {
            let world = &world;
            async move {
                eventually("it has been tried", || async {
                    let alerts = world.upkeep().alerts(100).await.unwrap();
                    alerts.iter().any(|alert| alert.kind == "surplus_stuck" && alert.times == expected)
                })
                .await;
                assert_eq!(i64::try_from(world.calls("refunds.create").await.len()).unwrap(), expected);
            }
        };
        tries(1).await;
        let (text, _) = world.alert("surplus_stuck").await;
        let attempt = world.statement(&payment).await.payment.attempts[0].id.clone();
        for says in [payment.as_str(), attempt.as_str(), "EUR 5.00", "balance_insufficient", "Insufficient funds", "till merchant surplus"] {
            assert!(text.contains(says), "{says}: {text}");
        }
        world.page_says(&session, "overpaid", "You have paid too much").await;
        clock.by(MINUTE + SECOND);
        tries(2).await;
        eventually("the pauses grow", || async {
            world.due("surplus", payment.as_str()).await.is_some_and(|due| due - clock.now() > 3 * MINUTE)
        })
        .await;
        clock.by(5 * MINUTE + SECOND);
        eventually("it is sent back", || async { world.statement(&payment).await.totals.refunded == OVER }).await;
        world.alert_is_closed("surplus_stuck").await;
        let calls = world.calls("refunds.create").await;
        let keys: std::collections::BTreeSet<_> = calls.iter().map(|call| call["idempotency_key"].to_string()).collect();
        assert_eq!((calls.len(), keys.len()), (3, 3), "a refused key is not used again");
        world.books_say(&[("provider_receivable", TOTAL), ("merchant_payable", -TOTAL)]).await;
    }
}

both! {
    async fn a_surplus_whose_refund_fails_after_success_is_sent_again_later(world: World) {
        let (_other, clock) = world.ahead().await;
        let (session, payment) = overpaid(&world, REFUND_FAILS_LATER).await;
        for number in 1..3 {
            world.control("advance", json!({"seconds": 60})).await;
            eventually("it has failed", || async { world.told(&payment, "refund.failed").await == number }).await;
            // The alert was closed when the money seemed to have gone back.
            let (text, times) = world.alert("surplus_stuck").await;
            assert_eq!(times, 1, "{text}");
            assert!(text.contains("expired_or_canceled_card"), "{text}");
            assert_eq!(world.provider("/v1/refunds").await["data"].as_array().unwrap().len(), number, "not at once");
            clock.by(5 * MINUTE + SECOND);
            eventually("it is tried again", || async { world.provider("/v1/refunds").await["data"].as_array().unwrap().len() == number + 1 }).await;
        }
        assert!(!world.alert_kinds().await.contains(&"refund_failed".to_owned()), "it was not the merchant's refund");
        world.books_are_right().await;
        world.phase(&session).await;
    }
}

both! {
    async fn setting_the_policy_takes_up_what_was_held_or_refused(world: World) {
        let low = json!({"operation": "refunds.create", "fault": "insufficient_balance", "count": 1});
        world.control("faults", low).await;
        let (_, refused) = overpaid(&world, GOOD).await;
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"surplus_stuck".to_owned()) }).await;
        let merchant = world.merchant.to_string();
        world.till(&["merchant", "surplus", &merchant, "hold"]).await;
        let (_, held) = overpaid(&world, GOOD).await;
        eventually("both are held", || async {
            world.alert_kinds().await.iter().filter(|kind| *kind == "surplus_held").count() == 2
        })
        .await;
        world.alert_is_closed("surplus_stuck").await;
        world.inbox_is_empty().await;
        assert_eq!((world.calls("refunds.create").await.len(), world.balance("suspense").await), (1, -2 * OVER));
        world.till(&["merchant", "surplus", &merchant, "refund"]).await;
        for payment in [refused, held] {
            eventually("it is sent back", || async { world.statement(&payment).await.totals.refunded == OVER }).await;
        }
        assert_eq!(world.calls("refunds.create").await.len(), 3);
        world.books_say(&[("provider_receivable", 2 * TOTAL), ("merchant_payable", -2 * TOTAL)]).await;
    }
}

both! {
    async fn what_is_stuck_is_held_while_the_merchant_holds_and_the_other_way_round(world: World) {
        let low = json!({"operation": "refunds.create", "fault": "insufficient_balance", "count": 2});
        world.control("faults", low).await;
        let (_, payment) = overpaid(&world, GOOD).await;
        let kinds = async |wanted: &str| {
            eventually(wanted, || async { world.alert_kinds().await == [wanted] }).await;
        };
        kinds("surplus_stuck").await;
        for _ in 0..2 {
            // The surplus is now held, so no alert claims another try.
            world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Hold).await.unwrap();
            kinds("surplus_held").await;
            world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Refund).await.unwrap();
            eventually("it has been tried again", || async { !world.alert_kinds().await.contains(&"surplus_held".to_owned()) }).await;
        }
        eventually("it is sent back", || async { world.statement(&payment).await.totals.refunded == OVER }).await;
        assert_eq!(world.calls("refunds.create").await.len(), 3);
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}

both! {
    async fn setting_the_policy_walks_through_all_payments_in_small_steps(world: World) {
        world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Hold).await.unwrap();
        let mut held = vec![];
        for _ in 0..3 {
            held.push(overpaid(&world, GOOD).await.1);
            // This payment has no surplus.
            world.paid_with(GOOD).await;
        }
        eventually("all are held", || async {
            world.alert_kinds().await.iter().filter(|kind| *kind == "surplus_held").count() == 3
        })
        .await;
        world.inbox_is_empty().await;
        world.node.stop_background();
        let jobs = async |kind: &'static str| {
            let mut connection = world.engine().store().reader().await.unwrap();
            let count = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM jobs WHERE kind = $1").bind(kind);
            count.fetch_one(&mut *connection).await.unwrap()
        };
        eventually("nothing works on them any more", || async { jobs("surplus").await == 0 }).await;
        world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Refund).await.unwrap();
        assert_eq!((jobs("surplus").await, jobs("policy").await), (0, 1), "one job, however many payments there are");
        // Each step handles two payments, and enqueues the next step before it ends.
        let other = world.tuned_node(|tuning| tuning.walk = 2).await;
        for payment in &held {
            eventually("it is sent back", || async { world.statement(payment).await.totals.refunded == OVER }).await;
        }
        eventually("the walk has ended", || async { jobs("policy").await == 0 }).await;
        assert_eq!(world.calls("refunds.create").await.len(), 3);
        drop(other);
        let nobody = domain::id::MerchantId::from_random([9; 16]);
        assert!(world.engine().merchants(&operator()).set_surplus_policy(&nobody, SurplusPolicy::Hold).await.is_err());
    }
}

both! {
    async fn what_is_paid_too_little_is_partly_paid_whatever_the_policy(world: World) {
        for policy in [SurplusPolicy::Refund, SurplusPolicy::Hold] {
            world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, policy).await.unwrap();
            // In a payment with automatic capture, a partial amount is no choice of the merchant's.
            let session = world.session().await;
            world.start(&session).await;
            let payment = world.payment_of(&session).await;
            let mut event = received(&world, &payment, TOTAL - OVER).await;
            event["data"]["object"]["id"] = json!(format!("pi_{}", random_hex()));
            world.deliver(&event).await;
            world.wait_for(&session, Phase::PartlyPaid).await;
            world.inbox_is_empty().await;
            let statement = world.statement(&payment).await;
            assert!(statement.flags.partially_captured && statement.payment.surplus() == 0);
            assert_eq!((statement.status, statement.totals.captured), (Status::Succeeded, TOTAL - OVER));
            world.page_says(&session, "partly_paid", "25.98").await;
        }
        let twice = 2 * (TOTAL - OVER);
        world.books_say(&[("provider_receivable", twice), ("merchant_payable", -twice)]).await;
        assert!(world.calls("refunds.create").await.is_empty());
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}

both! {
    async fn a_provider_that_takes_another_amount_than_was_owed_is_not_believed(world: World) {
        for (delta, policy) in [(OVER, SurplusPolicy::Refund), (-OVER, SurplusPolicy::Hold)] {
            world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, policy).await.unwrap();
            world.control("webhooks", json!({"amount_delta": delta})).await;
            let session = world.session().await;
            let page = world.start(&session).await;
            world.pay(&page, GOOD).await;
            let payment = world.payment_of(&session).await;
            eventually("it is flagged", || async {
                world.inbox().await.iter().any(|row| row.state == InboxState::Mismatch && row.note.as_ref().is_some_and(|note| note.contains(payment.as_str())))
            })
            .await;
            world.inbox_is_empty().await;
            let statement = world.statement(&payment).await;
            assert_eq!((statement.status, statement.totals.captured), (Status::RequiresPaymentMethod, 0));
            assert_eq!(statement.ledger, vec![]);
            assert_ne!(world.view(&session).await.phase, Phase::Paid);
        }
        let alerts = world.upkeep().alerts(100).await.unwrap();
        let alerts: Vec<_> = alerts.into_iter().filter(|alert| alert.kind == "webhook_mismatch").collect();
        assert_eq!(alerts.len(), 2, "one payment's words do not take the place of another's: {alerts:?}");
        assert!(alerts.iter().all(|alert| alert.detail.contains("30.98") && alert.detail.contains(&alert.subject)), "{alerts:?}");
        world.books_say(&[]).await;
        assert!(world.calls("refunds.create").await.is_empty(), "what is not believed is not sent back");
    }
}

/// A capture that Adyen reports with another amount than requested.
async fn captured_as(world: &World, delta: i64) -> (Token, PaymentId) {
    let (session, payment) = authorised_at_adyen(world).await;
    world.control("faults", json!({"provider": "adyen", "operation": "CAPTURE", "on": "webhook", "fault": "wrong_amount", "amount_delta": delta})).await;
    world.money().capture(&payment, None, true).await.unwrap();
    captured(world, &payment, TOTAL + delta).await;
    (session, payment)
}

both_at_adyen! {
    async fn a_capture_beyond_the_debt_is_held_or_sent_back_by_the_policy(world: World) {
        world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Hold).await.unwrap();
        let (session, held) = captured_as(&world, OVER).await;
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"surplus_held".to_owned()) }).await;
        world.books_say(&[("provider_receivable", TOTAL + OVER), ("merchant_payable", -TOTAL), ("suspense", -OVER)]).await;
        world.page_says(&session, "overpaid", "You have paid too much").await;
        world.money().refund(&held, Some(OVER)).await.unwrap();
        refunded(&world, &held, OVER).await;
        world.books_say(&[("provider_receivable", TOTAL), ("merchant_payable", -TOTAL)]).await;

        world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Refund).await.unwrap();
        let (session, back) = captured_as(&world, OVER).await;
        refunded(&world, &back, OVER).await;
        world.inbox_is_empty().await;
        world.books_say(&[("provider_receivable", 2 * TOTAL), ("merchant_payable", -2 * TOTAL)]).await;
        assert_eq!(world.statement(&back).await.payment.attempts[0].book.refunds.len(), 1);
        world.page_says(&session, "paid", "Payment complete").await;
    }
}

both_at_adyen! {
    async fn a_surplus_whose_refund_fails_at_adyen_is_sent_again_and_the_reason_is_told(world: World) {
        let (_other, clock) = world.ahead().await;
        let (_, payment) = captured_as(&world, OVER).await;
        refunded(&world, &payment, OVER).await;
        world.control(&format!("adyen/payments/{}/refund_failed", crate::adyen::psp(&world, &payment).await), json!({})).await;
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"surplus_stuck".to_owned()) }).await;
        let (text, times) = world.alert("surplus_stuck").await;
        assert!(text.contains("Refused by the bank") && text.contains("EUR 5.00") && times == 1, "{text}");
        clock.by(MINUTE + SECOND);
        refunded(&world, &payment, OVER).await;
        assert_eq!(crate::adyen::calls(&world, "payments.refund").await.len(), 2);
        world.books_say(&[("provider_receivable", TOTAL), ("merchant_payable", -TOTAL)]).await;
    }
}

both_at_adyen! {
    async fn a_last_capture_of_less_than_the_debt_is_partly_collected(world: World) {
        let (session, payment) = captured_as(&world, -OVER).await;
        let statement = world.statement(&payment).await;
        assert!(statement.flags.partially_captured && statement.payment.surplus() == 0);
        world.books_say(&[("provider_receivable", TOTAL - OVER), ("merchant_payable", OVER - TOTAL)]).await;
        world.page_says(&session, "partly_collected", "25.98").await;
    }
}
