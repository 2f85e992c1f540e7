//! One try to deliver.

use std::sync::Arc;

use super::Parcel;
use crate::{clock, core::Core, stripe::objects::event::Try};

/// Sends a parcel of an account and records what came of it. Any 2xx is an acceptance; a redirect is not.
pub async fn send(core: Arc<Core>, key: String, parcel: Parcel) {
    let started_ms = clock::now_ms();
    let mut request = core
        .client
        .post(&parcel.url)
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "Adyen HttpClient 1.0")
        .body(parcel.body.clone());
    if let Some((user, password)) = &parcel.basic {
        request = request.basic_auth(user, Some(password));
    }
    let reply = request.send().await;
    let now_ms = clock::now_ms();
    let (http_status, error) = match reply {
        Ok(reply) => (Some(reply.status().as_u16()), None),
        Err(error) if error.is_timeout() => (None, Some("timed out".to_owned())),
        Err(error) if error.is_connect() => (None, Some("could not connect".to_owned())),
        Err(_) => (None, Some("connection lost".to_owned())),
    };
    let attempt = Try { at_ms: started_ms, took_ms: now_ms - started_ms, http_status, error };
    core.change(|state| {
        if let Some(account) = state.adyen.accounts.get_mut(&key) {
            account.tried(&parcel, &attempt, now_ms);
        }
    });
}
