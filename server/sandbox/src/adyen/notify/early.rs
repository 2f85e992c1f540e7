//! Notices that beat the reply they come from.

use std::time::Duration;

use super::PROVIDER;
use crate::{
    adyen::state::{Account, Adyen},
    control::faults::Kind,
    core::Core,
    stripe::objects::event::DeliveryStatus,
};

/// The longest a reply waits for its notices to be acknowledged.
const LONGEST: Duration = Duration::from_secs(10);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(10);

/// Waits while notices queued since the mark are to be acknowledged before the reply. `of` finds the account.
pub async fn wait(core: &Core, mark: u64, of: impl Fn(&mut Adyen) -> Option<&mut Account>) {
    let settled = async {
        while of(&mut core.lock().adyen).is_some_and(|account| account.early_on_way(mark)) {
            tokio::time::sleep(LOOK).await;
        }
    };
    if tokio::time::timeout(LONGEST, settled).await.is_err() {
        tracing::debug!("early notices not acknowledged in time; replying anyway");
    }
}

impl Account {
    /// Whether a notice of this code would have to go before the reply that is being made.
    pub fn hastens(&self, code: &str) -> bool {
        self.answering && self.faults.awaits(Kind::Early, PROVIDER, code, &self.key)
    }

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
