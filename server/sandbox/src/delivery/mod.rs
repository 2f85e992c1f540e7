//! Deliveries of all providers: where each stands, the content and the outcome of a try, and answers that wait for them.
//! The order in which they go is the provider's own; [`outbox`] is the way of most.

pub mod outbox;
mod wait;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use outbox::{ByOutbox, Outbox};
pub use wait::{acknowledged, early};

use crate::{
    clock,
    control::faults::Plan,
    ids::fresh,
    provider::Mounted,
    store::{Keyed, Store},
    words::words,
};

words! {
    /// Where a delivery stands.
    DeliveryStatus {
        /// Will be sent at its time.
        Waiting = "waiting",
        /// Kept back by the control API.
        Held = "held",
        /// Being sent.
        Sending = "sending",
        /// Answered with 2xx.
        Delivered = "delivered",
        /// All tries used up.
        Failed = "failed",
        /// Thrown away by the control API.
        Dropped = "dropped",
    }
}

impl DeliveryStatus {
    /// Whether it may still be sent.
    pub fn is_open(self) -> bool {
        matches!(self, DeliveryStatus::Held | DeliveryStatus::Waiting | DeliveryStatus::Sending)
    }

    /// Where one stands to begin with.
    fn first(plan: &Plan, hold: bool) -> DeliveryStatus {
        match () {
            () if plan.dropped => DeliveryStatus::Dropped,
            () if hold => DeliveryStatus::Held,
            () => DeliveryStatus::Waiting,
        }
    }
}

/// One try to deliver.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Try {
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// How long it took.
    pub took_ms: i64,
    /// The endpoint's answer, if there was one.
    pub http_status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
}

impl Try {
    /// Sends, and tells what came of it and when, in milliseconds since 1970.
    pub async fn send(request: reqwest::RequestBuilder) -> (Try, i64) {
        let at_ms = clock::now_ms();
        let reply = request.send().await;
        let now_ms = clock::now_ms();
        let (http_status, error) = match reply {
            Ok(reply) => (Some(reply.status().as_u16()), None),
            Err(error) if error.is_timeout() => (None, Some("timed out".to_owned())),
            Err(error) if error.is_connect() => (None, Some("could not connect".to_owned())),
            Err(_) => (None, Some("connection lost".to_owned())),
        };
        (Try { at_ms, took_ms: now_ms - at_ms, http_status, error }, now_ms)
    }

    /// Any 2xx is an acceptance; a redirect is not.
    pub fn accepted(&self) -> bool {
        self.http_status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// One event on its way to one endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivery {
    /// Internal id.
    pub id: String,
    /// The event that is delivered.
    pub event: String,
    /// Where to; empty where an account has one endpoint only.
    pub endpoint: String,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// The tries so far.
    pub tries: Vec<Try>,
    /// Milliseconds since 1970 of the next try.
    pub due_ms: i64,
    /// The faults and switches that strike it.
    pub plan: Plan,
}

impl Keyed for Delivery {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Delivery {
    /// An event's way to an endpoint under this plan: one delivery, and its copies.
    pub fn planned(event: &str, endpoint: &str, plan: &Plan, hold: bool, now_ms: i64) -> Vec<Delivery> {
        let one = |_| Delivery {
            id: fresh("dlv_", 16),
            event: event.to_owned(),
            endpoint: endpoint.to_owned(),
            status: DeliveryStatus::first(plan, hold),
            tries: Vec::new(),
            due_ms: now_ms + plan.delay_ms + plan.reorder_ms,
            plan: plan.clone(),
        };
        (0..=plan.copies).map(one).collect()
    }
}

/// The deliveries that the control API keeps back, oldest first.
pub fn held(deliveries: &Store<Delivery>) -> Vec<String> {
    let held = deliveries.oldest().filter(|delivery| delivery.status == DeliveryStatus::Held);
    held.map(|delivery| delivery.id.clone()).collect()
}

/// The content of one try, taken out of the state so that no lock is held while it is sent.
#[derive(Debug, Default)]
pub struct Parcel {
    /// The deliveries that travel together.
    pub deliveries: Vec<String>,
    /// Their endpoint.
    pub endpoint: String,
    /// Where to.
    pub url: String,
    /// Every header but for what HTTP itself needs.
    pub headers: Vec<(&'static str, String)>,
    /// The body, exactly as signed unless it is tampered with.
    pub body: Vec<u8>,
}

/// How the deliveries of an account go out. A provider that sends each on its own implements [`ByOutbox`] instead.
pub trait Sends {
    /// All deliveries that are remembered.
    fn deliveries(&self) -> &Store<Delivery>;

    /// Takes out what leaves now.
    fn due(&mut self, now_ms: i64) -> Vec<Parcel>;

    /// Records a try, and plans the next one if it failed.
    fn tried(&mut self, parcel: &Parcel, attempt: &Try, now_ms: i64);

    /// Lets held deliveries go, in order or the other way round; how many.
    fn release(&mut self, now_ms: i64, reversed: bool) -> usize;

    /// Makes due now what would be sent until a time to come; how many deliveries that makes.
    fn hurry(&mut self, now_ms: i64, until_ms: i64) -> usize;

    /// When the next delivery that is not due yet will be, milliseconds since 1970.
    fn next_due_ms(&self, now_ms: i64) -> Option<i64>;

    /// Puts deliveries that a stopped process left behind back on their way.
    fn recover(&mut self, now_ms: i64);
}

/// Sends a parcel of an account and records what came of it.
pub async fn send(provider: Arc<dyn Mounted>, client: reqwest::Client, key: String, parcel: Parcel) {
    let mut request = client.post(&parcel.url).body(parcel.body.clone());
    for (name, value) in &parcel.headers {
        request = request.header(*name, value);
    }
    let (attempt, now_ms) = Try::send(request).await;
    provider.tried(&key, &parcel, &attempt, now_ms);
}
