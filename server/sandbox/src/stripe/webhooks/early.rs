//! Webhooks that beat the reply they come from.

use crate::{
    core::{Core, State},
    delivery::{early_on_way, hold_up},
    stripe::state::Account,
};

/// Waits while webhooks queued since the mark are to be acknowledged before the reply. `of` finds the account.
pub async fn wait(core: &Core, mark: u64, of: impl Fn(&mut State) -> Option<&mut Account>) {
    hold_up(|| of(&mut core.lock()).is_some_and(|account| early_on_way(&account.deliveries, mark))).await;
}
