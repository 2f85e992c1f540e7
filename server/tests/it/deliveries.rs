//! Every validly signed delivery is acknowledged: after a refusal the provider would hold back later deliveries. Only a
//! clear delivery is applied, and only one that concerns this installation raises an alert.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connectors::HttpResponse;
use domain::checkout::Phase;
use engine::Page;
use engine::store::inbox::{InboxRow, InboxState};
use serde_json::{Value, json};

use crate::world::{World, eventually, paid_event, random_hex, seconds, sign};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";

/// Sends a notice of the account, signed as Adyen signs.
pub(crate) async fn notice(world: &World, item: &Value) -> HttpResponse {
    let mut item = item.clone();
    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let amount = item["amount"]["value"].as_i64().map_or_else(String::new, |value| value.to_string());
    let signed = [
        text("pspReference"),
        text("originalReference"),
        text("merchantAccountCode"),
        text("merchantReference"),
        amount,
        item["amount"]["currency"].as_str().unwrap_or_default().to_owned(),
        text("eventCode"),
        text("success"),
    ];
    item["additionalData"]["hmacSignature"] = json!(hmac_base64(&world.webhook_secret, &signed.join(":")));
    let body = json!({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}).to_string();
    world.send(Method::POST, &world.account.webhook_url, "application/json", &body, &[]).await
}

fn hmac_base64(key: &str, text: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&hex::decode(key).unwrap()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn report(name: &str, currency: &str) -> Value {
    json!({"pspReference": name, "originalReference": "", "merchantAccountCode": "HarbourBooks", "merchantReference": "",
        "amount": {"value": 0, "currency": currency}, "eventCode": "REPORT_AVAILABLE", "success": "true",
        "reason": "https://ca-test.adyen.com/reports/download/x"})
}

async fn row_of(world: &World, event: &str) -> InboxRow {
    let rows = world.inbox().await;
    rows.iter().find(|row| row.event.contains(event)).unwrap_or_else(|| panic!("no {event} in {rows:?}")).clone()
}

both_at_adyen! {
    async fn a_signed_notice_is_accepted_whatever_its_reference_holds(world: World) {
        let colons = "settlement_detail_report_2026-11-29T10:15:00.csv";
        let long = format!("{}.csv", "r".repeat(300));
        for (name, currency) in [(colons, "EUR"), (&long, "EUR"), ("plain.csv", "ZWG"), ("tab\tname\u{0}.csv", "EUR")] {
            let reply = notice(&world, &report(name, currency)).await;
            assert_eq!((reply.status, &reply.body[..]), (202, &b"[accepted]"[..]), "{name} {currency}");
        }
        world.inbox_is_empty().await;
        let rows = world.inbox().await;
        assert_eq!(rows.len(), 4, "{rows:?}");
        assert!(rows.iter().all(|row| row.state == InboxState::Ignored), "{rows:?}");
        assert!(rows.iter().all(|row| row.event.chars().count() <= 255 && !row.event.contains('\0')), "{rows:?}");
        let again = notice(&world, &report(colons, "EUR")).await;
        assert_eq!((again.status, world.inbox().await.len()), (202, 4), "a repetition is a duplicate");
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}

both_at_adyen! {
    async fn a_notice_that_reads_in_two_ways_is_accepted_and_never_applied(world: World) {
        let (session, payment) = crate::adyen::paid(&world).await;
        let psp = crate::adyen::psp(&world, &payment).await;
        let refund = json!({"pspReference": "8835:RF1", "originalReference": psp, "merchantAccountCode": "HarbourBooks",
            "merchantReference": "order-7", "amount": {"value": 100, "currency": "EUR"}, "eventCode": "REFUND", "success": "true"});
        assert_eq!(notice(&world, &refund).await.status, 202);
        world.inbox_is_empty().await;
        let (text, times) = world.alert("webhook_unreadable").await;
        assert!(text.contains(payment.as_str()) && times == 1, "{times} times: {text}");
        assert_eq!(world.inbox().await.last().unwrap().state, InboxState::Unreadable);
        assert_eq!((world.phase(&session).await, world.statement(&payment).await.totals.refunded), (Phase::Paid, 0));
        // The same signed text, split elsewhere into fields, does not replace the event that Adyen meant.
        let plain = json!({"pspReference": "8835RF2", "originalReference": psp, "merchantAccountCode": "HarbourBooks",
            "merchantReference": "a:b", "amount": {"value": 100, "currency": "EUR"}, "eventCode": "REFUND", "success": "true"});
        let mut cut = plain.clone();
        cut["originalReference"] = json!(format!("{psp}:HarbourBooks"));
        cut["merchantAccountCode"] = json!("a");
        cut["merchantReference"] = json!("b");
        assert_eq!(notice(&world, &cut).await.status, 202);
        assert_eq!(notice(&world, &plain).await.status, 202);
        crate::adyen::refunded(&world, &payment, 100).await;
        world.books_are_right().await;
    }
}

both_at_adyen! {
    async fn what_others_do_on_the_merchant_account_in_currencies_of_theirs_is_no_alarm(world: World) {
        let foreign = |code: &str, psp: &str| json!({"pspReference": psp, "originalReference": "8835OTHER",
            "merchantAccountCode": "HarbourBooks", "merchantReference": "order-7", "amount": {"value": 100, "currency": "ZWG"},
            "eventCode": code, "success": "true"});
        for (index, code) in ["AUTHORISATION", "CAPTURE", "REFUND", "CHARGEBACK", "CANCELLATION", "CANCEL_OR_REFUND"].iter().enumerate() {
            assert_eq!(notice(&world, &foreign(code, &format!("8835{index}"))).await.status, 202, "{code}");
        }
        let mut company = foreign("REFUND", "88359");
        company["merchantAccountCode"] = json!("TheirBooks");
        assert_eq!(notice(&world, &company).await.status, 202, "of another merchant account of the company");
        eventually("it is settled", || async { row_of(&world, "88359").await.state == InboxState::Foreign }).await;
        let waits = |row: &InboxRow| row.state == InboxState::Waiting && row.note.is_none();
        assert!(world.inbox().await.iter().all(|row| row.state != InboxState::Unreadable), "{:?}", world.inbox().await);
        assert!(world.inbox().await.iter().any(waits), "their payments may still become known");
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}

async fn deliver(world: &World, url: &str, body: &str) -> HttpResponse {
    let signature = sign(&world.webhook_secret, seconds(), body);
    world.send(Method::POST, url, "application/json", body, &[("stripe-signature", &signature)]).await
}

both! {
    async fn a_signed_body_that_is_no_event_is_accepted_and_pointed_out(world: World) {
        for body in ["not json", "[]", "{}", r#"{"id":""}"#, r#"{"id":7}"#] {
            assert_eq!(deliver(&world, &world.account.webhook_url, body).await.status, 200, "{body}");
            assert_eq!(deliver(&world, &world.account.webhook_url, body).await.status, 200, "{body} again");
        }
        world.inbox_is_empty().await;
        let rows = world.inbox().await;
        assert_eq!(rows.len(), 5, "{rows:?}");
        assert!(rows.iter().all(|row| row.state == InboxState::Unreadable), "{rows:?}");
        assert_eq!(world.alert("webhook_unreadable").await.1, 5);
    }
}

both! {
    async fn a_thin_event_is_settled_quietly(world: World) {
        let thin = json!({"id": "evt_test_65RM8sQH2oXnebF5Rpc16RJyfa2xSQLHJJh1sxm7H0KI92", "object": "v2.core.event",
            "type": "v1.billing.meter.error_report_triggered", "livemode": false, "created": "2026-11-29T22:00:00.123Z",
            "context": "acct_1", "changes": null, "reason": null,
            "related_object": {"id": "mtr_1", "type": "billing.meter", "url": "/v1/billing/meters/mtr_1"}});
        world.deliver(&thin).await;
        let ping = json!({"id": "evt_test_ping", "object": "v2.core.event", "type": "v2.core.event_destination.ping",
            "created": "2026-11-29T22:00:00.123Z", "related_object": null});
        world.deliver(&ping).await;
        world.inbox_is_empty().await;
        assert!(world.inbox().await.iter().all(|row| row.state == InboxState::Ignored), "{:?}", world.inbox().await);
        assert_eq!(row_of(&world, "65RM").await.kind.as_deref(), Some("v1.billing.meter.error_report_triggered"));
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}

both! {
    async fn payments_of_another_installation_on_the_same_provider_account_are_no_alarm(world: World) {
        let elsewhere = |metadata: Value| {
            let attempt = "att_0123456789abcdefghjkmnpqrs";
            let body = paid_event(&format!("evt_{}", random_hex()), attempt, "cs_elsewhere", 3098, "eur");
            let mut event: Value = serde_json::from_str(&body).unwrap();
            event["data"]["object"]["metadata"] = metadata;
            event["data"]["object"]["metadata"]["till_attempt"] = json!(attempt);
            event
        };
        let session = world.session().await;
        world.start(&session).await;
        let ours = world.provider("/v1/checkout/sessions").await["data"][0]["metadata"].clone();
        assert_eq!(ours["till_account"], json!(world.account.id), "a session says whose it is: {ours}");
        let foreign = elsewhere(json!({"till_account": "pa_0123456789abcdefghjkmnpqrs"}));
        world.deliver(&foreign).await;
        // A payment of this account that the database does not know is different: it may have been lost.
        let lost = elsewhere(json!({"till_account": world.account.id}));
        world.deliver(&lost).await;
        eventually("it is settled", || async {
            row_of(&world, foreign["id"].as_str().unwrap()).await.state == InboxState::Foreign
        })
        .await;
        assert_eq!(row_of(&world, lost["id"].as_str().unwrap()).await.state, InboxState::Waiting);
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
    }
}

both! {
    async fn what_another_account_of_the_installation_is_paid_with_is_no_alarm(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let other = crate::world::account_at(&world.sandbox, &world.secret_key, &world.webhook_secret);
        let other = world.accounts().add(other).await.unwrap();
        let events = world.provider("/v1/events?limit=100").await;
        for event in events["data"].as_array().unwrap() {
            assert_eq!(deliver(&world, &other.webhook_url, &event.to_string()).await.status, 200);
        }
        world.inbox_is_empty().await;
        let theirs = world.upkeep().deliveries(&other.id.parse().unwrap(), &Page::first(100)).await.unwrap().rows;
        assert!(theirs.iter().any(|row| row.state == InboxState::Foreign), "{theirs:?}");
        assert!(theirs.iter().all(|row| matches!(row.state, InboxState::Foreign | InboxState::Ignored)), "{theirs:?}");
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
        assert_eq!(world.statement(&payment).await.totals.captured, 3098);
    }
}

both! {
    async fn a_large_event_is_accepted_and_one_beyond_the_bound_alarms(world: World) {
        let large = |megabytes: usize| json!({"id": format!("evt_{megabytes}"), "object": "event", "type": "invoice.created",
            "created": seconds(), "livemode": false, "data": {"object": {"id": "in_1", "description": "x".repeat(megabytes << 20)}}});
        world.deliver(&large(3)).await;
        assert_eq!(row_of(&world, "evt_3").await.state, InboxState::Ignored);
        let (_, bytes) = world.upkeep().delivery(&row_of(&world, "evt_3").await.id).await.unwrap();
        assert_eq!(bytes.unwrap().len(), large(3).to_string().len());
        assert_eq!(world.alert_kinds().await, Vec::<String>::new());
        let url = world.account.webhook_url.clone();
        assert_eq!(deliver(&world, &url, &large(5).to_string()).await.status, 413);
        let (text, times) = world.alert("webhook_rejected").await;
        assert!(text.contains("too large") && text.contains("bytes") && times == 1, "{text}");
    }
}

both! {
    async fn a_control_character_in_a_signed_event_holds_nothing_up(world: World) {
        let (session, payment) = world.paid_with(GOOD).await;
        let intent = world.intent_of(&payment).await;
        let event = |id: &str, kind: &str, object: Value| json!({"id": id, "object": "event", "type": kind, "created": seconds(),
            "livemode": false, "data": {"object": object}});
        let ids = ["evt_\0", "evt_%00", "evt_\u{1b}[31m", "evt_\u{7f}"];
        for id in ids {
            world.deliver(&event(id, "customer.created", json!({"id": "cus_1"}))).await;
            world.deliver(&event(id, "customer.created", json!({"id": "cus_1"}))).await;
        }
        world.deliver(&event("evt_kind", "customer.\0created", json!({"id": "cus_1"}))).await;
        let refund = json!({"id": "re_\0", "payment_intent": intent, "amount": 100, "currency": "eur", "status": "succeeded",
            "balance_transaction": "txn_1"});
        world.deliver(&event("evt_refund", "refund.created", refund)).await;
        let mut stranger = event("evt_stranger", "payment_intent.succeeded", json!({"id": "pi_\0", "status": "succeeded",
            "amount": 5, "amount_received": 5, "currency": "eur"}));
        world.deliver(&stranger).await;
        stranger["id"] = json!("evt_account");
        stranger["account"] = json!("acct_\0");
        world.deliver(&stranger).await;
        stranger["id"] = json!("evt_broken");
        stranger["account"] = Value::Null;
        stranger["data"]["object"]["status"] = json!({"\0": "\0"});
        world.deliver(&stranger).await;
        eventually("the refund is applied", || async { world.statement(&payment).await.totals.refunded == 100 }).await;
        eventually("all are looked at", || async {
            world.engine().backlog().await.unwrap() <= 1
        })
        .await;
        let rows = world.inbox().await;
        let seen: std::collections::BTreeSet<_> = rows.iter().map(|row| row.event.clone()).collect();
        assert_eq!(seen.len(), rows.len());
        assert!(rows.iter().all(|row| !row.event.chars().any(char::is_control)), "{seen:?}");
        let odd = rows.iter().filter(|row| row.kind.as_deref() == Some("customer.created"));
        assert_eq!(odd.count(), ids.len(), "each is one event: {seen:?}");
        assert_eq!(world.phase(&session).await, Phase::PartlyRefunded);
        assert!(!world.alert_kinds().await.contains(&"webhook_failing".to_owned()));
    }
}

both! {
    async fn a_mistyped_address_works_or_leaves_a_trace(world: World) {
        let customer = json!({"id": "evt_slash", "object": "event", "type": "customer.created", "created": 1, "livemode": false,
            "data": {"object": {"id": "cus_1"}}})
        .to_string();
        let slash = format!("{}/", world.account.webhook_url);
        assert_eq!(deliver(&world, &slash, &customer).await.status, 200, "a slash at the end means the same account");
        assert_eq!(row_of(&world, "evt_slash").await.state, InboxState::Ignored);
        let (known, unknown) = (world.account.id.clone(), "pa_00000000000000000000000000");
        for path in [format!("/hooks/stripe/{unknown}"), "/hooks/stripe/nonsense".to_owned(), format!("/hooks/adyen/{known}"),
            format!("/hooks/strip/{known}"), format!("/hooks/stripe/{known}/events"), "/hooks/stripe".to_owned(), "/hooks/".to_owned(),
            format!("/webhooks/stripe/{known}"), format!("//hooks/stripe/{known}"), format!("/HOOKS/stripe/{unknown}")]
        {
            let url = format!("{}{path}", world.node.url);
            for _ in 0..2 {
                assert_eq!(deliver(&world, &url, &customer).await.status, 404, "{path}");
            }
        }
        // A scanner's guess is no delivery.
        for guess in ["/webhook", "/webhooks/github", "/hookshot/stripe"] {
            assert_eq!(deliver(&world, &format!("{}{guess}", world.node.url), &customer).await.status, 404, "{guess}");
        }
        let alerts = world.upkeep().alerts(100).await.unwrap();
        let about = |text: &str| alerts.iter().filter(|alert| alert.kind == "webhook_no_account" && alert.subject.contains(text)).count();
        assert_eq!(about(&known), 1, "the account is known, its address is {}: {alerts:?}", world.account.webhook_url);
        assert!(alerts.iter().any(|alert| alert.subject.contains(&known) && alert.detail.contains(&world.account.webhook_url)), "{alerts:?}");
        assert_eq!(alerts.iter().filter(|alert| alert.kind == "webhook_no_account").count(), 2, "one for all unknown addresses: {alerts:?}");
        let unknown = alerts.iter().find(|alert| alert.kind == "webhook_no_account" && !alert.subject.contains(&known)).unwrap();
        assert_eq!(unknown.times, 16, "{unknown:?}");
    }
}
