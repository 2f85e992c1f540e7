//! Facts that would break a rule that protects money. Every build refuses them, raises an alert, and keeps the
//! delivery.

use domain::MINUTE;
use domain::checkout::Phase;
use domain::payment::Status;
use engine::store::inbox::InboxState;
use sqlx::query;

use crate::toy::{Provider, both_at_toy, deliver};
use crate::world::{Told, World, eventually};

/// Changes the stored payment by hand: canceled although a page is open, a state that no fact can cause.
async fn tamper(world: &World, canceled: i64) {
    let mut tx = world.engine().store().begin().await.unwrap();
    query("UPDATE payments SET canceled = $1").bind(canceled).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

both_at_toy! {
    "toy", "form",
    async fn a_delivery_that_would_break_a_rule_changes_nothing_and_is_kept(world: World, toy: Provider) {
        let (_other, clock) = world.ahead().await;
        let session = world.session().await;
        world.start(&session).await;
        let (page, payment) = (toy.page(), world.payment_of(&session).await);
        tamper(&world, 1).await;
        let before = world.statement(&payment).await.payment;
        toy.pay(&page);
        assert_eq!(deliver(&world, &toy.event(&page)).await, 200);
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"payment_breach".to_owned()) }).await;
        let (text, _) = world.alert("payment_breach").await;
        assert!(text.contains(payment.as_str()) && text.contains("is in no table"), "{text}");
        assert_eq!(world.statement(&payment).await.payment, before, "nothing was changed");
        assert_eq!(world.inbox().await[0].state, InboxState::Pending, "the delivery is kept");
        // The delivery is applied once the payment is repaired.
        tamper(&world, 0).await;
        clock.by(60 * MINUTE);
        world.wait_for(&session, Phase::Paid).await;
        world.alert_is_closed("payment_breach").await;
        assert_eq!(world.statement(&payment).await.payment.status(), Status::Succeeded);
        world.books_are_right().await;
    }
}

both_at_toy! {
    "toy", "form",
    async fn a_request_that_would_break_a_rule_is_refused_with_words(world: World, toy: Provider) {
        let session = world.session().await;
        world.start(&session).await;
        toy.pay(&toy.page());
        assert_eq!(deliver(&world, &toy.event(&toy.page())).await, 200);
        world.wait_for(&session, Phase::Paid).await;
        let payment = world.payment_of(&session).await;
        // The attempt is paid and yet its page is being closed. No refund of such an attempt may be requested.
        let mut tx = world.engine().store().begin().await.unwrap();
        let tampered = "UPDATE attempts SET data = replace(data, '\"stage\":\"closed\"', '\"stage\":\"closing\"')";
        query(tampered).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let refund = world.money().refund(&payment, Some(100)).await;
        assert!(refund.is_err_and(|error| error.told().contains("a rule that protects money")));
        assert_eq!(toy.refunds(&toy.page()), 0);
        assert!(world.alert_kinds().await.contains(&"payment_breach".to_owned()));
    }
}
