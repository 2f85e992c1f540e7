//! Answers that wait for deliveries: those that faults want to go first, and those of a page that sends the shopper back.

use std::time::Duration;

use super::{Delivery, DeliveryStatus, Sends};
use crate::{
    core::Core,
    provider::{Account, Provider},
    store::Store,
};

/// The longest an answer waits for deliveries to be acknowledged.
const LONGEST: Duration = Duration::from_secs(10);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(10);

/// Deliveries looked at, newest first, for those of one answer.
const RECENT: usize = 1_000;

/// Waits while deliveries queued since the mark are to be acknowledged before the reply. `of` finds the account.
pub async fn early<P: Provider>(core: &Core<P>, mark: u64, of: impl Fn(&mut P) -> Option<&mut P::Account>) {
    hold_up(|| of(&mut core.lock()).is_some_and(|account| early_on_way(account.deliveries(), mark))).await;
}

/// Waits for the deliveries about these events, if the control API wants them acknowledged before the shopper is sent back.
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

/// Whether an early delivery queued since the mark is still to be acknowledged. One that is held, or that waits to be
/// overtaken, is not waited for: it would not go while the reply waits.
fn early_on_way(deliveries: &Store<Delivery>, mark: u64) -> bool {
    deliveries.since(mark).any(|delivery| {
        delivery.plan.early
            && delivery.plan.reorder_ms == 0
            && matches!(delivery.status, DeliveryStatus::Waiting | DeliveryStatus::Sending)
    })
}

/// Whether every delivery about these was acknowledged or will never be sent.
pub(super) fn settled(deliveries: &Store<Delivery>, events: &[String]) -> bool {
    let mut recent = deliveries.newest().take(RECENT);
    !recent.any(|delivery| events.contains(&delivery.event) && delivery.status.is_open())
}

/// Holds an answer up while deliveries are on their way that are to beat it; not for ever.
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
