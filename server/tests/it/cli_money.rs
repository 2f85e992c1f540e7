//! The commands that move money and read the books, run as a program beside servers, on both databases.

use std::process::Stdio;

use domain::id::{JobId, PaymentId};
use domain::payment::Status;
use engine::store::merchants::SurplusPolicy;
use serde_json::{Value, json};
use sqlx::query;

use crate::world::{World, eventually, operator, paid_event, random_hex};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";
const TOTAL: i64 = 3098;
/// A well-formed id of no payment.
const NOBODY: &str = "pi_00000000000000000000000000";

fn balance(balances: &Value, account: &str) -> i64 {
    let rows = balances.as_array().unwrap();
    rows.iter().find(|row| row["account"] == account).map_or(0, |row| row["minor"].as_i64().unwrap())
}

both! {
    async fn payments_are_listed_and_shown(world: World) {
        let merchant = world.merchant.to_string();
        let list = ["payment", "list", "--merchant", &merchant];
        assert!(world.till_says(&list).await.contains("no test payments yet; --live lists the live ones"));
        let (_, first) = world.paid_with(GOOD).await;
        let (_, second) = world.authorised().await;
        let rows = world.till(&list).await;
        let ids: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, [second.to_string(), first.to_string()], "newest first");
        assert_eq!((&rows[1]["status"], &rows[1]["captured"], &rows[1]["refunded"]), (&json!("succeeded"), &json!(TOTAL), &json!(0)));
        assert_eq!(rows[0]["status"], "requires_capture");
        assert_eq!(world.till(&[&list[..], &["--limit", "1"]].concat()).await.as_array().unwrap().len(), 1);
        let text = world.till_says(&list).await;
        assert!(text.starts_with("ID ") && text.contains("EUR 30.98") && text.contains("succeeded"), "{text}");

        let shown = world.till(&["payment", "show", first.as_str()]).await;
        assert_eq!((&shown["status"], &shown["totals"]["captured"]), (&json!("succeeded"), &json!(TOTAL)));
        assert_eq!(shown["ledger"].as_array().unwrap().len(), 2);
        assert!(shown["told"].as_array().unwrap().contains(&json!("payment.succeeded")), "{}", shown["told"]);
        let text = world.till_says(&["payment", "show", first.as_str()]).await;
        for says in [first.as_str(), "succeeded", "captured EUR 30.98, refunded EUR 0.00", "webhook", "provider_receivable", "merchant_payable", "captured EUR 30.98 in all"] {
            assert!(text.contains(says), "{says}: {text}");
        }
        for secret in [&world.secret_key, &world.webhook_secret, &world.key] {
            assert!(!text.contains(secret.as_str()) && !shown.to_string().contains(secret.as_str()));
        }
    }
}

both! {
    async fn deliveries_are_listed_and_shown_as_they_were_sent(world: World) {
        let account = world.account_id().to_string();
        let list = ["delivery", "list", "--account", &account];
        assert!(world.till_says(&list).await.contains("no deliveries yet"));
        world.paid_with(GOOD).await;
        // Another delivery may have told of the payment first.
        eventually("the session's event is applied", || async {
            let is_it = |row: &engine::store::inbox::InboxRow| {
                row.kind.as_deref() == Some("checkout.session.completed") && row.state == engine::store::inbox::InboxState::Applied
            };
            world.inbox().await.iter().any(is_it)
        })
        .await;
        let rows = world.till(&list).await;
        let rows = rows.as_array().unwrap();
        let paid = rows.iter().find(|row| row["kind"] == "checkout.session.completed").expect("it was delivered");
        assert_eq!(paid["state"], "applied");
        assert!(rows.windows(2).all(|pair| pair[0]["received"].as_i64() >= pair[1]["received"].as_i64()), "newest first");
        assert_eq!(world.till(&[&list[..], &["--limit", "1"]].concat()).await.as_array().unwrap().len(), 1);
        let show = ["delivery", "show", paid["id"].as_str().unwrap()];
        let body: Value = serde_json::from_str(world.till(&show).await["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["id"], paid["event"]);
        let text = world.till_says(&show).await;
        assert!(text.contains("applied") && text.contains("checkout.session.completed") && text.contains("payment_status"), "{text}");
        let nobody = NOBODY.replace("pi_", "in_");
        assert!(world.till_refuses(&["delivery", "show", &nobody], 1).await.contains("delivery in_"));
        let nobody = NOBODY.replace("pi_", "pa_");
        assert!(world.till_refuses(&["delivery", "list", "--account", &nobody], 1).await.contains("provider account"));
    }
}

both! {
    async fn money_is_captured_released_and_sent_back(world: World) {
        let (_, payment) = world.authorised().await;
        let id = payment.as_str();
        assert!(world.till_refuses(&["payment", "capture", id, "--amount", "30.99"], 1).await.contains("30.98"));
        assert!(world.till_refuses(&["payment", "capture", id, "--amount", "10", "--keep-rest"], 1).await.contains("releases the rest"));
        assert!(world.calls("payment_intents.capture").await.is_empty(), "nothing is lost by trying");
        let (_, payment) = world.authorised().await;
        let id = payment.as_str();
        let captured = world.till(&["payment", "capture", id, "--amount", "20.00"]).await;
        assert_eq!((&captured["kind"], &captured["outcome"]), (&json!("capture"), &json!("succeeded")));
        let refused = world.till_refuses(&["payment", "void", id], 1).await;
        assert!(refused.contains("EUR 20.00 was captured") && refused.contains("nothing more"), "{refused}");
        assert!(world.till_refuses(&["payment", "refund", id, "--amount", "20.01"], 1).await.contains("20.00"));
        assert!(world.till_says(&["payment", "refund", id, "--amount", "5"]).await.contains("done"));
        assert_eq!(world.till(&["payment", "refund", id]).await["modification"]["amount"], 1500, "all that is left");
        assert!(world.till_refuses(&["payment", "refund", id], 1).await.contains("nothing to refund"));
        let statement = world.statement(&payment).await;
        assert_eq!((statement.totals.captured, statement.totals.refunded), (2000, 2000));

        let (_, payment) = world.authorised().await;
        assert!(world.till_says(&["payment", "void", payment.as_str()]).await.starts_with("void mod_"));
        assert_eq!(world.statement(&payment).await.status, Status::Canceled);
        assert!(world.till_refuses(&["payment", "capture", payment.as_str()], 1).await.contains("the authorisation has been released"));
        world.books_say(&[]).await;
    }
}

both! {
    async fn a_payment_is_called_off_and_what_is_paid_all_the_same_is_kept_or_sent_back(world: World) {
        let merchant = world.merchant.to_string();
        world.till(&["merchant", "surplus", &merchant, "hold"]).await;
        let session = world.session().await;
        world.start(&session).await;
        let payment = world.payment_of(&session).await;
        let canceled = world.till(&["payment", "cancel", payment.as_str()]).await;
        assert_eq!((&canceled["id"], &canceled["status"]), (&json!(payment.as_str()), &json!("canceled")));
        let attempt = world.statement(&payment).await.payment.attempts[0].clone();
        let late = paid_event(&format!("evt_{}", random_hex()), attempt.id.as_str(), attempt.refs.session.as_deref().unwrap(), TOTAL, "eur");
        world.deliver(&serde_json::from_str(&late).unwrap()).await;
        eventually("held", || async { world.alert_kinds().await.contains(&"surplus_held".to_owned()) }).await;
        assert!(world.till_says(&["alerts"]).await.contains("surplus_held"));
        world.books_say(&[("provider_receivable", TOTAL), ("suspense", -TOTAL)]).await;
        world.page_says(&session, "paid_cancelled", "had called it off before your payment arrived").await;
        let kept = world.till(&["payment", "keep", payment.as_str()]).await;
        assert_eq!((&kept["kept"], &kept["kept_in_all"]), (&json!(TOTAL), &json!(TOTAL)));
        world.page_says(&session, "paid", "Payment complete").await;
        assert!(!world.alert_kinds().await.iter().any(|kind| kind == "surplus_held" || kind == "second_success"));
        assert!(world.till_refuses(&["payment", "keep", payment.as_str()], 1).await.contains("EUR 30.98 is kept already"));
        world.books_say(&[("provider_receivable", TOTAL), ("merchant_payable", -TOTAL)]).await;
        assert!(world.till_refuses(&["payment", "cancel", payment.as_str()], 1).await.contains("already succeeded"));
        let (_, paid) = world.paid_with(GOOD).await;
        let refused = world.till_refuses(&["payment", "keep", paid.as_str()], 1).await;
        assert!(refused.contains("no more was paid than is owed"), "nothing beyond the debt: {refused}");
        world.till(&["merchant", "surplus", &merchant, "refund"]).await;
        let mut connection = world.engine().store().reader().await.unwrap();
        let policy = engine::store::merchants::surplus_policy(&mut connection, &operator(), &world.merchant).await.unwrap();
        assert_eq!(policy.policy, SurplusPolicy::Refund);
    }
}

both! {
    async fn the_ledger_is_printed_and_a_disagreement_fails_the_check(world: World) {
        let merchant = world.merchant.to_string();
        let balances = ["ledger", "balances", "--merchant", &merchant];
        assert!(world.till_says(&balances).await.contains("nothing was posted yet"));
        let (_, payment) = world.paid_with(GOOD).await;
        world.money().refund(&payment, Some(1000)).await.unwrap();
        let rows = world.till(&balances).await;
        assert_eq!((balance(&rows, "provider_receivable"), balance(&rows, "merchant_payable")), (2098, -2098));
        assert_eq!(rows.as_array().unwrap().iter().map(|row| row["minor"].as_i64().unwrap()).sum::<i64>(), 0);
        let text = world.till_says(&balances).await;
        assert!(text.contains("EUR 20.98") && text.contains("EUR -20.98"), "{text}");
        assert_eq!(world.till(&[&balances[..], &["--live"]].concat()).await, json!([]), "no real money");
        let checked = world.till(&["ledger", "check"]).await;
        assert_eq!((&checked["compared"], &checked["disagreements"]), (&json!(1), &json!([])));

        let mut tx = world.engine().store().begin().await.unwrap();
        let lie = "UPDATE attempts SET data = REPLACE(data, '\"captured\":3098', '\"captured\":3099')";
        assert_eq!(query(lie).execute(&mut *tx).await.unwrap().rows_affected(), 1);
        tx.commit().await.unwrap();
        let output = world.run(&["ledger", "check"]).await;
        let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{said} {error}");
        // The check trusts the history, and the ledger agrees with it: the stored payment is wrong.
        let attempt = world.statement(&payment).await.payment.attempts[0].id.clone();
        let wrong = format!("captured of {attempt} is 3099, should be 3098");
        assert!(said.contains(payment.as_str()) && said.contains(&wrong), "{said}");
        assert!(error.contains("1 payments compared, 1 disagreements"), "{error}");
    }
}

both! {
    async fn jobs_are_listed_and_only_those_that_are_there_can_be_run_again(world: World) {
        assert!(world.till_says(&["jobs", "list"]).await.contains("no job has failed"));
        let job = JobId::from_random([7; 16]);
        assert!(world.till_refuses(&["jobs", "retry", job.as_str()], 1).await.contains(job.as_str()));
        assert!(world.till_refuses(&["jobs", "retry", "nonsense"], 2).await.contains("job_"));
        assert_eq!(world.till(&["jobs", "list", "--dead", "--limit", "1"]).await, json!([]));
    }
}

both! {
    async fn what_cannot_be_understood_or_found_is_explained(world: World) {
        let merchant = "mer_00000000000000000000000000";
        let cases: [(&[&str], i32, &str); 14] = [
            (&["payment", "list", "--merchant", merchant], 1, merchant),
            (&["payment", "show", NOBODY], 1, NOBODY),
            (&["payment", "capture", NOBODY], 1, NOBODY),
            (&["payment", "void", NOBODY], 1, NOBODY),
            (&["payment", "refund", NOBODY, "--amount", "1"], 1, NOBODY),
            (&["payment", "keep", NOBODY], 1, NOBODY),
            (&["payment", "cancel", NOBODY], 1, NOBODY),
            (&["payment", "show", "nonsense"], 2, "pi_"),
            (&["payment", "refund"], 2, "<PAYMENT>"),
            (&["payment", "list"], 2, "--merchant"),
            (&["payment"], 2, "Usage"),
            (&["ledger", "balances"], 2, "--merchant"),
            (&["ledger", "balances", "--merchant", NOBODY], 2, "mer_"),
            (&["jobs", "retry"], 2, "<JOB>"),
        ];
        for (arguments, code, says) in cases {
            let error = world.till_refuses(arguments, code).await;
            assert!(error.contains(says), "{arguments:?}: {error}");
        }
        let (_, payment) = world.paid_with(GOOD).await;
        for amount in ["1.234", "x", "0", "-1", "1e3", "99999999999999999999"] {
            let option = format!("--amount={amount}");
            world.till_refuses(&["payment", "refund", payment.as_str(), &option], 1).await;
        }
        assert!(world.calls("refunds.create").await.is_empty());
    }
}

both! {
    async fn a_refund_that_is_not_answered_says_so_and_is_no_failure(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        world.control("webhooks", json!({"drop": true})).await;
        world.control("faults", json!({"operation": "refunds.create", "fault": "timeout_after_accept", "count": 1})).await;
        let text = world.till_says(&["payment", "refund", payment.as_str()]).await;
        assert!(text.contains("do not repeat it"), "{text}");
        assert!(world.till_refuses(&["payment", "refund", payment.as_str()], 1).await.contains("has not answered yet"));
        // The program has ended; a server's job finds the outcome.
        eventually("it is known", || async { world.statement(&payment).await.totals.refunded == TOTAL }).await;
        assert_eq!(world.provider("/v1/refunds").await["data"].as_array().unwrap().len(), 1);
        world.books_say(&[]).await;
    }
}

both! {
    async fn a_request_whose_process_died_is_not_said_to_be_unsent(world: World) {
        let (refunded, captured, voided) = (world.paid_with(GOOD).await.1, world.authorised().await.1, world.authorised().await.1);
        world.control("webhooks", json!({"drop": true})).await;
        world.node.stop_background();
        for (command, operation, payment, done) in [
            ("refund", "refunds.create", refunded, "succeeded"),
            ("capture", "payment_intents.capture", captured, "succeeded"),
            ("void", "payment_intents.cancel", voided, "canceled"),
        ] {
            world.control("faults", json!({"operation": operation, "fault": "timeout_after_accept", "delay_ms": 60_000, "count": 1})).await;
            let arguments = ["payment", command, payment.as_str(), "--key", command];
            let mut dies = world.command(&arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
            let path = match command {
                "refund" => "/v1/refunds".to_owned(),
                _ => format!("/v1/payment_intents/{}", world.intent_of(&payment).await),
            };
            eventually("the provider has done it", || async {
                let found = world.provider(&path).await;
                found.pointer("/data/0").unwrap_or(&found)["status"] == done
            })
            .await;
            dies.kill().unwrap();
            dies.wait().unwrap();
            let text = world.till_says(&arguments).await;
            assert!(text.contains("not known yet") && !text.contains("not sent"), "{command}: {text}");
            assert!(text.contains(&format!("--key {command}")) && text.contains("asks nobody twice"), "{command}: {text}");
        }
        assert_eq!(world.provider("/v1/refunds").await["data"].as_array().unwrap().len(), 1);
    }
}

both! {
    async fn what_stands_in_the_way_of_a_capture_or_void_is_said_and_no_key_of_what_was_not_stored(world: World) {
        let (_, payment) = world.authorised().await;
        world.control("webhooks", json!({"drop": true})).await;
        world.node.stop_background();
        world.control("faults", json!({"operation": "payment_intents.capture", "fault": "timeout_after_accept", "count": 1})).await;
        let output = world.run(&["payment", "capture", payment.as_str()]).await;
        let told = String::from_utf8(output.stderr).unwrap();
        let key = world.statement(&payment).await.payment.attempts[0].modifications[0].key.clone().unwrap();
        assert!(output.status.success() && told.contains(&format!("the key of this request is {key}")), "{told}");
        for command in ["capture", "void", "refund"] {
            let refused = world.till_refuses(&["payment", command, payment.as_str()], 1).await;
            assert!(refused.contains("a capture") && refused.contains("has not answered yet; Till is asking it"), "{command}: {refused}");
            assert!(!refused.contains("the key of this request"), "{command}: {refused}");
        }
        let refused = world.till_refuses(&["payment", "capture", payment.as_str(), "--amount", "1"], 1).await;
        assert!(refused.contains("has not answered yet") && !refused.contains("the key of this request"), "{refused}");
        let modifications = world.statement(&payment).await.payment.attempts[0].modifications.len();
        assert_eq!((modifications, world.calls("payment_intents.capture").await.len()), (1, 1));
    }
}

both_at_adyen! {
    async fn what_the_provider_has_only_taken_is_said_to_be_under_way(world: World) {
        let (_, payment): (_, PaymentId) = crate::adyen::paid(&world).await;
        let text = world.till_says(&["payment", "refund", payment.as_str(), "--amount", "10.00"]).await;
        assert!(text.contains("will say what came of it"), "{text}");
        crate::adyen::refunded(&world, &payment, 1000).await;
        assert!(world.till_says(&["payment", "show", payment.as_str()]).await.contains("succeeded"));
    }
}
