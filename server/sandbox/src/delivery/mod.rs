//! Deliveries of all providers: their status, the content and the outcome of a try, and replies that wait for deliveries. Each provider
//! decides the order of its deliveries; most providers use [`outbox`].

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
    /// The status of a delivery.
    DeliveryStatus {
        /// The delivery waits for its time.
        Waiting = "waiting",
        /// The control API holds the delivery.
        Held = "held",
        /// The delivery is being sent.
        Sending = "sending",
        /// The endpoint answered with 2xx.
        Delivered = "delivered",
        /// All tries have failed.
        Failed = "failed",
        /// The control API dropped the delivery.
        Dropped = "dropped",
    }
}

impl DeliveryStatus {
    /// Whether the delivery may still be sent.
    pub fn is_open(self) -> bool {
        matches!(self, DeliveryStatus::Held | DeliveryStatus::Waiting | DeliveryStatus::Sending)
    }

    /// The status of a new delivery.
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
    /// The duration of the try, in milliseconds.
    pub took_ms: i64,
    /// The endpoint's answer, if there was one.
    pub http_status: Option<u16>,
    /// The reason why there was no answer.
    pub error: Option<String>,
}

impl Try {
    /// Sends a request. Returns the try and the time of its end, in milliseconds since 1970.
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

    /// Whether the endpoint accepted the delivery. Any 2xx accepts; a redirect does not.
    pub fn accepted(&self) -> bool {
        self.http_status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// The delivery of one event to one endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivery {
    /// Internal id.
    pub id: String,
    /// The event that is delivered.
    pub event: String,
    /// The id of the endpoint. Empty at a provider whose accounts have only one endpoint.
    pub endpoint: String,
    /// The status.
    pub status: DeliveryStatus,
    /// The tries so far.
    pub tries: Vec<Try>,
    /// The time of the next try, in milliseconds since 1970.
    pub due_ms: i64,
    /// The faults and switches that strike the delivery.
    pub plan: Plan,
}

impl Keyed for Delivery {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Delivery {
    /// The deliveries of an event to an endpoint under this plan: the first one and its copies.
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

/// The deliveries that the control API holds, oldest first.
pub fn held(deliveries: &Store<Delivery>) -> Vec<String> {
    let held = deliveries.oldest().filter(|delivery| delivery.status == DeliveryStatus::Held);
    held.map(|delivery| delivery.id.clone()).collect()
}

/// The content of one try, copied from the state so that no lock is held during sending.
#[derive(Debug, Default)]
pub struct Parcel {
    /// The deliveries that are sent together.
    pub deliveries: Vec<String>,
    /// The id of their endpoint.
    pub endpoint: String,
    /// The address to send to.
    pub url: String,
    /// All headers except those that HTTP itself needs.
    pub headers: Vec<(&'static str, String)>,
    /// The body, exactly as it was signed unless a fault changes it.
    pub body: Vec<u8>,
}

/// The sending of an account's deliveries. A provider that sends each delivery independently implements [`ByOutbox`] instead.
pub trait Sends {
    /// All stored deliveries.
    fn deliveries(&self) -> &Store<Delivery>;

    /// Takes the parcels to send now.
    fn due(&mut self, now_ms: i64) -> Vec<Parcel>;

    /// Records a try, and plans the next one if it failed.
    fn tried(&mut self, parcel: &Parcel, attempt: &Try, now_ms: i64);

    /// Releases held deliveries, in order or in reverse. Returns their number.
    fn release(&mut self, now_ms: i64, reversed: bool) -> usize;

    /// Makes deliveries due now that would be due until a given time. Returns their number.
    fn hurry(&mut self, now_ms: i64, until_ms: i64) -> usize;

    /// The due time of the next delivery that is not yet due, in milliseconds since 1970.
    fn next_due_ms(&self, now_ms: i64) -> Option<i64>;

    /// Queues the deliveries that a stopped process left behind.
    fn recover(&mut self, now_ms: i64);
}

/// Sends a parcel of an account and records the outcome.
pub async fn send(provider: Arc<dyn Mounted>, client: reqwest::Client, key: String, parcel: Parcel) {
    let mut request = client.post(&parcel.url).body(parcel.body.clone());
    for (name, value) in &parcel.headers {
        request = request.header(*name, value);
    }
    let (attempt, now_ms) = Try::send(request).await;
    provider.tried(&key, &parcel, &attempt, now_ms);
}
