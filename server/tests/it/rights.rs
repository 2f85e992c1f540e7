//! Keys without a right that Till needs, and prices in a currency that the merchant did not choose.

use domain::checkout::Phase;
use domain::payment::Outcome;
use serde_json::json;

use crate::both;
use crate::world::{World, eventually, random_hex};

const GOOD: &str = "4242424242424242";

/// Gives the account a restricted key with these rights.
async fn restrict(world: &World, rights: &[&str]) {
    let key = format!("rk_test_{}", random_hex());
    world.control("stripe/keys", json!({"key": key, "account": world.secret_key, "rights": rights})).await;
    world.accounts().set_credential(&world.account_id(), "secret_key", &key).await.unwrap();
}

/// Makes every job due: the one that lists events, and the refused one.
async fn hasten(world: &World) {
    let mut tx = world.engine().store().begin().await.unwrap();
    sqlx::query("UPDATE jobs SET run_at = 0").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn rights_alert(world: &World, request: &str) -> String {
    let alerts = world.upkeep().alerts(100).await.unwrap();
    assert!(alerts.iter().all(|alert| !alert.detail.contains("..")), "{alerts:?}");
    let about =
        |alert: &&engine::store::alerts::Alert| alert.kind == "provider_rights" && alert.subject.ends_with(request);
    alerts.iter().find(about).unwrap_or_else(|| panic!("no alert about {request}: {alerts:?}")).detail.clone()
}

both! {
    async fn a_missing_right_is_told_at_the_first_answer_with_what_to_grant(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        restrict(&world, &["checkout_session_write", "payment_intent_write"]).await;
        let asked = world.money().refund(&payment, Some(100)).await.unwrap();
        assert_eq!(asked.outcome, Outcome::Requested, "it goes out when the key may");
        let text = rights_alert(&world, "refunds.create").await;
        assert!(text.contains("Charges and Refunds: Write") && text.contains("rak_charge_write"), "{text}");
        hasten(&world).await;
        eventually("the job has been refused", || async {
            world.upkeep().alerts(100).await.unwrap().iter().any(|alert| alert.subject.ends_with("events.list"))
        })
        .await;
        let text = rights_alert(&world, "events.list").await;
        assert!(text.contains("Events: Read") && text.contains("rak_event_read"), "{text}");
        restrict(&world, &["checkout_session_read"]).await;
        let session = world.session().await;
        let _ = world.checkout().start(&session, domain::method::Method::Card, None).await;
        assert!(rights_alert(&world, "checkout.sessions.create").await.contains("Checkout Sessions: Write"));
        let rights = ["checkout_session_write", "payment_intent_write", "charge_write", "event_read"];
        restrict(&world, &rights).await;
        hasten(&world).await;
        crate::adyen::refunded(&world, &payment, 100).await;
        world.paid_with(GOOD).await;
        hasten(&world).await;
        world.alert_is_closed("provider_rights").await;
    }
}

both! {
    async fn what_was_refused_for_a_missing_right_is_not_said_to_wait_for_an_answer(world: World) {
        let (session, payment) = world.authorised().await;
        restrict(&world, &["checkout_session_write"]).await;
        let asked = world.money().capture(&payment, None, true).await.unwrap();
        assert_eq!(asked.outcome, Outcome::Requested, "it goes out when the key may");
        for command in ["void", "capture", "refund"] {
            let refused = world.till_refuses(&["payment", command, payment.as_str()], 1).await;
            let says = ["a capture", "handed over yet", "`till alerts`", "is sent when the right is there"];
            assert!(says.iter().all(|says| refused.contains(says)), "{command}: {refused}");
            assert!(!refused.contains("has not answered"), "{command}: {refused}");
        }
        rights_alert(&world, "payment_intents.capture").await;
        restrict(&world, &["checkout_session_write", "payment_intent_write", "charge_write", "event_read"]).await;
        hasten(&world).await;
        world.wait_for(&session, Phase::Paid).await;
    }
}

both! {
    async fn a_key_that_is_not_accepted_is_told_at_the_first_answer(world: World) {
        // The key is longer than any that the simulator knows.
        let key = format!("sk_test_{}", "abc".repeat(67));
        world.accounts().set_credential(&world.account_id(), "secret_key", &key).await.unwrap();
        let session = world.session().await;
        let _ = world.checkout().start(&session, domain::method::Method::Card, None).await;
        let (text, times) = world.alert("provider_credentials").await;
        assert!(text.contains("checkout.sessions.create") && text.contains("set-credential") && times >= 1, "{text}");
        assert!(!text.contains(&key), "{text}");
        world.accounts().set_credential(&world.account_id(), "secret_key", &world.secret_key).await.unwrap();
        world.paid_with(GOOD).await;
        world.alert_is_closed("provider_credentials").await;
    }
}

both! {
    async fn adaptive_pricing_is_asked_to_be_off_and_the_debt_is_paid_in_its_own_currency(world: World) {
        world.control("stripe/version", json!({"account": world.secret_key, "api_version": "2025-02-24.acacia"})).await;
        world.control("stripe/pricing", json!({"account": world.secret_key, "currency": "usd", "rate_permille": 1100})).await;
        let (session, payment) = world.paid_with(GOOD).await;
        world.inbox_is_empty().await;
        assert_eq!((world.phase(&session).await, world.statement(&payment).await.totals.captured), (Phase::Paid, 3098));
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
        let session = world.provider("/v1/checkout/sessions").await["data"][0].clone();
        assert_eq!(session["adaptive_pricing"], json!({"enabled": false}));
        // Without this setting the simulator would have charged another currency.
        let form = "mode=payment&success_url=http://127.0.0.1/s&line_items[0][quantity]=1&line_items[0][price_data][currency]=eur\
            &line_items[0][price_data][unit_amount]=1000&line_items[0][price_data][product_data][name]=Tea";
        let made = world.at_provider("/v1/checkout/sessions", form).await;
        assert_eq!(made["adaptive_pricing"], json!({"enabled": true}));
        world.pay(made["url"].as_str().unwrap(), GOOD).await;
        let told = world.provider("/v1/events?type=checkout.session.completed").await["data"][0]["data"]["object"].clone();
        assert_eq!((&told["currency"], &told["amount_total"]), (&json!("usd"), &json!(1100)), "{told}");
        assert_eq!(told["currency_conversion"]["source_currency"], "eur");
    }
}
