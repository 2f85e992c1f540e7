//! What deliveries have in common, whoever sends them: where one stands, what a try came to, and who waits for it. In which
//! order they go is the provider's own.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    clock,
    control::faults::Plan,
    store::{Keyed, Store},
    words::words,
};

/// The longest an answer waits for deliveries to be acknowledged.
const LONGEST: Duration = Duration::from_secs(10);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(10);

/// Deliveries looked at, newest first, for those of one answer.
const RECENT: usize = 1_000;

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
    /// Where one stands to begin with.
    pub fn first(plan: &Plan, hold: bool) -> DeliveryStatus {
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

/// A delivery as far as those who wait for it care.
pub trait Awaited: Keyed {
    /// The id of what is delivered.
    fn about(&self) -> &str;
    /// Where it stands.
    fn status(&self) -> DeliveryStatus;
    /// What faults and switches do to it.
    fn plan(&self) -> &Plan;
}

/// Whether an early delivery queued since the mark is still to be acknowledged. One that is held, or that waits to be
/// overtaken, is not waited for: it would not go while the reply waits.
pub fn early_on_way<D: Awaited>(deliveries: &Store<D>, mark: u64) -> bool {
    deliveries.since(mark).any(|delivery| {
        delivery.plan().early
            && delivery.plan().reorder_ms == 0
            && matches!(delivery.status(), DeliveryStatus::Waiting | DeliveryStatus::Sending)
    })
}

/// Whether every delivery about these was acknowledged or will never be sent.
pub fn settled<D: Awaited>(deliveries: &Store<D>, about: &[String]) -> bool {
    !deliveries.newest().take(RECENT).any(|delivery| {
        about.iter().any(|id| id == delivery.about())
            && matches!(delivery.status(), DeliveryStatus::Waiting | DeliveryStatus::Sending | DeliveryStatus::Held)
    })
}

/// Holds an answer up while deliveries are on their way that are to beat it; not for ever.
pub async fn hold_up(mut on_way: impl FnMut() -> bool) {
    let gone = async {
        while on_way() {
            tokio::time::sleep(LOOK).await;
        }
    };
    if tokio::time::timeout(LONGEST, gone).await.is_err() {
        tracing::debug!("deliveries not acknowledged in time; answering anyway");
    }
}
