//! Money that banks take back: disputes at Stripe with their evidence dates, chargebacks at Adyen, returned bank
//! debits.

use domain::checkout::Phase;
use domain::id::{PaymentId, Token};
use domain::link::Usage;
use domain::method::Method;
use domain::payment::{DisputeState, Status};
use engine::{NewLink, Started};
use serde_json::{Value, json};

use crate::adyen::{paid as paid_at_adyen, psp};
use crate::world::{Told, World, eventually, random_hex, seconds};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";
const TOTAL: i64 = 3098;
const DEBIT: i64 = 2500;
const PAID: [(&str, i64); 2] = [("provider_receivable", TOTAL), ("merchant_payable", -TOTAL)];
const HELD: [(&str, i64); 2] = [("disputes", TOTAL), ("merchant_payable", -TOTAL)];

/// Opens a dispute at the provider, waits until Till knows it, and returns the provider's object.
async fn disputed(world: &World, payment: &PaymentId) -> Value {
    let intent = world.intent_of(payment).await;
    world.control("disputes", json!({"payment_intent": intent})).await;
    eventually("disputed", || async { world.statement(payment).await.flags.disputed }).await;
    world.inbox_is_empty().await;
    world.provider("/v1/disputes").await["data"][0].clone()
}

async fn decide(world: &World, dispute: &Value, status: &str) {
    let id = dispute["id"].as_str().unwrap();
    world.control(&format!("disputes/{id}/close"), json!({"status": status})).await;
}

both! {
    async fn a_dispute_names_the_day_until_which_it_can_be_answered(world: World) {
        let (session, payment) = world.paid_with(GOOD).await;
        let dispute = disputed(&world, &payment).await;
        let due = dispute["evidence_details"]["due_by"].as_i64().unwrap() * 1000;
        let (text, times) = world.alert("dispute_opened").await;
        assert!(text.contains(payment.as_str()) && text.contains(dispute["id"].as_str().unwrap()), "{text}");
        assert!(text.contains(&domain::time::format(due)) && text.contains("EUR 30.98") && times == 1, "{times} times: {text}");
        let statement = world.statement(&payment).await;
        let known = statement.payment.attempts[0].book.disputes.values().next().cloned().unwrap();
        assert_eq!((known.state, known.due, known.amount), (DisputeState::Open, Some(due), TOTAL));
        assert_eq!((statement.status, statement.totals.captured, statement.totals.charged_back), (Status::Succeeded, TOTAL, TOTAL));
        assert_eq!(world.told(&payment, "dispute.opened").await, 1);
        world.books_say(&HELD).await;
        world.page_says(&session, "paid", "Payment complete").await;
    }
}

both! {
    async fn a_dispute_that_is_won_brings_the_money_back_and_one_that_is_lost_does_not(world: World) {
        let (session, payment) = world.paid_with(GOOD).await;
        let dispute = disputed(&world, &payment).await;
        let refused = world.money().refund(&payment, None).await.unwrap_err().told();
        assert!(refused.contains("nothing to refund"), "{refused}");
        decide(&world, &dispute, "won").await;
        eventually("won", || async { !world.statement(&payment).await.flags.disputed }).await;
        assert_eq!(world.statement(&payment).await.totals.charged_back, 0);
        world.alert_is_closed("dispute_opened").await;
        world.books_say(&PAID).await;
        world.page_says(&session, "paid", "Payment complete").await;

        let dispute = disputed(&world, &payment).await;
        decide(&world, &dispute, "lost").await;
        eventually("lost", || async { world.told(&payment, "dispute.lost").await == 1 }).await;
        world.inbox_is_empty().await;
        let statement = world.statement(&payment).await;
        assert_eq!((statement.status, statement.totals.captured, statement.totals.charged_back), (Status::Succeeded, TOTAL, TOTAL));
        assert!(statement.flags.disputed && statement.totals.refunded == 0);
        let (text, times) = world.alert("dispute_lost").await;
        assert_eq!(times, 1, "{text}");
        assert!(text.contains(payment.as_str()) && text.contains("EUR 30.98"), "{text}");
        world.deliver(&later(&dispute, "charge.dispute.updated", "lost", 9)).await;
        world.inbox_is_empty().await;
        assert_eq!(world.alert("dispute_lost").await.1, 1);
        world.alert_is_closed("dispute_opened").await;
        let attempt = &world.statement(&payment).await.payment.attempts[0].id;
        let subject = format!("{attempt}/{}", dispute["id"].as_str().unwrap());
        let dismissed = world.till(&["alerts", "dismiss", "dispute_lost", &subject]).await;
        assert_eq!(dismissed["dismissed"], true);
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
        let refused = world.till_refuses(&["alerts", "dismiss", "dispute_lost", &subject], 1).await;
        assert!(refused.contains("till alerts"), "{refused}");
        assert!(world.money().refund(&payment, Some(1)).await.is_err(), "the money is gone");
        world.books_say(&[]).await;
        world.page_says(&session, "paid", "Payment complete").await;
        assert_eq!((world.told(&payment, "dispute.opened").await, world.told(&payment, "dispute.won").await), (2, 1));
    }
}

/// An event about a dispute, dated some seconds later.
fn later(dispute: &Value, kind: &str, status: &str, after: i64) -> Value {
    let mut object = dispute.clone();
    object["status"] = json!(status);
    json!({"id": format!("evt_{}", random_hex()), "object": "event", "type": kind, "created": seconds() + after,
        "livemode": false, "data": {"object": object}})
}

both! {
    async fn what_is_said_again_of_a_dispute_some_seconds_later_is_told_and_alerted_once(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let dispute = disputed(&world, &payment).await;
        for (kind, after) in [("charge.dispute.funds_withdrawn", 1), ("charge.dispute.updated", 2)] {
            world.deliver(&later(&dispute, kind, "under_review", after)).await;
        }
        world.inbox_is_empty().await;
        assert_eq!((world.told(&payment, "dispute.opened").await, world.alert("dispute_opened").await.1), (1, 1));
        for (kind, after) in [("charge.dispute.closed", 3), ("charge.dispute.funds_reinstated", 4)] {
            world.deliver(&later(&dispute, kind, "won", after)).await;
        }
        eventually("won", || async { !world.statement(&payment).await.flags.disputed }).await;
        world.inbox_is_empty().await;
        assert_eq!(world.told(&payment, "dispute.won").await, 1);
        // An event sent before the verdict that arrives after it changes nothing.
        world.deliver(&later(&dispute, "charge.dispute.updated", "under_review", 1)).await;
        world.inbox_is_empty().await;
        assert_eq!(world.told(&payment, "dispute.opened").await, 1);
        world.alert_is_closed("dispute_opened").await;
        world.books_say(&PAID).await;
    }
}

/// The subjects of the open alerts of a kind, in order.
async fn subjects(world: &World, kind: &str) -> Vec<String> {
    let alerts = world.upkeep().alerts(100).await.unwrap();
    let mut subjects: Vec<_> =
        alerts.into_iter().filter(|alert| alert.kind == kind).map(|alert| alert.subject).collect();
    subjects.sort();
    subjects
}

both! {
    async fn two_disputes_of_one_payment_have_alerts_of_their_own(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let intent = world.intent_of(&payment).await;
        let dispute = |id: &str| json!({"id": id, "object": "dispute", "amount": 1000, "currency": "eur", "status": "needs_response",
            "payment_intent": intent, "reason": "fraudulent", "payment_method_details": {"type": "card"}});
        let attempt = world.statement(&payment).await.payment.attempts[0].id.clone();
        let (one, other) = (format!("{attempt}/du_one"), format!("{attempt}/du_other"));
        for id in ["du_one", "du_other"] {
            world.deliver(&later(&dispute(id), "charge.dispute.created", "needs_response", 0)).await;
            world.inbox_is_empty().await;
        }
        assert_eq!(subjects(&world, "dispute_opened").await, [one.clone(), other.clone()]);
        world.deliver(&later(&dispute("du_other"), "charge.dispute.closed", "won", 1)).await;
        world.inbox_is_empty().await;
        assert_eq!(subjects(&world, "dispute_opened").await, std::slice::from_ref(&one));
        let (text, times) = world.alert("dispute_opened").await;
        assert!(times == 1 && text.contains("du_one") && text.contains("EUR 10.00"), "{text}");
        world.deliver(&later(&dispute("du_third"), "charge.dispute.closed", "lost", 1)).await;
        world.deliver(&later(&dispute("du_one"), "charge.dispute.closed", "lost", 1)).await;
        world.inbox_is_empty().await;
        assert_eq!(subjects(&world, "dispute_lost").await, [one, format!("{attempt}/du_third")]);
        world.alert_is_closed("dispute_opened").await;
    }
}

both! {
    async fn a_part_in_dispute_leaves_the_rest_to_be_refunded(world: World) {
        let (session, payment) = world.paid_with(GOOD).await;
        let dispute = json!({"id": "du_part", "object": "dispute", "amount": 1000, "currency": "eur", "status": "needs_response",
            "payment_intent": world.intent_of(&payment).await, "reason": "fraudulent", "payment_method_details": {"type": "card"}});
        world.deliver(&later(&dispute, "charge.dispute.created", "needs_response", 0)).await;
        eventually("disputed", || async { world.statement(&payment).await.flags.disputed }).await;
        let refused = world.money().refund(&payment, Some(TOTAL)).await.unwrap_err().told();
        assert!(refused.contains("20.98"), "{refused}");
        world.money().refund(&payment, None).await.unwrap();
        let statement = world.statement(&payment).await;
        assert_eq!((statement.totals.refunded, statement.totals.charged_back), (TOTAL - 1000, 1000));
        world.books_say(&[("disputes", 1000), ("merchant_payable", -1000)]).await;
        world.page_says(&session, "partly_refunded", "20.98").await;
        world.deliver(&later(&dispute, "charge.dispute.closed", "lost", 1)).await;
        eventually("lost", || async { world.told(&payment, "dispute.lost").await == 1 }).await;
        world.books_say(&[]).await;
    }
}

/// A session in dollars, for which a bank debit is offered.
pub async fn dollars(world: &World) -> Token {
    let unit = domain::money::Money::new(DEBIT, "USD".parse().unwrap());
    let line = domain::line::Line::new("Tea", unit, 1);
    let new = NewLink::of(vec![line], Usage::Once);
    let link = world.links().add(new).await.unwrap();
    world.open(&link.url.rsplit('/').next().unwrap().parse().unwrap()).await
}

/// A payment by bank debit that is on its way.
async fn debited(world: &World, account: &str) -> (Token, PaymentId) {
    let session = dollars(world).await;
    assert_eq!(world.checkout().start(&session, Method::BankDebit, None).await.unwrap(), Started::Redirect);
    let page = world.checkout().handoff(&session).await.unwrap().unwrap().address().to_owned();
    let fields = [("method", "us_bank_account"), ("routing", "110000000"), ("account", account), ("name", "Jo")];
    assert_eq!(world.post_form(&page, &fields).await.status, 303);
    world.wait_for(&session, Phase::Processing).await;
    let payment = world.payment_of(&session).await;
    (session, payment)
}

both! {
    async fn a_bank_debit_that_the_bank_returns_after_success_is_not_paid_any_more(world: World) {
        let (session, payment) = debited(&world, "000123456789").await;
        assert_eq!(world.statement(&payment).await.status, Status::Processing);
        world.page_says(&session, "processing", "on its way").await;
        world.books_say(&[]).await;
        world.control("advance", json!({"seconds": 10})).await;
        world.wait_for(&session, Phase::Paid).await;
        world.books_say(&[("provider_receivable", DEBIT), ("merchant_payable", -DEBIT)]).await;

        let intent = world.intent_of(&payment).await;
        world.control("disputes", json!({"payment_intent": intent, "reason": "insufficient_funds"})).await;
        world.wait_for(&session, Phase::Returned).await;
        world.inbox_is_empty().await;
        let statement = world.statement(&payment).await;
        assert!(statement.flags.returned && !statement.flags.disputed, "{:?}", statement.flags);
        assert_eq!((statement.status, statement.totals.captured, statement.totals.returned), (Status::Succeeded, DEBIT, DEBIT));
        assert_eq!((statement.totals.charged_back, statement.totals.refunded), (0, 0));
        assert_eq!((world.told(&payment, "payment.returned").await, world.told(&payment, "dispute.opened").await), (1, 0));
        world.books_say(&[]).await;
        let rows: Vec<_> = statement.ledger.iter().filter(|row| row.business == "return").collect();
        let rows: Vec<_> = rows.iter().map(|row| (row.account.as_str(), row.amount)).collect();
        assert_eq!(rows, [("merchant_payable", DEBIT), ("provider_receivable", -DEBIT)]);
        assert!(world.money().refund(&payment, None).await.is_err(), "there is nothing left to send back");
        let (text, times) = world.alert("payment_returned").await;
        assert_eq!(times, 1, "{text}");
        assert!(text.contains(payment.as_str()) && text.contains("USD 25.00"), "{text}");
        world.page_says(&session, "returned", "Your bank took back").await;
    }
}

both! {
    async fn a_bank_debit_that_the_holder_denies_is_a_dispute_lost_from_the_start(world: World) {
        let (session, payment) = debited(&world, "000123456789").await;
        world.control("advance", json!({"seconds": 10})).await;
        world.wait_for(&session, Phase::Paid).await;
        world.control("disputes", json!({"payment_intent": world.intent_of(&payment).await, "reason": "fraudulent"})).await;
        eventually("lost", || async { world.told(&payment, "dispute.lost").await == 1 }).await;
        world.inbox_is_empty().await;
        let statement = world.statement(&payment).await;
        assert_eq!((statement.totals.charged_back, statement.totals.returned), (DEBIT, 0));
        world.books_say(&[]).await;
        let (text, times) = world.alert("dispute_lost").await;
        assert!(times == 1 && text.contains("another way") && !text.contains("appeal"), "{text}");
        // The merchant hears of a dispute; the shopper reads what the bank has done.
        assert!(statement.flags.disputed && statement.flags.returned, "{:?}", statement.flags);
        world.page_says(&session, "returned", "Your bank took back").await;
    }
}

both! {
    async fn a_bank_debit_that_fails_takes_nothing_and_can_be_paid_otherwise(world: World) {
        let (session, payment) = debited(&world, "000222222227").await;
        // The clock is not advanced: within one second "under way" and "refused" would have the same time.
        eventually("declined", || async { matches!(world.phase(&session).await, Phase::Declined(_)) }).await;
        world.page_says(&session, "declined", "Your payment was not accepted").await;
        assert_eq!(world.statement(&payment).await.status, Status::RequiresPaymentMethod);
        world.books_say(&[]).await;
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
        assert_eq!(world.statement(&payment).await.totals.captured, DEBIT);
        world.books_say(&[("provider_receivable", DEBIT), ("merchant_payable", -DEBIT)]).await;
    }
}

both_at_adyen! {
    async fn a_chargeback_is_announced_taken_won_and_lost(world: World) {
        let (session, payment) = paid_at_adyen(&world).await;
        let psp = psp(&world, &payment).await;
        let trigger = |name: &str| format!("adyen/payments/{psp}/{name}");
        world.control(&trigger("notification_of_chargeback"), json!({})).await;
        eventually("announced", || async { world.told(&payment, "dispute.announced").await == 1 }).await;
        world.books_say(&PAID).await;
        assert_eq!(world.statement(&payment).await.totals.charged_back, 0);
        world.control(&trigger("chargeback"), json!({})).await;
        eventually("taken", || async { world.statement(&payment).await.totals.charged_back == TOTAL }).await;
        assert_eq!((world.told(&payment, "dispute.opened").await, world.alert("dispute_opened").await.1), (1, 1));
        world.books_say(&HELD).await;
        assert!(world.money().refund(&payment, Some(1)).await.is_err(), "the bank has it");
        world.control(&trigger("chargeback_reversed"), json!({})).await;
        eventually("won", || async { world.told(&payment, "dispute.won").await == 1 }).await;
        world.books_say(&PAID).await;
        world.control(&trigger("second_chargeback"), json!({})).await;
        eventually("taken for good", || async { world.told(&payment, "dispute.lost").await == 1 }).await;
        assert_eq!(world.statement(&payment).await.totals.charged_back, TOTAL);
        assert_eq!(world.told(&payment, "dispute.opened").await, 1);
        world.alert_is_closed("dispute_opened").await;
        world.books_say(&[]).await;
        let sandbox = String::from_utf8(world.get(&format!("{}/", world.sandbox)).await.body.to_vec()).unwrap();
        assert!(sandbox.contains("dispute lost"), "the simulator says the same");
        assert_eq!(world.statement(&payment).await.status, Status::Succeeded);
        world.page_says(&session, "paid", "Payment complete").await;
    }
}

both_at_adyen! {
    async fn what_a_dispute_won_in_part_has_lost_is_told_and_so_is_all_that_is_lost_in_the_end(world: World) {
        let (_, payment) = paid_at_adyen(&world).await;
        let psp = psp(&world, &payment).await;
        let trigger = |name: &str| format!("adyen/payments/{psp}/{name}");
        world.control(&trigger("chargeback"), json!({})).await;
        eventually("taken", || async { world.statement(&payment).await.totals.charged_back == TOTAL }).await;
        world.control(&trigger("chargeback_reversed"), json!({"amount": 1000})).await;
        eventually("won in part", || async { world.told(&payment, "dispute.won").await == 1 }).await;
        let (text, times) = world.alert("dispute_lost").await;
        assert!(times == 1 && text.contains("EUR 20.98"), "{text}");
        world.control(&trigger("second_chargeback"), json!({"amount": 1000})).await;
        eventually("taken for good", || async { world.told(&payment, "dispute.lost").await == 1 }).await;
        let (text, times) = world.alert("dispute_lost").await;
        assert!(times == 2 && text.contains("EUR 30.98"), "{text}");
        world.books_say(&[]).await;
    }
}

both_at_adyen! {
    async fn the_alert_of_a_loss_follows_what_is_lost_and_goes_when_all_is_back(world: World) {
        let (_, payment) = paid_at_adyen(&world).await;
        let attempt = world.statement(&payment).await.payment.attempts[0].clone();
        let tell = async |number: u32, code: &str, amount: i64| {
            let date = format!("2026-11-{:02}T10:00:00+01:00", number + 1);
            let item = json!({"eventCode": code, "success": "true", "pspReference": "DISPUTE1", "originalReference": attempt.refs.payment,
                "merchantAccountCode": "HarbourBooks", "merchantReference": attempt.id, "eventDate": date, "reason": "",
                "amount": {"value": amount, "currency": "EUR"}});
            crate::deliveries::notice(&world, &item).await;
            world.inbox_is_empty().await;
        };
        let says = async |loss: &str| {
            let (text, times) = world.alert("dispute_lost").await;
            assert!(text.contains(loss) && text.contains("DISPUTE1"), "not {loss} in: {text}");
            times
        };
        tell(1, "CHARGEBACK", TOTAL).await;
        tell(2, "CHARGEBACK_REVERSED", 1000).await;
        assert_eq!(says("EUR 20.98 stays").await, 1);
        tell(3, "CHARGEBACK_REVERSED", 500).await;
        assert_eq!(says("EUR 15.98 stays").await, 1, "less is lost, which is no new loss");
        tell(4, "CHARGEBACK_REVERSED", 1598).await;
        world.alert_is_closed("dispute_lost").await;
        tell(5, "SECOND_CHARGEBACK", TOTAL).await;
        assert_eq!(says("EUR 30.98 stays").await, 1);
        // A dismissed alert stays away while no more is lost.
        world.till(&["alerts", "dismiss", "dispute_lost", &format!("{}/DISPUTE1", attempt.id)]).await;
        tell(6, "PREARBITRATION_WON", TOTAL).await;
        assert_eq!((world.alert_kinds().await, world.statement(&payment).await.totals.charged_back), (vec![], 0));
        world.books_say(&PAID).await;
    }
}

both_at_adyen! {
    async fn a_loss_that_a_last_verdict_turns_is_not_told_any_more(world: World) {
        let (_, payment) = paid_at_adyen(&world).await;
        let attempt = world.statement(&payment).await.payment.attempts[0].clone();
        for (code, open) in [("CHARGEBACK", false), ("CHARGEBACK_REVERSED", false), ("SECOND_CHARGEBACK", true), ("PREARBITRATION_WON", false)] {
            let item = json!({"eventCode": code, "success": "true", "pspReference": "DISPUTE1", "originalReference": attempt.refs.payment,
                "merchantAccountCode": "HarbourBooks", "merchantReference": attempt.id, "eventDate": "2026-11-29T10:00:00+01:00",
                "reason": "", "amount": {"value": TOTAL, "currency": "EUR"}});
            crate::deliveries::notice(&world, &item).await;
            world.inbox_is_empty().await;
            assert_eq!(world.alert_kinds().await.contains(&"dispute_lost".to_owned()), open, "{code}");
        }
        world.books_say(&PAID).await;
    }
}

both_at_adyen! {
    async fn parts_of_a_chargeback_that_come_back_one_by_one_are_added_up_and_repetitions_count_once(world: World) {
        let (_, payment) = paid_at_adyen(&world).await;
        let psp = psp(&world, &payment).await;
        let trigger = |name: &str| format!("adyen/payments/{psp}/{name}");
        world.control("webhooks", json!({"duplicate": 1})).await;
        world.control(&trigger("chargeback"), json!({})).await;
        eventually("taken", || async { world.statement(&payment).await.totals.charged_back == TOTAL }).await;
        // 10.00 and 15.00 of 30.98 come back; each part is delivered twice.
        for (part, left) in [(1000, 2098), (1500, 598)] {
            world.control(&trigger("chargeback_reversed"), json!({"amount": part})).await;
            eventually("a part is back", || async { world.statement(&payment).await.totals.charged_back == left }).await;
            world.inbox_is_empty().await;
            assert_eq!(world.statement(&payment).await.totals.charged_back, left);
            let back = TOTAL - left;
            world.books_say(&[("provider_receivable", back), ("merchant_payable", -back)]).await;
        }
        assert_eq!(world.told(&payment, "dispute.won").await, 2);
        // The returned amount is taken again in parts as well.
        for (part, gone) in [(1000, 1598), (1500, TOTAL)] {
            world.control(&trigger("second_chargeback"), json!({"amount": part})).await;
            eventually("a part is gone", || async { world.statement(&payment).await.totals.charged_back == gone }).await;
        }
        world.books_say(&[]).await;
        assert!(!world.alert_kinds().await.contains(&"dispute_doubtful".to_owned()));
    }
}

both_at_adyen! {
    async fn an_equal_part_with_another_date_counts_once_and_a_person_is_told(world: World) {
        let (_, payment) = paid_at_adyen(&world).await;
        let statement = world.statement(&payment).await;
        let attempt = statement.payment.attempts[0].clone();
        let event = |code: &str, amount: i64, date: &str| {
            json!({"eventCode": code, "success": "true", "pspReference": "DISPUTE1", "originalReference": attempt.refs.payment,
                "merchantAccountCode": "HarbourBooks", "merchantReference": attempt.id, "eventDate": date, "reason": "",
                "amount": {"value": amount, "currency": "EUR"}})
        };
        let (early, late) = ("2026-11-29T10:00:00+01:00", "2026-11-29T11:00:00+01:00");
        for told in [("CHARGEBACK", TOTAL, early), ("CHARGEBACK_REVERSED", 1000, early), ("CHARGEBACK_REVERSED", 1000, early)] {
            crate::deliveries::notice(&world, &event(told.0, told.1, told.2)).await;
            world.inbox_is_empty().await;
        }
        assert_eq!(world.statement(&payment).await.totals.charged_back, TOTAL - 1000);
        assert!(!world.alert_kinds().await.contains(&"dispute_doubtful".to_owned()), "a repetition is nothing odd");
        crate::deliveries::notice(&world, &event("CHARGEBACK_REVERSED", 1000, late)).await;
        world.inbox_is_empty().await;
        assert_eq!(world.statement(&payment).await.totals.charged_back, TOTAL - 1000);
        let (text, times) = world.alert("dispute_doubtful").await;
        assert!(times == 1 && text.contains("DISPUTE1") && text.contains(payment.as_str()), "{times} times: {text}");
    }
}

both_at_adyen! {
    async fn a_chargeback_after_a_refund_takes_what_is_left(world: World) {
        let (session, payment) = paid_at_adyen(&world).await;
        world.money().refund(&payment, Some(1000)).await.unwrap();
        eventually("refunded", || async { world.statement(&payment).await.totals.refunded == 1000 }).await;
        world.control(&format!("adyen/payments/{}/chargeback", psp(&world, &payment).await), json!({})).await;
        eventually("taken", || async { world.statement(&payment).await.totals.charged_back == TOTAL - 1000 }).await;
        world.inbox_is_empty().await;
        assert!(world.money().refund(&payment, Some(1)).await.is_err());
        world.books_say(&[("disputes", TOTAL - 1000), ("merchant_payable", 1000 - TOTAL)]).await;
        world.page_says(&session, "partly_refunded", "10.00").await;
    }
}
