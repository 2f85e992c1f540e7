//! One try to deliver.

use std::sync::Arc;

use super::Parcel;
use crate::{core::Core, delivery::Try};

/// Sends a parcel of an account and records what came of it.
pub async fn send(core: Arc<Core>, key: String, parcel: Parcel) {
    let mut request = core
        .client
        .post(&parcel.url)
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "Adyen HttpClient 1.0")
        .body(parcel.body.clone());
    if let Some((user, password)) = &parcel.basic {
        request = request.basic_auth(user, Some(password));
    }
    let (attempt, now_ms) = Try::send(request).await;
    core.change(|state| {
        if let Some(account) = state.adyen.accounts.get_mut(&key) {
            account.tried(&parcel, &attempt, now_ms);
        }
    });
}
