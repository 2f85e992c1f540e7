//! The Adyen simulator's payments: the shopper's page, and the results of modifications.

mod common;

use common::{
    Server,
    adyen::{GOOD, KEY, order},
};
use reqwest::Method;
use serde_json::{Value, json};

fn psp(payment: &Value) -> String {
    payment["pspReference"].as_str().unwrap().to_owned()
}

async fn authorised(server: &Server) -> String {
    psp(&server.paid(json!({"manualCapture": true}), "Ada").await)
}

#[tokio::test]
async fn a_paid_link_is_captured_by_itself_and_only_the_authorisation_is_told() {
    let server = Server::start().await;
    let id = server.link(json!({})).await["id"].as_str().unwrap().to_owned();
    let (status, location, _) = server.submit(&format!("/adyen/pay/{id}"), GOOD).await;
    assert!(status == 303 && location.starts_with("https://shop.example/back?order=17&redirectResult="), "{location}");
    let payment = server.payments_of(&id).await.remove(0);
    assert_eq!((&payment["status"], &payment["captured"]), (&"Authorised".into(), &2598.into()));
    server.control("/_control/advance", r#"{"seconds":100}"#).await;
    let told = server.notices(&psp(&payment)).await;
    assert_eq!(told.len(), 1);
    let item = &told[0];
    assert_eq!(
        (&item["eventCode"], &item["success"], &item["merchantReference"]),
        (&"AUTHORISATION".into(), &"true".into(), &"order-17".into())
    );
    assert_eq!(
        (&item["additionalData"]["paymentLinkId"], &item["additionalData"]["metadata.order"]),
        (&id.as_str().into(), &"17".into())
    );
    assert_eq!(
        (&item["operations"], &item["paymentMethod"]),
        (&json!(["CANCEL", "CAPTURE", "REFUND"]), &"visa".into())
    );
    assert!(item.get("originalReference").is_none());
    let (_, _, link) = server.adyen(Method::GET, &format!("paymentLinks/{id}"), Value::Null, &[]).await;
    assert_eq!(link["status"], "completed");
}

#[tokio::test]
async fn a_decline_leaves_the_page_open_and_a_reload_is_not_tried_again() {
    let server = Server::start().await;
    let id = server.link(json!({})).await["id"].as_str().unwrap().to_owned();
    let page = format!("/adyen/pay/{id}");
    let form = format!("{GOOD}NOT_ENOUGH_BALANCE&attempt=0");
    for _ in 0..2 {
        let (status, _, text) = server.submit(&page, &form).await;
        assert!(
            status == 402 && text.contains("Not enough balance") && text.contains(">Pay €25.98</button>"),
            "{status}"
        );
    }
    assert_eq!(server.submit(&page, "action=decline").await.0, 402);
    let declined = server.payments_of(&id).await;
    assert_eq!(declined.len(), 2);
    let told = server.notices(&psp(&declined[1])).await;
    assert_eq!((&told[0]["success"], &told[0]["reason"]), (&"false".into(), &"Not enough balance".into()));
    assert_eq!(server.submit(&page, GOOD).await.0, 303);
}

#[tokio::test]
async fn the_bank_decides_after_a_challenge() {
    let server = Server::start().await;
    let id = server.link(json!({})).await["id"].as_str().unwrap().to_owned();
    let page = format!("/adyen/pay/{id}");
    let secure = "number=5454545454545454&expiry=03/30&cvc=737&holderName=Ada";
    let bank = (303, format!("{page}/3ds"));
    let (status, location, _) = server.submit(&page, secure).await;
    assert_eq!((status, location), bank);
    assert_eq!(server.submit(&format!("{page}/3ds"), "result=fail").await.1, page);
    let failed = server.payments_of(&id).await.remove(0);
    assert_eq!((&failed["status"], &failed["refusal"]), (&"Refused".into(), &"3D Not Authenticated".into()));
    let (status, location, _) = server.submit(&page, "action=challenge").await;
    assert_eq!((status, location), bank);
    let (status, location, _) = server.submit(&format!("{page}/3ds"), "result=complete").await;
    assert!(status == 303 && location.starts_with("https://shop.example/"));
    assert_eq!(server.submit(&format!("{page}/3ds"), "result=complete").await.0, 409);
    assert_eq!(server.payments_of(&id).await.len(), 2);
}

#[tokio::test]
async fn a_second_payment_is_refused_unless_the_provider_is_told_to_err() {
    let server = Server::start().await;
    let id = server.link(json!({})).await["id"].as_str().unwrap().to_owned();
    let page = format!("/adyen/pay/{id}");
    let (one, two) = tokio::join!(server.submit(&page, GOOD), server.submit(&page, GOOD));
    let mut statuses = [one.0, two.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    assert!(one.2.contains("already paid") || two.2.contains("already paid"));
    server.control("/_control/adyen/webhooks", r#"{"allow_double_payment":true}"#).await;
    assert_eq!(server.submit(&page, GOOD).await.0, 303);
    let payments = server.payments_of(&id).await;
    assert_eq!(payments.len(), 2);
    assert_ne!(payments[0]["pspReference"], payments[1]["pspReference"]);
    let reusable = server.link(json!({"reusable": true})).await["id"].as_str().unwrap().to_owned();
    server.control("/_control/reset", "").await;
    for _ in 0..2 {
        assert_eq!(server.submit(&format!("/adyen/pay/{reusable}"), GOOD).await.0, 303);
    }
    assert_eq!(server.submit(&page, GOOD).await.0, 409);
}

#[tokio::test]
async fn the_page_is_labelled_and_merchant_text_is_never_markup() {
    let server = Server::start().await;
    let lines = json!([{"description": "<script>x</script>", "quantity": 2, "amountIncludingTax": 1299}]);
    let link = server.link(json!({"description": "\"><b>", "lineItems": lines})).await;
    let id = link["id"].as_str().unwrap();
    let page = server.bare(Method::GET, &format!("/adyen/pay/{id}"), "", &[]).await;
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let page = page.text().await.unwrap();
    assert!(page.contains("&lt;script&gt;x&lt;/script&gt;") && !page.contains("<script>x") && !page.contains("\"><b>"));
    for label in ["Card number", "Expiry", "Security code", "Name on card"] {
        assert!(page.contains(&format!(">{label}</label>")), "{label}");
    }
    assert!(page.contains("× 2</span></span><span class=\"price\">€25.98"));
    assert!(page.contains("Simulated Adyen page") && page.contains("Cancel and go back"));
    let (status, location, _) = server.submit(&format!("/adyen/pay/{id}/cancel"), "").await;
    assert_eq!((status, location.as_str()), (303, "https://shop.example/back?order=17"));
    assert_eq!(server.submit("/adyen/pay/PLX", GOOD).await.0, 404);
}

#[tokio::test]
async fn captures_add_up_to_what_was_authorised() {
    let server = Server::start().await;
    let psp = authorised(&server).await;
    let first = server.modify(&psp, "captures", Some(1000)).await;
    assert_eq!((&first["paymentPspReference"], &first["reference"]), (&psp.as_str().into(), &"captures-1".into()));
    assert_eq!((&first["amount"]["value"], &first["merchantAccount"]), (&1000.into(), &"TillDemo".into()));
    assert_eq!(first["pspReference"].as_str().unwrap().len(), 16);
    server.modify(&psp, "captures", Some(1599)).await;
    server.modify(&psp, "captures", Some(1598)).await;
    assert_eq!(server.story(&psp).await, ["AUTHORISATION true", "CAPTURE true", "CAPTURE false", "CAPTURE true"]);
    let told = server.notices(&psp).await;
    assert_eq!(
        (&told[1]["pspReference"], &told[1]["originalReference"]),
        (&first["pspReference"], &psp.as_str().into())
    );
    assert_eq!((&told[1]["merchantReference"], &told[1]["amount"]["value"]), (&"captures-1".into(), &1000.into()));
    assert_eq!(server.payment(&psp).await["captured"], 2598);
}

#[tokio::test]
async fn cancels_and_captures_exclude_each_other() {
    let server = Server::start().await;
    let cancelled = authorised(&server).await;
    server.modify(&cancelled, "cancels", None).await;
    server.modify(&cancelled, "captures", Some(2598)).await;
    server.modify(&cancelled, "cancels", None).await;
    assert_eq!(
        server.story(&cancelled).await,
        ["AUTHORISATION true", "CANCELLATION true", "CAPTURE false", "CANCELLATION false"]
    );
    let captured = authorised(&server).await;
    server.modify(&captured, "captures", Some(1)).await;
    server.modify(&captured, "cancels", None).await;
    assert_eq!(server.story(&captured).await, ["AUTHORISATION true", "CAPTURE true", "CANCELLATION false"]);
}

#[tokio::test]
async fn refunds_give_back_at_most_what_was_taken() {
    let server = Server::start().await;
    let psp = authorised(&server).await;
    server.modify(&psp, "refunds", Some(1)).await;
    server.modify(&psp, "captures", Some(1000)).await;
    server.modify(&psp, "refunds", Some(600)).await;
    server.modify(&psp, "refunds", Some(401)).await;
    server.modify(&psp, "refunds", Some(400)).await;
    assert_eq!(
        server.story(&psp).await,
        ["AUTHORISATION true", "REFUND false", "CAPTURE true", "REFUND true", "REFUND false", "REFUND true"]
    );
    assert_eq!(server.payment(&psp).await["refunded"], 1000);
}

#[tokio::test]
async fn a_reversal_cancels_or_refunds_whichever_is_possible() {
    let server = Server::start().await;
    let uncaptured = authorised(&server).await;
    server.modify(&uncaptured, "reversals", None).await;
    let captured = psp(&server.paid(json!({}), "Ada").await);
    server.modify(&captured, "refunds", Some(98)).await;
    server.modify(&captured, "reversals", None).await;
    for (payment, action, amount) in [(&uncaptured, "cancel", 2598), (&captured, "refund", 2500)] {
        let told = server.notices(payment).await.pop().unwrap();
        assert_eq!((&told["eventCode"], &told["success"]), (&"CANCEL_OR_REFUND".into(), &"true".into()));
        assert_eq!(
            (&told["additionalData"]["modification.action"], &told["amount"]["value"]),
            (&action.into(), &amount.into())
        );
    }
    assert_eq!(server.payment(&uncaptured).await["cancelled"], true);
    assert_eq!(server.payment(&captured).await["refunded"], 2598);
}

#[tokio::test]
async fn modifications_need_a_known_payment_and_its_currency() {
    let server = Server::start().await;
    let psp = authorised(&server).await;
    let body = json!({"merchantAccount": "TillDemo", "amount": {"value": 1, "currency": "EUR"}});
    let (status, refused) = server.adyen_post("payments/0000000000000000/captures", body.clone()).await;
    assert_eq!((status, &refused["errorCode"]), (422, &"167".into()));
    let mut dollars = body.clone();
    dollars["amount"]["currency"] = "USD".into();
    assert_eq!(server.adyen_post(&format!("payments/{psp}/captures"), dollars).await.0, 422);
    assert_eq!(
        server.adyen_post(&format!("payments/{psp}/refunds"), json!({"merchantAccount": "TillDemo"})).await.0,
        422
    );
    let standalone = json!({"merchantAccount": "TillDemo", "paymentReference": "order-17"});
    let (status, reply) = server.adyen_post("cancels", standalone).await;
    assert_eq!((status, &reply["paymentReference"]), (201, &"order-17".into()));
    server.control("/_control/advance", r#"{"seconds":1}"#).await;
    assert_eq!(server.payment(&psp).await["cancelled"], true);
    // A capture of a refused attempt is acknowledged as well; its failure is notified afterwards.
    let refused = server.paid(json!({}), "DECLINED").await["pspReference"].as_str().unwrap().to_owned();
    server.modify(&refused, "captures", Some(1)).await;
    assert_eq!(server.story(&refused).await, ["AUTHORISATION false", "CAPTURE false"]);
}

#[tokio::test]
async fn results_come_after_the_delay_the_control_api_sets() {
    let server = Server::start().await;
    server.control("/_control/adyen/webhooks", r#"{"modification_ms":3600000}"#).await;
    let psp = authorised(&server).await;
    server.modify(&psp, "captures", Some(2598)).await;
    assert_eq!(server.payment(&psp).await["captured"], 0);
    server.control("/_control/advance", r#"{"seconds":3601}"#).await;
    assert_eq!(server.payment(&psp).await["captured"], 2598);
}

#[tokio::test]
async fn what_is_not_captured_in_time_expires() {
    let server = Server::start().await;
    let manual = authorised(&server).await;
    server.modify(&manual, "captures", Some(600)).await;
    let delayed = psp(&server.paid(json!({"captureDelayHours": 2}), "Ada").await);
    let by_minus_one = psp(&server.paid(json!({"captureDelayHours": -1}), "Ada").await);
    assert_eq!(server.payment(&delayed).await["captured"], 0);
    server.control("/_control/advance", r#"{"seconds":7201}"#).await;
    assert_eq!(server.payment(&delayed).await["captured"], 2598);
    assert_eq!(server.story(&delayed).await, ["AUTHORISATION true"]);
    server.control("/_control/advance", r#"{"seconds":2419201}"#).await;
    assert_eq!(server.story(&manual).await, ["AUTHORISATION true", "CAPTURE true", "EXPIRE true"]);
    assert_eq!(server.notices(&manual).await[2]["amount"]["value"], 1998);
    assert_eq!(server.story(&by_minus_one).await, ["AUTHORISATION true", "EXPIRE true"]);
}

#[tokio::test]
async fn some_things_go_wrong_later() {
    let server = Server::start().await;
    let capture = psp(&server.paid(json!({"manualCapture": true}), "capture failed").await);
    let taken = server.modify(&capture, "captures", Some(2598)).await;
    let refund = psp(&server.paid(json!({}), "refund failed").await);
    server.modify(&refund, "refunds", Some(2598)).await;
    let pending = server.paid(json!({}), "PENDING").await;
    assert_eq!(pending["status"], "Received");
    let path = format!("paymentLinks/{}", pending["checkout"].as_str().unwrap());
    assert_eq!(server.adyen(Method::GET, &path, Value::Null, &[]).await.2["status"], "paymentPending");
    server.control("/_control/advance", r#"{"seconds":10}"#).await;
    assert_eq!(server.story(&capture).await, ["AUTHORISATION true", "CAPTURE true", "CAPTURE_FAILED true"]);
    assert_eq!(server.notices(&capture).await[2]["pspReference"], taken["pspReference"]);
    assert_eq!(server.story(&refund).await, ["AUTHORISATION true", "REFUND true", "REFUND_FAILED true"]);
    assert_eq!(server.payment(&refund).await["refunded"], 0);
    assert_eq!(server.story(&psp(&pending)).await, ["AUTHORISATION true"]);
    assert_eq!(server.adyen(Method::GET, &path, Value::Null, &[]).await.2["status"], "completed");
}

#[tokio::test]
async fn triggers_make_disputes_and_late_failures() {
    let server = Server::start().await;
    let paid = psp(&server.paid(json!({}), "Ada").await);
    let trigger =
        async |psp: &str, name: &str| server.post(&format!("/_control/adyen/payments/{psp}/{name}"), "").await.0;
    assert_eq!(trigger(&paid, "chargeback_reversed").await, 409);
    assert_eq!(trigger(&paid, "chargeback").await, 200);
    assert_eq!(server.payment(&paid).await["charged_back"], 2598);
    assert_eq!(trigger(&paid, "chargeback").await, 409);
    assert_eq!(trigger(&paid, "chargeback_reversed").await, 200);
    assert_eq!(trigger(&paid, "second_chargeback").await, 200);
    assert_eq!(
        server.story(&paid).await,
        [
            "AUTHORISATION true",
            "NOTIFICATION_OF_CHARGEBACK true",
            "CHARGEBACK true",
            "CHARGEBACK_REVERSED true",
            "SECOND_CHARGEBACK true"
        ]
    );
    let told = server.notices(&paid).await;
    assert!(told[1..].iter().all(|item| item["pspReference"] == told[1]["pspReference"]));
    let parts = psp(&server.paid(json!({}), "Ada").await);
    assert_eq!(trigger(&parts, "chargeback").await, 200);
    for (amount, left) in [(1000, 1598), (598, 1000)] {
        let address = format!("/_control/adyen/payments/{parts}/chargeback_reversed");
        assert_eq!(server.post(&address, &json!({"amount": amount}).to_string()).await.0, 200);
        assert_eq!(server.payment(&parts).await["charged_back"], left);
        assert_eq!(server.payment(&parts).await["dispute_state"], "partly won");
    }
    let told = server.notices(&parts).await;
    let back: Vec<_> = told.iter().filter(|item| item["eventCode"] == "CHARGEBACK_REVERSED").collect();
    assert_eq!(back.iter().map(|item| item["amount"]["value"].as_i64().unwrap()).collect::<Vec<_>>(), [1000, 598]);
    assert_eq!(back[0]["pspReference"], back[1]["pspReference"], "parts of one dispute");
    let other = psp(&server.paid(json!({}), "Ada").await);
    assert_eq!(trigger(&other, "refund_failed").await, 409);
    server.modify(&other, "refunds", Some(100)).await;
    server.modify(&other, "refunds", Some(200)).await;
    assert_eq!((trigger(&other, "refund_failed").await, trigger(&other, "refunded_reversed").await), (200, 200));
    assert_eq!(trigger(&other, "capture_failed").await, 200);
    assert_eq!(
        server.story(&other).await[3..],
        ["REFUND_FAILED true", "REFUNDED_REVERSED true", "CAPTURE_FAILED true"]
    );
    let rest = server.payment(&other).await;
    assert_eq!((&rest["captured"], &rest["refunded"]), (&0.into(), &0.into()));
    assert_eq!((trigger(&other, "nonsense").await, trigger("X", "chargeback").await), (409, 409));
    let waiting = authorised(&server).await;
    assert_eq!((trigger(&waiting, "expire").await, trigger(&waiting, "expire").await), (200, 409));
}

#[tokio::test]
async fn a_report_sums_up_and_needs_the_key() {
    let server = Server::start().await;
    let one = psp(&server.paid(json!({}), "Ada").await);
    server.paid(json!({"reference": "a \"quoted\", one", "amount": {"value": 1000, "currency": "EUR"}}), "Ada").await;
    server.modify(&one, "refunds", Some(98)).await;
    assert_eq!(server.post(&format!("/_control/adyen/payments/{one}/report"), "").await.0, 200);
    let told = &server.get("/_control/adyen/notifications?code=REPORT_AVAILABLE").await.1["notifications"][0]["item"];
    let url = told["reason"].as_str().unwrap().strip_prefix(&server.url).unwrap().to_owned();
    assert!(url.ends_with(told["pspReference"].as_str().unwrap()));
    assert_eq!(server.bare(Method::GET, &url, "", &[]).await.status(), 401);
    assert_eq!(server.bare(Method::GET, &url, "", &[("x-api-key", "AQEanother0123456")]).await.status(), 404);
    let text = server.bare(Method::GET, &url, "", &[("x-api-key", KEY)]).await.text().await.unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[0].len(), 30);
    assert!(rows.iter().all(|row| row.len() == 30 || row[3].starts_with("\"a ")), "{text}");
    let cents = |text: &str| text.replace('.', "").parse::<i64>().unwrap_or(0);
    // The quoted comma makes one more field, so the columns are counted from the end.
    let sum: i64 = rows[1..4].iter().map(|row| cents(row[row.len() - 15]) - cents(row[row.len() - 16])).sum();
    assert_eq!((rows[4][7], cents(rows[4][14]), sum), ("MerchantPayout", sum, 2598 - 25 + 1000 - 10 - 98));
    // A movement of one report is not in the next one.
    assert_eq!(server.post(&format!("/_control/adyen/payments/{one}/report"), "").await.0, 200);
    let next = server.bare(Method::GET, &url.replace("batch_1", "batch_2"), "", &[("x-api-key", KEY)]).await;
    assert_eq!(next.text().await.unwrap().lines().count(), 1);
}

#[tokio::test]
async fn reference_is_the_shops_and_amounts_may_lie_on_request() {
    let server = Server::start().await;
    server.control("/_control/adyen/webhooks", r#"{"amount_delta":-98}"#).await;
    let paid = server.paid(json!({"reference": "a:b\\c"}), "Ada").await;
    let told = server.notices(&psp(&paid)).await.remove(0);
    assert_eq!((&told["amount"]["value"], &told["merchantReference"]), (&2500.into(), &"a:b\\c".into()));
    assert_eq!(order(json!({}))["amount"]["value"], 2598);
}
