//! Released authorisations as old API versions of Stripe report them to accounts and endpoints: as refunds.

use domain::checkout::Phase;
use domain::id::PaymentId;
use domain::payment::{Outcome, Status};
use serde_json::{Value, json};

use crate::both;
use crate::world::{World, eventually, random_hex, seconds};

/// The last version that reports a release as a refund.
const OLD: &str = "2025-02-24.acacia";

fn told(kind: &str, object: Value) -> Value {
    json!({"id": format!("evt_{}", random_hex()), "object": "event", "type": kind, "api_version": OLD, "created": seconds(),
        "livemode": false, "request": {"id": null, "idempotency_key": null}, "data": {"object": object}})
}

/// Delivers a release in the form of an old version.
async fn tell_release(world: &World, payment: &PaymentId, amount: i64, captured: Value, reason: Value) {
    let intent = world.intent_of(payment).await;
    let refund = json!({"id": format!("re_{}", random_hex()), "object": "refund", "charge": "ch_1", "payment_intent": intent,
        "amount": amount, "currency": "eur", "status": "succeeded", "reason": reason, "balance_transaction": null, "metadata": {}});
    let charge = json!({"id": "ch_1", "object": "charge", "payment_intent": intent, "amount": 3098, "amount_captured": captured,
        "captured": captured != Value::Null, "amount_refunded": amount, "currency": "eur", "metadata": {}});
    for event in
        [told("refund.created", refund.clone()), told("charge.refunded", charge), told("charge.refund.updated", refund)]
    {
        world.deliver(&event).await;
    }
    world.inbox_is_empty().await;
}

both! {
    async fn what_a_partial_capture_lets_go_of_is_not_refunded(world: World) {
        let (session, payment) = world.authorised().await;
        world.money().capture(&payment, Some(1000), true).await.unwrap();
        tell_release(&world, &payment, 2098, json!(1000), Value::Null).await;
        let totals = world.statement(&payment).await.totals;
        assert_eq!((totals.captured, totals.refunded, totals.refund_pending), (1000, 0, 0));
        world.books_say(&[("provider_receivable", 1000), ("merchant_payable", -1000)]).await;
        assert_eq!(world.phase(&session).await, Phase::PartlyCollected);
        let refund = world.money().refund(&payment, None).await.unwrap();
        assert_eq!((refund.outcome, refund.modification.amount()), (Outcome::Succeeded, 1000), "all that was taken goes back");
        world.inbox_is_empty().await;
        assert_eq!(world.statement(&payment).await.totals.refunded, 1000);
        assert_eq!(world.told(&payment, "refund.succeeded").await, 1);
        world.books_say(&[]).await;
    }
}

both! {
    async fn an_authorisation_that_runs_out_owes_nobody_anything(world: World) {
        let (_, payment) = world.authorised().await;
        tell_release(&world, &payment, 3098, Value::Null, json!("expired_uncaptured_charge")).await;
        let statement = world.statement(&payment).await;
        assert_eq!((statement.totals.captured, statement.totals.refunded), (0, 0));
        assert!(!statement.flags.refunded && statement.told.iter().all(|name| !name.starts_with("refund")), "{:?}", statement.told);
        assert!(world.money().capture(&payment, None, true).await.is_err(), "there is nothing left to capture");
        world.books_say(&[]).await;
        assert!(!world.alert_kinds().await.contains(&"webhook_unreadable".to_owned()));
    }
}

/// Sets the simulator's account to an old version, so that the simulator sends this form.
async fn on_old_version(world: &World) {
    world.control("stripe/version", json!({"account": world.secret_key, "api_version": OLD})).await;
}

both! {
    async fn an_account_on_an_old_version_keeps_the_books_of_one_on_the_newest(world: World) {
        on_old_version(&world).await;
        let (_, part) = world.authorised().await;
        world.money().capture(&part, Some(1000), true).await.unwrap();
        let (session, void) = world.authorised().await;
        assert_eq!(world.money().void(&void).await.unwrap().outcome, Outcome::Succeeded);
        let (_, late) = world.authorised().await;
        world.control(&format!("stripe/payments/{}/run_out", world.intent_of(&late).await), json!({})).await;
        let events = world.provider("/v1/events?type=charge.refunded&limit=10").await;
        assert_eq!(events["data"].as_array().unwrap().len(), 3, "the simulator tells three releases: {events}");
        assert_eq!(events["data"][0]["api_version"], OLD);
        eventually("it has run out", || async { world.statement(&late).await.status == Status::RequiresPaymentMethod }).await;
        world.inbox_is_empty().await;
        for (payment, captured) in [(&part, 1000), (&void, 0), (&late, 0)] {
            let statement = world.statement(payment).await;
            assert_eq!((statement.totals.captured, statement.totals.refunded), (captured, 0), "{statement:#?}");
            assert!(statement.told.iter().all(|name| !name.starts_with("refund")), "{:?}", statement.told);
        }
        assert_eq!(world.phase(&session).await, Phase::Cancelled);
        world.books_say(&[("provider_receivable", 1000), ("merchant_payable", -1000)]).await;
        world.money().refund(&part, Some(400)).await.unwrap();
        world.inbox_is_empty().await;
        assert_eq!(world.money().refund(&part, None).await.unwrap().modification.amount(), 600);
        world.inbox_is_empty().await;
        assert_eq!(world.statement(&part).await.totals.refunded, 1000);
        world.books_say(&[]).await;
        assert!(!world.alert_kinds().await.iter().any(|kind| kind.starts_with("webhook")), "{:?}", world.alert_kinds().await);
    }
}

both! {
    async fn a_refund_of_the_dashboard_is_told_from_a_release_on_an_old_version(world: World) {
        on_old_version(&world).await;
        let (_, payment) = world.authorised().await;
        world.money().capture(&payment, Some(1000), true).await.unwrap();
        let intent = world.intent_of(&payment).await;
        world.at_provider("/v1/refunds", &format!("payment_intent={intent}&amount=400")).await;
        crate::adyen::refunded(&world, &payment, 400).await;
        world.inbox_is_empty().await;
        assert_eq!(world.statement(&payment).await.totals.refunded, 400);
        world.books_say(&[("provider_receivable", 600), ("merchant_payable", -600)]).await;
    }
}
