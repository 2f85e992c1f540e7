//! Replies that wait for deliveries: for those that a fault sends first, and for those that a page waits for before its redirect.

use std::time::Duration;

use super::{Delivery, DeliveryStatus, Sends};
use crate::{
    core::Core,
    provider::{Account, Provider},
    store::Store,
};

/// The longest time that a reply waits for acknowledgements.
const LONGEST: Duration = Duration::from_secs(10);

/// The interval between two checks.
const LOOK: Duration = Duration::from_millis(10);

/// The number of newest deliveries that are searched for those of one reply.
const RECENT: usize = 1_000;

/// Waits for deliveries since the mark that must be acknowledged before the reply. `of` finds the account.
pub async fn early<P: Provider>(core: &Core<P>, mark: u64, of: impl Fn(&mut P) -> Option<&mut P::Account>) {
    hold_up(|| of(&mut core.lock()).is_some_and(|account| early_on_way(account.deliveries(), mark))).await;
}

/// Waits for the deliveries of these events, if the control API wants them acknowledged before the shopper is sent back.
pub async fn acknowledged<P: Provider>(
    core: &Core<P>,
    events: &[String],
    of: impl Fn(&mut P) -> Option<&mut P::Account>,
) {
    let waits = of(&mut core.lock()).is_some_and(|account| account.common().rules.before_redirect);
    if waits && !events.is_empty() {
        hold_up(|| of(&mut core.lock()).is_some_and(|account| !settled(account.deliveries(), events))).await;
    }
}

/// Whether an early delivery since the mark is not yet acknowledged. A delivery that is held, or that waits to be overtaken, does not
/// count, because it would not be sent while the reply waits.
fn early_on_way(deliveries: &Store<Delivery>, mark: u64) -> bool {
    deliveries.since(mark).any(|delivery| {
        delivery.plan.early
            && delivery.plan.reorder_ms == 0
            && matches!(delivery.status, DeliveryStatus::Waiting | DeliveryStatus::Sending)
    })
}

/// Whether every delivery of these events was acknowledged or will never be sent.
pub(super) fn settled(deliveries: &Store<Delivery>, events: &[String]) -> bool {
    let mut recent = deliveries.newest().take(RECENT);
    !recent.any(|delivery| events.contains(&delivery.event) && delivery.status.is_open())
}

/// Delays a reply while deliveries that must arrive before it are pending, up to [`LONGEST`].
async fn hold_up(mut on_way: impl FnMut() -> bool) {
    let gone = async {
        while on_way() {
            tokio::time::sleep(LOOK).await;
        }
    };
    if tokio::time::timeout(LONGEST, gone).await.is_err() {
        tracing::debug!("deliveries not acknowledged in time; answering anyway");
    }
}
