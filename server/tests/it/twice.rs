//! One debt that is paid twice, with refunds of the order in between, and refunds that exceed the captures.

use domain::checkout::Phase;
use domain::id::{PaymentId, Token};
use engine::store::merchants::SurplusPolicy;
use serde_json::json;
use sqlx::{AssertSqlSafe, query};

use crate::deliveries::notice;
use crate::money::paid_twice_soon;
use crate::world::{World, eventually, operator, random_hex, seconds};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";
const TOTAL: i64 = 3098;

async fn execute(world: &World, statement: &str) {
    let mut tx = world.engine().store().begin().await.unwrap();
    query(AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// A refund of the first payment in the provider's dashboard.
async fn refund_first(world: &World, payment: &PaymentId, amount: i64) {
    tell_refund(world, payment, &format!("re_{}", random_hex()), amount, "succeeded").await;
}

async fn tell_refund(world: &World, payment: &PaymentId, reference: &str, amount: i64, status: &str) {
    let attempt = world.statement(payment).await.payment.attempts[0].clone();
    let refund = json!({
        "id": reference, "object": "refund", "status": status, "amount": amount, "currency": "eur",
        "payment_intent": attempt.refs.payment, "metadata": {"till_attempt": attempt.id}
    });
    let kind = if status == "failed" { "refund.failed" } else { "refund.created" };
    world
        .deliver(&json!({"id": format!("evt_{}", random_hex()), "object": "event", "type": kind,
            "created": seconds(), "livemode": false, "data": {"object": refund}}))
        .await;
    world.inbox_is_empty().await;
}

/// A debt that was paid, partly refunded, and then paid once more.
async fn refunded_and_paid_again(world: &World, refunded: i64) -> (Token, PaymentId) {
    let (session, payment, page) = paid_twice_soon(world).await;
    refund_first(world, &payment, refunded).await;
    assert_eq!(world.statement(&payment).await.totals.refunded, refunded);
    world.pay(&page, GOOD).await;
    eventually("paid twice", || async { world.statement(&payment).await.totals.captured == 2 * TOTAL }).await;
    (session, payment)
}

both! {
    async fn a_second_payment_goes_back_although_the_order_was_refunded(world: World) {
        let (session, payment) = refunded_and_paid_again(&world, TOTAL).await;
        eventually("it is sent back", || async { world.statement(&payment).await.totals.refunded == 2 * TOTAL }).await;
        world.inbox_is_empty().await;
        let statement = world.statement(&payment).await;
        let back: Vec<i64> = statement.payment.attempts.iter().map(|one| one.book.refunds_begun()).collect();
        assert_eq!((back, statement.flags.refunded), (vec![TOTAL, TOTAL], true));
        assert_eq!(world.provider("/v1/refunds").await["data"].as_array().unwrap().len(), 1);
        world.books_say(&[]).await;
        world.page_says(&session, "refunded", "30.98").await;
    }
}

both! {
    async fn a_part_refunded_of_the_order_is_no_part_of_a_second_payment(world: World) {
        let (session, payment) = refunded_and_paid_again(&world, 1000).await;
        eventually("it is sent back", || async { world.statement(&payment).await.totals.refunded == 1000 + TOTAL }).await;
        world.inbox_is_empty().await;
        world.books_say(&[("provider_receivable", TOTAL - 1000), ("merchant_payable", 1000 - TOTAL)]).await;
        world.page_says(&session, "partly_refunded", "10.00").await;
        let shown = world.till_says(&["payment", "show", payment.as_str()]).await;
        assert!(shown.contains("took EUR 0.00 of the debt and EUR 30.98 beyond it; EUR 30.98 has gone back"), "{shown}");
    }
}

both! {
    async fn a_second_payment_is_held_whole_and_kept_whole(world: World) {
        world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Hold).await.unwrap();
        let (session, payment) = refunded_and_paid_again(&world, 1000).await;
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"surplus_held".to_owned()) }).await;
        world.books_say(&[("provider_receivable", 2 * TOTAL - 1000), ("merchant_payable", 1000 - TOTAL), ("suspense", -TOTAL)]).await;
        world.page_says(&session, "overpaid", "61.96").await;
        let kept = world.money().keep(&payment).await.unwrap().payment;
        assert_eq!(kept.attempts.iter().map(|one| one.kept).collect::<Vec<_>>(), [0, TOTAL], "of the second");
        world.books_say(&[("provider_receivable", 2 * TOTAL - 1000), ("merchant_payable", 1000 - 2 * TOTAL)]).await;
        world.page_says(&session, "overpaid_kept", "has sent back").await;
        refund_first(&world, &payment, TOTAL - 1000).await;
        world.books_say(&[("provider_receivable", TOTAL), ("merchant_payable", -TOTAL)]).await;
        world.page_says(&session, "paid", "Payment complete").await;
    }
}

both! {
    async fn a_person_hears_of_more_refunded_than_captured_unless_the_capture_was_only_late(world: World) {
        let (_, paid) = world.paid_with(GOOD).await;
        let (session, unpaid) = world.authorised().await;
        refund_first(&world, &unpaid, 1000).await;
        tell_refund(&world, &paid, "re_impossible", TOTAL + 1, "succeeded").await;
        world.books_say(&[("provider_receivable", -1001), ("suspense", 1001)]).await;
        assert_eq!(world.alert_kinds().await, Vec::<String>::new(), "what is missing may be on its way");
        world.money().capture(&unpaid, None, true).await.unwrap();
        world.wait_for(&session, Phase::PartlyRefunded).await;
        execute(&world, "UPDATE jobs SET run_at = 0 WHERE kind = 'overdrawn'").await;
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"money_impossible".to_owned()) }).await;
        let (text, times) = world.alert("money_impossible").await;
        let attempt = world.statement(&paid).await.payment.attempts[0].id.clone();
        assert!(text.contains(paid.as_str()) && text.contains(attempt.as_str()) && times == 1, "{text}");
        assert!(text.contains("EUR 30.98 was captured") && text.contains("EUR 30.99 was refunded"), "{text}");
        // The provider takes the refund back, so the amounts are possible again.
        tell_refund(&world, &paid, "re_impossible", TOTAL + 1, "failed").await;
        world.alert_is_closed("money_impossible").await;
    }
}

both! {
    async fn a_book_that_was_tampered_with_is_found(world: World) {
        let (_, payment) = refunded_and_paid_again(&world, TOTAL).await;
        eventually("it is sent back", || async { world.statement(&payment).await.totals.refunded == 2 * TOTAL }).await;
        world.books_are_right().await;
        // The posting to suspense is reversed once too often.
        let surplus = format!("source_id = '{payment}' AND number = (SELECT MIN(number) FROM entries WHERE business = 'surplus')");
        execute(&world, &format!("INSERT INTO transactions SELECT source, source_id, 99999, merchant_id, live, posted_by, approved_by, at
            FROM transactions WHERE {surplus}")).await;
        execute(&world, &format!("INSERT INTO entries SELECT source_id, 99999, line, business, account, party, currency, -amount
            FROM entries WHERE {surplus} AND business = 'surplus'")).await;
        let (_, wrong) = world.upkeep().audit_ledger().await.unwrap();
        let wrong: Vec<_> = wrong.iter().map(|one| (one.account.as_str(), one.found, one.expected)).collect();
        let kept = |account: &str| format!("kept balance of {}, test: EUR {account}", world.merchant);
        let (payable, suspense) = (kept("merchant_payable"), kept("suspense"));
        assert_eq!(wrong, [("merchant_payable", -TOTAL, 0), ("suspense", TOTAL, 0), (&payable, 0, -TOTAL), (&suspense, 0, TOTAL)]);
        let refused = world.till_refuses(&["ledger", "check"], 1).await;
        assert!(refused.contains("4 disagreements"), "{refused}");
    }
}

/// Two authorisations of one debt, both uncaptured. The second was made on a page that could not be closed in time.
async fn authorised_twice(world: &World) -> (Token, PaymentId) {
    world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Hold).await.unwrap();
    let session = world.session_to_capture().await;
    world.start(&session).await;
    world.checkout().cancel(&session).await.unwrap();
    world.start(&session).await;
    let payment = world.payment_of(&session).await;
    for number in [0, 1] {
        told(world, &payment, number, "AUTHORISATION", TOTAL).await;
    }
    let attempts = world.statement(&payment).await.payment.attempts;
    assert_eq!(
        attempts.iter().map(|one| (one.book.authorised, one.second)).collect::<Vec<_>>(),
        [(TOTAL, false), (TOTAL, true)]
    );
    (session, payment)
}

/// Delivers Adyen's webhook about an action on an attempt that was made there, not by Till.
async fn told(world: &World, payment: &PaymentId, number: usize, code: &str, amount: i64) {
    let attempt = world.statement(payment).await.payment.attempts[number].id.clone();
    let (first, own) = (format!("PAY{number}"), format!("{code}{number}"));
    let (psp, original) = if code == "AUTHORISATION" { (first, String::new()) } else { (own, first) };
    let item = json!({"eventCode": code, "success": "true", "pspReference": psp, "originalReference": original,
        "merchantAccountCode": "HarbourBooks", "merchantReference": format!("{attempt}-m"), "reason": "",
        "amount": {"value": amount, "currency": "EUR"}});
    assert_eq!(notice(world, &item).await.status, 202);
    world.inbox_is_empty().await;
}

both_at_adyen! {
    async fn what_is_paid_after_the_merchant_took_less_is_too_much_wholly(world: World) {
        let (session, payment) = authorised_twice(&world).await;
        told(&world, &payment, 0, "CAPTURE", 1000).await;
        let refused = world.checkout().start(&session, domain::method::Method::Card, None).await;
        assert!(refused.is_err() || world.statement(&payment).await.payment.attempts.len() == 2, "more may be captured: nobody can pay");
        told(&world, &payment, 0, "EXPIRE", TOTAL - 1000).await;
        world.page_says(&session, "partly_collected", "10.00").await;
        told(&world, &payment, 1, "CAPTURE", TOTAL).await;
        let statement = world.statement(&payment).await;
        assert_eq!((statement.payment.surplus(), statement.payment.taken_for_order()), (TOTAL, 1000));
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"surplus_held".to_owned()) }).await;
        world.books_say(&[("provider_receivable", TOTAL + 1000), ("merchant_payable", -1000), ("suspense", -TOTAL)]).await;
        world.page_says(&session, "overpaid", "takes only").await;
        told(&world, &payment, 1, "REFUND", TOTAL).await;
        world.books_say(&[("provider_receivable", 1000), ("merchant_payable", -1000)]).await;
        world.page_says(&session, "partly_collected", "10.00").await;
    }
}

both_at_adyen! {
    async fn of_two_authorisations_the_one_captured_first_pays_and_the_other_is_too_much(world: World) {
        let (session, payment) = authorised_twice(&world).await;
        told(&world, &payment, 1, "CAPTURE", TOTAL).await;
        let statement = world.statement(&payment).await;
        assert_eq!(statement.payment.attempts.iter().map(|one| one.second).collect::<Vec<_>>(), [true, false]);
        assert_eq!(statement.payment.surplus(), 0);
        world.books_say(&[("provider_receivable", TOTAL), ("merchant_payable", -TOTAL)]).await;
        world.page_says(&session, "paid", "Payment complete").await;
        let shown = world.till_says(&["payment", "show", payment.as_str()]).await;
        assert!(shown.contains("was captured first and pays the debt"), "{shown}");
        // Both were reported, because each was too much at the time of its report. The alert about the one that pays is
        // closed.
        let alerts = world.alert_kinds().await.iter().filter(|kind| *kind == "second_success").count();
        assert_eq!((world.told(&payment, "payment.second_success").await, alerts), (2, 1));
        told(&world, &payment, 0, "CAPTURE", TOTAL).await;
        let after = world.statement(&payment).await.payment;
        assert_eq!((after.surplus(), after.wanted_back().map(|(one, _)| one.id.clone())), (TOTAL, Some(after.attempts[0].id.clone())));
        world.books_say(&[("provider_receivable", 2 * TOTAL), ("merchant_payable", -TOTAL), ("suspense", -TOTAL)]).await;
    }
}

both_at_adyen! {
    async fn of_two_authorisations_only_what_can_be_done_is_advised(world: World) {
        let (_, payment) = authorised_twice(&world).await;
        let id = payment.as_str();
        let attempts = world.statement(&payment).await.payment.attempts;
        let void = |number: usize| format!("till payment void {id} --attempt {}", attempts[number].id);
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"surplus_held".to_owned()) }).await;
        let (text, _) = world.alert("surplus_held").await;
        assert!(text.contains(&void(1)) && text.contains("only after it is captured") && !text.contains("till payment keep"), "{text}");
        let refused = world.till_refuses(&["payment", "keep", id], 1).await;
        assert!(refused.contains(&void(1)) && refused.contains("only authorised"), "{refused}");
        for command in ["refund", "cancel"] {
            let refused = world.till_refuses(&["payment", command, id], 1).await;
            assert!(refused.contains(&void(0)) && refused.contains(&void(1)), "{command}: {refused}");
        }
        told(&world, &payment, 0, "CANCELLATION", TOTAL).await;
        let refused = world.till_refuses(&["payment", "cancel", id], 1).await;
        assert!(refused.contains(&void(1)) && !refused.contains(&void(0)) && !refused.contains("already succeeded"), "{refused}");
        // After its capture this attempt pays the debt. A later capture of the other would exceed the debt, and could
        // be kept.
        told(&world, &payment, 1, "CAPTURE", TOTAL).await;
        assert!(world.till_refuses(&["payment", "cancel", id], 1).await.contains("already succeeded"));
    }
}
