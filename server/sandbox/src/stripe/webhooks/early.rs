//! Webhooks that beat the reply they come from.

use std::time::Duration;

use crate::{
    core::Core,
    stripe::{objects::event::DeliveryStatus, state::Account},
};

/// The longest a reply waits for its webhooks to be acknowledged.
const LONGEST: Duration = Duration::from_secs(10);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(10);

/// Waits while webhooks queued since the mark are to be acknowledged before the reply. `of` finds the account.
pub async fn wait(core: &Core, mark: u64, of: impl Fn(&mut crate::core::State) -> Option<&mut Account>) {
    let settled = async {
        while of(&mut core.lock()).is_some_and(|account| account.early_on_way(mark)) {
            tokio::time::sleep(LOOK).await;
        }
    };
    if tokio::time::timeout(LONGEST, settled).await.is_err() {
        tracing::debug!("early webhooks not acknowledged in time; replying anyway");
    }
}

impl Account {
    /// Whether an early delivery queued since the mark is still to be acknowledged. One that is held, or that waits to be
    /// overtaken, is not waited for: it would not go while the reply waits.
    fn early_on_way(&self, mark: u64) -> bool {
        self.deliveries.since(mark).any(|delivery| {
            delivery.plan.early
                && delivery.plan.reorder_ms == 0
                && matches!(delivery.status, DeliveryStatus::Waiting | DeliveryStatus::Sending)
        })
    }
}
