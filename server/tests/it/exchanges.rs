//! The records of the exchanges with providers hold enough for support, and no data about persons, cards or keys.

use domain::checkout::Phase;
use domain::id::Token;
use domain::method::Method;

use crate::toy::{Provider, both_at_toy};
use crate::world::{World, eventually};
use crate::{both, both_at_adyen};

/// The lines recorded about the attempts of a session, in order.
async fn written(world: &World, session: &Token) -> Vec<String> {
    let payment = world.payment_of(session).await;
    let attempts = world.statement(&payment).await.payment.attempts;
    let mut connection = world.engine().store().reader().await.unwrap();
    let mut lines = vec![];
    for attempt in attempts {
        let exchanges =
            engine::store::exchanges::of_attempt(&mut connection, &world.scope(), &attempt.id).await.unwrap();
        lines.extend(
            exchanges.iter().map(|one| format!("{} {} -> {:?} {}", one.operation, one.request, one.status, one.reply)),
        );
    }
    lines
}

/// The newest line about an operation.
async fn about(world: &World, session: &Token, operation: &str) -> String {
    eventually(operation, || async {
        written(world, session).await.iter().any(|line| line.starts_with(&format!("{operation} ")))
    })
    .await;
    written(world, session).await.into_iter().rfind(|line| line.starts_with(&format!("{operation} "))).unwrap()
}

async fn look(world: &World) {
    let mut tx = world.engine().store().begin().await.unwrap();
    sqlx::query("UPDATE jobs SET run_at = 0 WHERE kind = 'check'").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

fn keeps(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
}

/// Checks that the lines hold no persons, cards, keys, addresses of pages or names of goods.
fn hides(world: &World, session: &Token, lines: &[String]) {
    let private = [
        world.secret_key.as_str(),
        &world.webhook_secret,
        session.as_str(),
        "4242424242424242",
        "4000000000000002",
        "4111111111111111",
        "Shopper",
        "=Tea",
        "\"Tea\"",
        "=Cup",
        "\"Cup\"",
        "http",
        "_secret_",
    ];
    for line in lines {
        for word in private {
            assert!(!line.contains(word), "{word} is in {line}");
        }
    }
}

both! {
    async fn stripes_say_what_support_needs_and_no_more(world: World) {
        let session = world.session().await;
        let page = world.start(&session).await;
        let attempt = world.statement(&world.payment_of(&session).await).await.payment.attempts[0].clone();
        let opened = about(&world, &session, "checkout.sessions.create").await;
        let reference = attempt.refs.session.clone().unwrap();
        keeps(&opened, &["POST /v1/checkout/sessions mode=payment", attempt.id.as_str(), "[unit_amount]=1299", "[name]=***", "Some(200)"]);
        keeps(&opened, &[&format!(r#""id":"{reference}""#), r#""amount_total":3098"#, r#""currency":"eur""#, r#""status":"open""#, r#""url":"***""#]);
        world.pay(&page, "4000000000000002").await;
        eventually("it was refused", || async { matches!(world.phase(&session).await, Phase::Declined(_)) }).await;
        look(&world).await;
        let fetched = about(&world, &session, "checkout.sessions.retrieve").await;
        keeps(&fetched, &["card_declined", "generic_decline", "requires_payment_method", r#""message":"***""#]);
        world.pay(&page, "4242424242424242").await;
        world.wait_for(&session, Phase::Paid).await;
        let payment = world.payment_of(&session).await;
        world.money().refund(&payment, Some(500)).await.unwrap();
        let refunded = about(&world, &session, "refunds.create").await;
        keeps(&refunded, &["amount=500", "metadata[till_modification]=mod_", r#""status":"succeeded""#, r#""id":"re_"#]);
        hides(&world, &session, &written(&world, &session).await);
    }
}

both_at_adyen! {
    async fn adyens_say_what_support_needs_and_no_more(world: World) {
        let session = world.session().await;
        let page = world.start(&session).await;
        let attempt = world.statement(&world.payment_of(&session).await).await.payment.attempts[0].clone();
        let opened = about(&world, &session, "payment_links.create").await;
        let reference = attempt.refs.session.clone().unwrap();
        keeps(&opened, &["POST /v72/paymentLinks", attempt.id.as_str(), &reference, r#""amount":{"currency":"EUR","value":3098}"#]);
        keeps(&opened, &[r#""status":"active""#, r#""returnUrl":"***""#, r#""description":"***""#]);
        world.pay_at_adyen(&page, "A. Shopper").await;
        world.wait_for(&session, Phase::Paid).await;
        let payment = world.payment_of(&session).await;
        world.money().refund(&payment, Some(500)).await.unwrap();
        let refunded = about(&world, &session, "payments.refunds").await;
        keeps(&refunded, &[r#""reference":"mod_"#, r#""status":"received""#, r#""pspReference":""#, r#""value":500"#]);
        assert!(!refunded.contains(r#""pspReference":"***""#), "{refunded}");
        hides(&world, &session, &written(&world, &session).await);
    }
}

both_at_toy! {
    "toy", "form",
    async fn a_token_that_a_provider_puts_into_its_reply_is_hidden(world: World, toy: Provider) {
        let session = world.session().await;
        assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), engine::Started::Redirect);
        let opened = about(&world, &session, "pages.create").await;
        keeps(&opened, &[&format!(r#""id":"{}""#, toy.page()), r#""status":"open""#, r#""token":"***""#, r#""fields":{"page":"***","sum":"***"}"#]);
        assert!(!opened.contains("oauth") && !opened.contains("0123456789"), "{opened}");
    }
}
