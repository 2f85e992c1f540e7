//! Notices that beat the reply they come from.

use super::PROVIDER;
use crate::{
    adyen::state::{Account, Adyen},
    control::faults::Kind,
    core::Core,
    delivery::{early_on_way, hold_up},
};

/// Waits while notices queued since the mark are to be acknowledged before the reply. `of` finds the account.
pub async fn wait(core: &Core, mark: u64, of: impl Fn(&mut Adyen) -> Option<&mut Account>) {
    hold_up(|| of(&mut core.lock().adyen).is_some_and(|account| early_on_way(&account.deliveries, mark))).await;
}

impl Account {
    /// Whether a notice of this code would have to go before the reply that is being made.
    pub fn hastens(&self, code: &str) -> bool {
        self.answering && self.faults.awaits(Kind::Early, PROVIDER, code, &self.key)
    }
}
