//! A third provider is a type, an account and a line. This one has an operation, a hosted page and a signed webhook.

mod common;

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Router, extract::Path, extract::State, http::StatusCode, response::IntoResponse, routing::get, routing::post,
};
use common::{Receiver, Server, read};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use sandbox::{
    Options, Seed,
    core::Core,
    delivery::{ByOutbox, Delivery, Outbox, Parcel},
    page::{escape, layout},
    provider::{self, About, Accounts, Common, Provider, entry},
};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Toy(Accounts<Account>);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Account {
    common: Common<(), ()>,
    outbox: Outbox,
    pays: BTreeSet<String>,
    endpoint: (String, String),
}

impl Provider for Toy {
    type Account = Account;
    const ABOUT: About = About {
        api: "/toy/pays",
        operations: || vec!["pays.create"],
        events: &["pay.paid"],
        ..About::named("toy", "Toybox Pay")
    };

    fn accounts(&self) -> &Accounts<Account> {
        &self.0
    }
    fn accounts_mut(&mut self) -> &mut Accounts<Account> {
        &mut self.0
    }
    fn is_key(key: &str) -> bool {
        key.starts_with("toy_")
    }
    fn router() -> Router<Arc<Core<Toy>>> {
        Router::new().route("/toy/pays", post(create)).route("/toy/page/{pay}", get(show).post(pay))
    }
    fn seed(&mut self, seed: &Seed, _now_ms: i64) -> Result<(), String> {
        self.0.open(&seed.key).ok_or("too many")?.endpoint = (seed.webhook_url.clone(), seed.webhook_secret.clone());
        Ok(())
    }
}

impl provider::Account for Account {
    type Own = ();
    type Timer = ();
    fn new(common: Common<(), ()>) -> Self {
        Account { common, ..Account::default() }
    }
    fn common(&self) -> &Common<(), ()> {
        &self.common
    }
    fn common_mut(&mut self) -> &mut Common<(), ()> {
        &mut self.common
    }
    fn kind_of(&self, pay: &str) -> Option<&str> {
        self.pays.get(pay).map(|_| "pay.paid")
    }
    fn url_of(&self, _endpoint: &str) -> Option<&str> {
        Some(&self.endpoint.0)
    }
}

impl ByOutbox for Account {
    const RETRY_MS: &'static [i64] = &[10, 20];
    fn outbox(&self) -> &Outbox {
        &self.outbox
    }
    fn outbox_mut(&mut self) -> &mut Outbox {
        &mut self.outbox
    }
    fn parcel(&self, delivery: &Delivery, _now_ms: i64) -> Option<Parcel> {
        let body = delivery.event.clone().into_bytes();
        let headers = vec![("toy-signature", sign(&self.endpoint.1, &body))];
        Some(Parcel { url: self.endpoint.0.clone(), headers, body, ..Parcel::default() })
    }
}

fn sign(secret: &str, body: &[u8]) -> String {
    hex::encode(Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body).finalize().into_bytes())
}

async fn create(State(core): State<Arc<Core<Toy>>>) -> impl IntoResponse {
    if core.shared.faults.take_call("toy", "pays.create", "toy_1").is_some() {
        return (StatusCode::SERVICE_UNAVAILABLE, "\"later\"".to_owned());
    }
    let pay = sandbox::ids::fresh("pay_", 12);
    core.change(|toy| toy.0.open("toy_1").unwrap().pays.insert(pay.clone()));
    (StatusCode::OK, format!("\"/toy/page/{pay}\""))
}

async fn show(Path(pay): Path<String>) -> impl IntoResponse {
    let form = format!(r#"<form method="post"><button>Pay {}</button></form>"#, escape(&pay));
    layout("Toybox Pay", StatusCode::OK, "Pay", "pay", &form)
}

async fn pay(State(core): State<Arc<Core<Toy>>>, Path(pay): Path<String>) {
    core.change(|toy| toy.0.open("toy_1").unwrap().post(&pay, "", sandbox::clock::now_ms()));
}

#[tokio::test]
async fn it_is_mounted_listed_broken_delivered_and_reset() {
    let receiver = Receiver::start(&[500]).await;
    let (key, webhook_secret, webhook_url) = ("toy_1".into(), "secret".into(), receiver.url.clone());
    let seed = Seed { provider: "toy", key, webhook_url, webhook_secret, ..Seed::default() };
    let server = Server::start_of(Options { seeds: vec![seed], ..Options::default() }, &[entry::<Toy>()]).await;

    server.control("/_control/faults", r#"{"provider":"toy","operation":"pays.*","fault":"error_503"}"#).await;
    assert_eq!(read(server.bare(Method::POST, "/toy/pays", "", &[]).await).await.0, 503);
    let (status, address) = read(server.bare(Method::POST, "/toy/pays", "", &[]).await).await;
    let page = server.bare(Method::GET, address.as_str().unwrap(), "", &[]).await.text().await.unwrap();
    assert!(status == 200 && page.contains("Simulated Toybox Pay page") && page.contains("Pay pay_"), "{page}");

    assert_eq!(server.submit(address.as_str().unwrap(), "").await.0, 200);
    let got = receiver.wait_for(2).await;
    assert!(got.iter().all(|(headers, body)| headers["toy-signature"] == sign("secret", body)), "tried again, signed");

    server.control("/_control/toy/webhooks", r#"{"hold":true}"#).await;
    server.control("/_control/faults", r#"{"provider":"toy","fault":"drop","operation":"pay.paid"}"#).await;
    let shown = server.bare(Method::GET, "/", "", &[]).await.text().await.unwrap();
    for text in ["<strong>Toybox Pay</strong>", "/toy/pays</code>", "kept back", r#"value="pay.paid""#, "Lost"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    server.control("/_control/reset", "").await;
    assert_eq!(server.get("/_control/faults").await.1["faults"], serde_json::json!([]));
    assert!(server.bare(Method::GET, "/", "", &[]).await.text().await.unwrap().contains("go out as they happen"));
}
