//! A sandbox on its own port, and a plain HTTP client for it.
#![allow(dead_code, clippy::disallowed_methods, reason = "each test uses a part, and tests are programs of their own")]

pub mod adyen;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use reqwest::{Method, Response};
use sandbox::{Options, Sandbox, Seed};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A running sandbox.
pub struct Server {
    pub url: String,
    pub key: &'static str,
    client: reqwest::Client,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), sandbox::Error>>,
}

impl Server {
    pub async fn start() -> Server {
        Self::start_as(Options::default()).await
    }

    pub async fn start_with(snapshot: Option<PathBuf>) -> Server {
        Self::start_as(Options { snapshot, ..Options::default() }).await
    }

    pub async fn start_seeded(seed: Seed) -> Server {
        Self::start_as(Options { seeds: vec![seed], ..Options::default() }).await
    }

    async fn start_as(options: Options) -> Server {
        Self::start_of(options, sandbox::registry::PROVIDERS).await
    }

    /// Starts a sandbox of these providers.
    pub async fn start_of(options: Options, providers: &[sandbox::provider::Entry]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let options = Options { public_url: url.clone(), ..options };
        let sandbox = Sandbox::of(options, providers).await.unwrap();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(sandbox.run(listener, shutdown.clone()));
        Server { url, key: "sk_test_rusttests1", client, shutdown, task }
    }

    pub async fn stop(self) {
        drop(self.client);
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// An API call. `form` is already encoded.
    pub async fn send(&self, method: Method, path: &str, form: &str, headers: &[(&str, &str)]) -> Response {
        self.try_send(method, path, form, headers).await.unwrap()
    }

    /// An API call whose reply may be lost.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        form: &str,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Response> {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(self.key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let kind = "application/x-www-form-urlencoded";
        request.header("content-type", kind).body(form.to_owned()).send().await
    }

    /// A call without an API key.
    pub async fn bare(&self, method: Method, path: &str, body: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body.to_owned()).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, form: &str) -> (u16, Value) {
        read(self.send(Method::POST, path, form, &[]).await).await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        read(self.send(Method::GET, path, "", &[]).await).await
    }

    /// A control call, which takes JSON.
    pub async fn control(&self, path: &str, json: &str) -> Value {
        let (status, body) = self.post(path, json).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// A session over €25.98. `more` is added to the form.
    pub async fn session(&self, more: &str) -> String {
        let (status, body) = self.post("/v1/checkout/sessions", &format!("{SESSION}{more}")).await;
        assert_eq!(status, 200, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    /// Types a card on the hosted page. Returns the status, the redirect's address and the page.
    pub async fn pay(&self, session: &str, number: &str) -> (u16, String, String) {
        self.submit(&format!("/c/pay/{session}"), &format!("number={number}&expiry=12/34&cvc=123")).await
    }

    /// Posts a form like a browser.
    pub async fn submit(&self, path: &str, form: &str) -> (u16, String, String) {
        let reply = self.send(Method::POST, path, form, &[]).await;
        let status = reply.status().as_u16();
        let location = reply.headers().get("location").map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        (status, location, reply.text().await.unwrap())
    }

    /// The types of all events, oldest first.
    pub async fn events(&self) -> Vec<String> {
        let (_, list) = self.get("/v1/events?limit=100").await;
        let kinds = list["data"].as_array().unwrap().iter();
        kinds.rev().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

pub const SESSION: &str = "mode=payment&success_url=https://shop.example/ok?s={CHECKOUT_SESSION_ID}\
    &cancel_url=https://shop.example/no&line_items[0][quantity]=2&line_items[0][price_data][currency]=eur\
    &line_items[0][price_data][unit_amount]=1299&line_items[0][price_data][product_data][name]=Mug";

pub async fn read(reply: Response) -> (u16, Value) {
    let status = reply.status().as_u16();
    let text = reply.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}")))
}

pub fn unix_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// A merchant's receiver, which answers with the given statuses first and then with 200.
pub struct Receiver {
    pub url: String,
    pub got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Receiver {
    pub async fn start(refusals: &[u16]) -> Receiver {
        let got = Arc::new(Mutex::new(Vec::new()));
        let refusals: Arc<Mutex<Vec<u16>>> = Arc::new(Mutex::new(refusals.to_vec()));
        let state = (got.clone(), refusals);
        let router = Router::new().route("/hook", post(receive)).with_state(state);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Receiver { url, got }
    }

    pub async fn wait_for(&self, count: usize) -> Vec<(HeaderMap, Bytes)> {
        for _ in 0..200 {
            let got = self.got.lock().unwrap().clone();
            if got.len() >= count {
                return got;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("waited too long for {count} deliveries, got {}", self.got.lock().unwrap().len());
    }
}

type Kept = (Arc<Mutex<Vec<(HeaderMap, Bytes)>>>, Arc<Mutex<Vec<u16>>>);

async fn receive(State((got, refusals)): State<Kept>, headers: HeaderMap, body: Bytes) -> StatusCode {
    got.lock().unwrap().push((headers, body));
    let mut refusals = refusals.lock().unwrap();
    if refusals.is_empty() { StatusCode::OK } else { StatusCode::from_u16(refusals.remove(0)).unwrap() }
}
