//! The control page: each form makes a change, leads back to the page, and shows the result.

mod common;

use common::{Receiver, Server};
use reqwest::Method;

async fn page(server: &Server) -> String {
    server.send(Method::GET, "/", "", &[]).await.text().await.unwrap()
}

/// Posts a form and follows its redirect to the page.
async fn post(server: &Server, path: &str, form: &str) -> String {
    let (status, location, _) = server.submit(path, form).await;
    assert_eq!(status, 303, "{path}");
    let path = location.split('#').next().unwrap().to_owned();
    server.send(Method::GET, &path, "", &[]).await.text().await.unwrap()
}

#[tokio::test]
async fn a_fault_is_added_shown_struck_and_removed() {
    let server = Server::start().await;
    assert!(page(&server).await.contains("the simulator behaves"));
    let form = "fault=error_503&provider=stripe&operation=balance.*&count=2&probability=100&delay_ms=&copies=&amount_delta=&account=";
    let shown = post(&server, "/_control/form/faults", form).await;
    for text in ["Fault added.", "Error 503", "<code>balance.*</code>", "100 % of the time, 2 more times"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert_eq!(server.get("/v1/balance").await.0, 503);
    let shown = page(&server).await;
    assert!(shown.contains("once more") && shown.contains("happened once so far"), "{shown}");
    let shown = post(&server, "/_control/form/faults/flt_1/remove", "").await;
    assert!(shown.contains("Fault removed.") && shown.contains("the simulator behaves"), "{shown}");
    assert!(post(&server, "/_control/form/faults/flt_1/remove", "").await.contains("already gone"));
    assert_eq!(server.get("/v1/balance").await.0, 200);
}

#[tokio::test]
async fn a_fault_for_an_account_is_chosen_without_its_key_in_the_page() {
    let server = Server::start().await;
    let (_, account) = server.get("/v1/account").await;
    let form = format!("fault=error_500&account={}", account["id"].as_str().unwrap());
    let shown = post(&server, "/_control/form/faults", &form).await;
    assert!(shown.contains(account["id"].as_str().unwrap()) && !shown.contains(server.key), "{shown}");
    assert_eq!(server.get("/_control/faults").await.1["faults"][0]["account"], server.key);
}

#[tokio::test]
async fn a_refused_form_comes_back_as_it_was_typed() {
    let server = Server::start().await;
    for (form, says) in [
        ("fault=slow&operation=refunds.create&count=many", "Give a whole number"),
        ("fault=slow&operation=refunds.create&probability=120", "from 0 to 100"),
        ("fault=duplicate&operation=refunds.create&copies=99", "copies must be"),
        ("fault=slow&operation=refunds.create*x", "one *, at its end"),
    ] {
        let (status, _, shown) = server.submit("/_control/form/faults", form).await;
        assert_eq!(status, 422, "{form}");
        assert!(
            shown.contains(says) && shown.contains(r#"role="alert""#) && shown.contains("refunds.create"),
            "{shown}"
        );
        assert!(shown.contains(if form.contains("slow") { r#""slow" selected"# } else { r#""duplicate" selected"# }));
    }
    assert!(page(&server).await.contains("the simulator behaves"));
}

#[tokio::test]
async fn faults_are_cleared_and_everything_is_reset() {
    let server = Server::start().await;
    server.control("/_control/faults", r#"[{"fault":"slow"},{"fault":"drop"}]"#).await;
    let shown = post(&server, "/_control/form/faults/clear", "").await;
    assert!(shown.contains("2 faults removed.") && shown.contains("the simulator behaves"), "{shown}");
    server.control("/_control/webhooks", r#"{"drop":true,"retry_scale":0.5}"#).await;
    assert!(page(&server).await.contains("dropped, waits between tries at 500"));
    let shown = post(&server, "/_control/form/reset", "").await;
    assert!(!shown.contains("waits between tries"), "{shown}");
}

#[tokio::test]
async fn webhooks_are_held_shown_and_released() {
    let (server, receiver) = (Server::start().await, Receiver::start(&[]).await);
    let form =
        format!("url={}&enabled_events[]=checkout.session.completed&enabled_events[]=charge.succeeded", receiver.url);
    server.post("/v1/webhook_endpoints", &form).await;
    assert!(post(&server, "/_control/form/webhooks", "do=hold").await.contains("None is waiting yet"));
    let id = server.session("").await;
    server.pay(&id, "4242424242424242").await;
    let shown = page(&server).await;
    assert!(shown.contains("<dt>held</dt><dd>2</dd>") && shown.contains(&receiver.url), "{shown}");
    let shown = post(&server, "/_control/form/webhooks", "do=release_reversed").await;
    assert!(shown.contains("2 webhooks released."), "{shown}");
    let got = receiver.wait_for(2).await;
    assert!(std::str::from_utf8(&got[0].1).unwrap().contains(r#""type": "checkout.session.completed""#));
    assert_eq!(server.submit("/_control/form/webhooks", "do=shred").await.0, 422);
}

#[tokio::test]
async fn time_and_chance_are_set() {
    let server = Server::start().await;
    let id = server.session("").await;
    let shown = post(&server, "/_control/form/advance", "amount=2&unit=86400").await;
    assert!(shown.contains("Time advanced: 1 thing happened at once."), "{shown}");
    assert_eq!(server.get(&format!("/v1/checkout/sessions/{id}")).await.1["status"], "expired");
    for bad in ["amount=0&unit=60", "amount=-1&unit=60", "amount=4000000000&unit=86400", ""] {
        assert_eq!(server.submit("/_control/form/advance", bad).await.0, 422, "{bad}");
    }
    assert!(post(&server, "/_control/form/seed", "seed=77").await.contains(r#"value="77""#));
    assert_eq!(server.submit("/_control/form/seed", "seed=x").await.0, 422);
    assert_eq!(server.get("/_control/seed").await.1["seed"], 77);
}

#[tokio::test]
async fn recent_payments_and_calls_are_shown_with_their_faults() {
    let server = Server::start().await;
    let id = server.session("").await;
    server.pay(&id, "4242424242424242").await;
    server.control("/_control/faults", r#"{"fault":"error_500","operation":"balance.retrieve"}"#).await;
    server.get("/v1/balance").await;
    let shown = page(&server).await;
    for text in [&id[..18], "Mug", "GET balance.retrieve", "<code>error_500</code>", "Send again"] {
        assert!(shown.contains(text), "{text}");
    }
    assert!(!shown.contains(server.key), "keys are masked");
}

#[tokio::test]
async fn payments_at_adyen_are_shown_and_what_cannot_happen_there_is_refused() {
    let server = Server::start().await;
    let paid = server.paid(serde_json::json!({"reference": "<b>17"}), "Ada").await;
    let shown = page(&server).await;
    let link = format!(r#"<a href="/adyen/pay/{}">"#, paid["checkout"].as_str().unwrap());
    for text in [&link, paid["pspReference"].as_str().unwrap(), "&lt;b&gt;17", "Authorised"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let (status, _, shown) = server.submit("/_control/form/faults", "fault=stale&provider=adyen").await;
    assert!(status == 422 && shown.contains("its signature covers no time"), "{shown}");
    assert!(page(&server).await.contains("the simulator behaves"));
}

#[tokio::test]
async fn forms_from_another_site_are_refused() {
    let server = Server::start().await;
    let cross = [("sec-fetch-site", "cross-site")];
    for (method, path) in [
        (Method::POST, "/_control/form/faults"),
        (Method::POST, "/_control/form/reset"),
        (Method::POST, "/_control/form/advance"),
        (Method::POST, "/_control/seed"),
        (Method::POST, "/_control/faults"),
        (Method::DELETE, "/_control/faults"),
        (Method::DELETE, "/_control/faults/flt_1"),
    ] {
        assert_eq!(server.send(method, path, "fault=slow", &cross).await.status(), 403, "{path}");
    }
    assert!(page(&server).await.contains("the simulator behaves"));
    assert_eq!(server.send(Method::GET, "/", "", &cross).await.status(), 200);
}

#[tokio::test]
async fn every_provider_is_listed_and_its_names_are_suggested_once() {
    let server = Server::start().await;
    let shown = page(&server).await;
    for about in sandbox::registry::PROVIDERS.iter().map(|entry| entry.about) {
        assert!(shown.contains(&format!("<strong>{}</strong> <code>{}{}</code>", about.title, server.url, about.api)));
        for name in (about.operations)().into_iter().chain(about.events.iter().copied()) {
            assert_eq!(shown.matches(&format!(r#"<option value="{name}">"#)).count(), 1, "{name}");
        }
    }
}
