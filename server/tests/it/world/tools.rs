//! Waits, signs, and reads headers.

use std::future::Future;
use std::time::Duration;

use axum::http::HeaderName;
use connectors::HttpResponse;
use engine::{OsRandom, Random, SystemClock};
use serde_json::json;

/// An error in the words of the command line.
pub trait Told {
    fn told(&self) -> String;
}

impl Told for engine::Error {
    fn told(&self) -> String {
        server::cli::words::of(self)
    }
}

/// A test's longest wait: far more than needed, even beside other work.
const PATIENCE: Duration = Duration::from_secs(90);

pub fn random_hex() -> String {
    let mut bytes = [0; 12];
    OsRandom.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Waits until a condition holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "never happened: {what}");
}

/// A Stripe-Signature header for a body.
pub fn sign(secret: &str, time: i64, body: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time},v1={digest}")
}

/// Seconds since 1970.
pub fn seconds() -> i64 {
    engine::Clock::now(&SystemClock) / 1000
}

/// The webhook of a paid session, as the provider would send it.
pub fn paid_event(id: &str, attempt: &str, session: &str, amount: i64, currency: &str) -> String {
    json!({
        "id": id, "object": "event", "type": "checkout.session.completed", "created": seconds(), "livemode": false,
        "data": {"object": {
            "id": session, "object": "checkout.session", "status": "complete", "payment_status": "paid",
            "payment_intent": "pi_forged", "amount_total": amount, "currency": currency,
            "client_reference_id": attempt, "metadata": {"till_attempt": attempt}
        }}
    })
    .to_string()
}

/// A header by name.
pub fn header(reply: &HttpResponse, name: &'static str) -> String {
    let value = reply.headers.get(HeaderName::from_static(name));
    value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
