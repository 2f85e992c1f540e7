//! A merchant's requests for captures, voids and refunds: each acts on the intended attempt, once for each key, and
//! shows a provider's refusal once. Run as a program, on both databases.

use domain::id::PaymentId;
use domain::payment::{Outcome, Status};
use engine::store::merchants::SurplusPolicy;
use serde_json::{Value, json};

use crate::adyen::{authorised as authorised_at_adyen, refunded};
use crate::money::paid_twice_soon;
use crate::world::{Told, World, eventually, operator};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";
const TOTAL: i64 = 3098;

/// The commands of a text that begin with these words, as arguments of the program.
fn commands(text: &str, begin: &str) -> Vec<Vec<String>> {
    let found = text.match_indices(begin).map(|(at, _)| &text[at..]);
    let line = |rest: &str| rest.split(['`', '\n']).next().unwrap_or_default().to_owned();
    let words = |line: String| line.split_whitespace().skip(1).map(str::to_owned).collect();
    found.map(|rest| words(line(rest))).collect()
}

fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

/// The text of the alert about held surplus.
async fn held(world: &World) -> String {
    eventually("a person is told", || async { world.alert_kinds().await.contains(&"surplus_held".to_owned()) }).await;
    world.alert("surplus_held").await.0
}

both! {
    async fn a_second_payment_goes_back_to_its_own_payer_by_the_alerts_command(world: World) {
        world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Hold).await.unwrap();
        let (_, payment, page) = paid_twice_soon(&world).await;
        world.pay(&page, GOOD).await;
        let advice = held(&world).await;
        let attempts = world.statement(&payment).await.payment.attempts;
        let second = attempts.iter().find(|attempt| attempt.second).unwrap();
        assert_eq!(world.alert("second_success").await.1, 1);

        let question = world.till_refuses(&["payment", "refund", payment.as_str()], 1).await;
        for attempt in attempts.iter().filter(|attempt| attempt.has_money()) {
            let command = format!("till payment refund {payment} --attempt {} --amount 30.98", attempt.id);
            assert!(question.contains(&command) && question.contains(attempt.account.as_str()), "{question}");
        }
        assert_eq!(question.matches("paid beyond what was owed").count(), 1, "{question}");
        assert!(world.calls("refunds.create").await.is_empty(), "nobody's money is sent back by a guess");

        let command = commands(&advice, "till payment refund");
        assert_eq!(command.len(), 1, "{advice}");
        assert_eq!(command[0], commands(&format!("till payment refund {payment} --attempt {} --amount 30.98", second.id), "till")[0]);
        world.till(&words(&command[0])).await;
        eventually("it has gone back", || async { world.statement(&payment).await.totals.refunded == TOTAL }).await;
        let refunds = world.provider("/v1/refunds").await["data"].as_array().unwrap().clone();
        assert_eq!(refunds.len(), 1);
        for kind in ["second_success", "surplus_held"] {
            world.alert_is_closed(kind).await;
        }
        assert_eq!(refunds[0]["payment_intent"].as_str(), second.refs.payment.as_deref(), "to whoever paid twice");
        world.books_say(&[("provider_receivable", TOTAL), ("merchant_payable", -TOTAL)]).await;
        // With only one possible attempt the command needs no name.
        assert!(!world.till_refuses(&["payment", "refund", payment.as_str(), "--amount", "30.99"], 1).await.contains("--attempt"));
    }
}

both_at_adyen! {
    async fn a_second_authorisation_is_released_by_the_alerts_command(world: World) {
        world.engine().merchants(&operator()).set_surplus_policy(&world.merchant, SurplusPolicy::Hold).await.unwrap();
        world.control("adyen/webhooks", json!({"allow_double_payment": true, "hold": true})).await;
        let session = world.session_to_capture().await;
        let page = world.start(&session).await;
        for _ in 0..2 {
            assert_eq!(world.pay_at_adyen(&page, "Ada Shopper").await, 303);
        }
        world.control("adyen/webhooks", json!({"hold": false})).await;
        let payment = world.payment_of(&session).await;
        let advice = held(&world).await;
        let second = world.statement(&payment).await.payment.attempts.into_iter().find(|attempt| attempt.second).unwrap();
        for command in ["void", "capture"] {
            let question = world.till_refuses(&["payment", command, payment.as_str()], 1).await;
            assert_eq!(question.matches(&format!("till payment {command} {payment} --attempt att_")).count(), 2, "{question}");
        }
        assert_eq!(world.statement(&payment).await.payment.attempts.iter().flat_map(|attempt| &attempt.modifications).count(), 0);
        let command = commands(&advice, "till payment void");
        assert_eq!(words(&command[0]), ["payment", "void", payment.as_str(), "--attempt", second.id.as_str()]);
        world.till(&words(&command[0])).await;
        eventually("it is released", || async {
            world.statement(&payment).await.payment.attempt(&second.id).is_some_and(|attempt| attempt.book.voided)
        })
        .await;
        let statement = world.statement(&payment).await;
        assert_eq!(statement.status, Status::RequiresCapture);
        assert_eq!(statement.payment.attempts.iter().filter(|attempt| attempt.has_money()).count(), 1);
    }
}

async fn refunds_at_stripe(world: &World) -> usize {
    world.provider("/v1/refunds").await["data"].as_array().unwrap().len()
}

/// The key that a command printed, and its output.
async fn key_told(world: &World, arguments: &[&str]) -> (String, String) {
    let output = world.run(arguments).await;
    let (said, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said} {told}");
    let key = told.split_whitespace().skip_while(|word| *word != "--key").nth(1).expect("a key is told").to_owned();
    (key, said)
}

both! {
    async fn a_repeated_refund_command_is_done_once(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let five = ["payment", "refund", payment.as_str(), "--amount", "5"];
        let (key, said) = key_told(&world, &five).await;
        assert!(said.contains("done"), "{said}");
        let again = world.till_refuses(&five, 1).await;
        assert!(again.contains("the same refund was asked for") && again.contains(&key), "{again}");
        assert_eq!(world.statement(&payment).await.totals.refunded, 500);

        // The refusal names the commands that show the first refund and that refund once more.
        let refund = commands(&again, "till payment refund");
        let first = world.till(&words(&refund[0])).await;
        assert_eq!((&first["outcome"], &first["modification"]["key"]), (&json!("succeeded"), &json!(key)));
        assert!(said.contains(first["id"].as_str().unwrap()), "{said}");
        assert_eq!(refunds_at_stripe(&world).await, 1, "a key is used once");
        let once_more = world.till(&[&five[..], &["--key", "second-five"]].concat()).await;
        assert_ne!(once_more["id"], first["id"]);
        assert_eq!((world.statement(&payment).await.totals.refunded, refunds_at_stripe(&world).await), (1000, 2));

        let (_, other) = world.paid_with(GOOD).await;
        let misused: [&[&str]; 4] = [
            &["payment", "refund", payment.as_str(), "--amount", "6", "--key", "second-five"],
            &["payment", "refund", payment.as_str(), "--key", "second-five"],
            &["payment", "refund", other.as_str(), "--amount", "5", "--key", "second-five"],
            &["payment", "capture", payment.as_str(), "--amount", "5", "--key", "second-five"],
        ];
        for arguments in misused {
            let error = world.till_refuses(arguments, 1).await;
            assert!(error.contains("names another request") && error.contains("--key second-five"), "{arguments:?}: {error}");
        }
        for key in ["", "a b", "\u{1b}[31m"] {
            world.till_refuses(&[&five[..], &["--key", key]].concat(), 2).await;
        }
        assert_eq!(refunds_at_stripe(&world).await, 2);
        let shown = world.till_says(&["payment", "show", payment.as_str()]).await;
        assert!(shown.contains("key second-five") && shown.contains(&format!("key {key}")), "{shown}");
    }
}

both! {
    async fn a_key_stands_for_all_that_was_left_and_for_captures_and_voids_too(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let all = ["payment", "refund", payment.as_str(), "--key", "all"];
        let first = world.till(&all).await;
        assert_eq!(first["modification"]["amount"], TOTAL);
        assert_eq!(world.till(&all).await["id"], first["id"], "though nothing is left to refund");
        assert_eq!(world.till(&[&all[..], &["--amount", "30.98"]].concat()).await["id"], first["id"]);
        assert_eq!(refunds_at_stripe(&world).await, 1);

        let (_, payment) = world.authorised().await;
        let capture = ["payment", "capture", payment.as_str(), "--amount", "10", "--key", "capture"];
        let first = world.till(&capture).await;
        assert_eq!(world.till(&capture).await["id"], first["id"]);
        assert!(world.till_refuses(&[&capture[..], &["--keep-rest"]].concat(), 1).await.contains("names another request"));
        assert_eq!(world.calls("payment_intents.capture").await.len(), 1);

        let (_, payment) = world.authorised().await;
        let void = ["payment", "void", payment.as_str(), "--key", "void"];
        let first = world.till(&void).await;
        assert_eq!(world.till(&void).await["id"], first["id"]);
        assert_eq!(world.calls("payment_intents.cancel").await.len(), 1);
    }
}

both! {
    async fn of_several_requests_with_one_key_on_two_servers_one_is_recorded(world: World) {
        let other = world.second_node().await;
        let (_, payment) = world.paid_with(GOOD).await;
        let asked = engine::Asked { key: Some("one".parse().unwrap()), chosen: true, ..Default::default() };
        let tries = (0..6).map(|number| {
            let engine = if number % 2 == 0 { world.engine() } else { &other.engine };
            let (money, payment, asked) = (engine.money(&world.scope()), payment.clone(), asked.clone());
            tokio::spawn(async move { money.refund_as(&payment, Some(500), &asked).await.unwrap().modification.id })
        });
        let ids: Vec<_> = futures::future::join_all(tries).await.into_iter().map(Result::unwrap).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(world.statement(&payment).await.totals.refunded, 500);
        assert_eq!(refunds_at_stripe(&world).await, 1);
        // Without a key, an equal request is refused on any server.
        let error = other.engine.money(&world.scope()).refund(&payment, Some(500)).await.unwrap_err().told();
        assert!(error.contains("the same refund was asked for"), "{error}");
        world.books_are_right().await;
    }
}

both! {
    async fn the_reason_of_a_refused_refund_is_told_once(world: World) {
        let (_, payment): (_, PaymentId) = world.paid_with(GOOD).await;
        // The payment was refunded at Stripe, and Till does not know it yet.
        world.control("webhooks", json!({"hold": true})).await;
        let intent = world.intent_of(&payment).await;
        world.at_provider("/v1/refunds", &format!("payment_intent={intent}")).await;
        let refund = ["payment", "refund", payment.as_str(), "--key", "late"];
        let output = world.run(&refund).await;
        let (said, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!((output.status.code(), said.as_str()), (Some(1), ""), "{told}");
        assert_eq!((told.matches("refused").count(), told.matches("already been refunded").count()), (1, 1), "{told}");
        let output = world.run(&[&refund[..], &["--json"]].concat()).await;
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &said["outcome"]), (Some(1), &json!("failed")), "the same refund, as it is now");
        assert_eq!(refunds_at_stripe(&world).await, 1);
        let shown = world.till_says(&["payment", "show", payment.as_str()]).await;
        assert!(shown.contains("key late  failed: ") && shown.contains("already been refunded"), "{shown}");
        // A refused refund does not block the next one.
        assert_eq!(world.money().refund(&payment, None).await.unwrap().outcome, Outcome::Failed);
    }
}

both_at_adyen! {
    async fn a_repeated_capture_or_refund_command_is_done_once_at_adyen(world: World) {
        let (_, payment) = authorised_at_adyen(&world).await;
        let capture = ["payment", "capture", payment.as_str(), "--amount", "10", "--keep-rest"];
        let (key, said) = key_told(&world, &capture).await;
        assert!(said.contains("will say what came of it"), "{said}");
        assert!(world.till_refuses(&capture, 1).await.contains("the same capture was asked for"));
        world.till(&[&capture[..], &["--key", &key]].concat()).await;
        crate::adyen::captured(&world, &payment, 1000).await;
        assert_eq!(crate::adyen::calls(&world, "payments.capture").await.len(), 1);
        let refund = ["payment", "refund", payment.as_str(), "--amount", "4"];
        key_told(&world, &refund).await;
        assert!(world.till_refuses(&refund, 1).await.contains("the same refund was asked for"));
        refunded(&world, &payment, 400).await;
        assert_eq!(crate::adyen::calls(&world, "payments.refund").await.len(), 1);
    }
}
