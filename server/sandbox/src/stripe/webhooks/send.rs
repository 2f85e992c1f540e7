//! One try to deliver.

use std::sync::Arc;

use super::Parcel;
use crate::{core::Core, delivery::Try};

/// Sends a parcel of an account and records what came of it.
pub async fn send(core: Arc<Core>, key: String, parcel: Parcel) {
    let mut request = core.client.post(&parcel.url).header("content-type", "application/json; charset=utf-8");
    if let Some(signature) = &parcel.signature {
        request = request.header("stripe-signature", signature);
    }
    request = request
        .header("accept", "*/*; q=0.5, application/xml")
        .header("cache-control", "no-cache")
        .body(parcel.body.clone());
    let (attempt, now_ms) = Try::send(request).await;
    core.change(|state| {
        if let Some(account) = state.accounts.get_mut(&key) {
            account.tried(&parcel, attempt, now_ms);
        }
    });
}
