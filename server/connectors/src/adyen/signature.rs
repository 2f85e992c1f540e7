//! The signature of each event: HMAC-SHA256 in Base64 over eight fields joined by colons (Adyen documentation, Verify HMAC signatures). The
//! signature covers no other part of the delivery.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::item::{Envelope, Notification};
use crate::delivery::Reject;

/// The bytes of an HMAC key, from its hexadecimal digits.
pub(super) fn key(secret: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(secret, &mut bytes).ok().map(|()| bytes)
}

/// Finds out whether every event of a delivery was signed with one of the secrets. Only the events hold signatures, so a delivery without
/// events proves nothing and is refused like an unsigned one. Adyen sends one event in each delivery (Adyen documentation, Webhook
/// structure).
pub(super) fn verify(secrets: &[SecretString], body: &[u8]) -> Result<(), Reject> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_| Reject::Unreadable)?;
    if envelope.items.is_empty() {
        return Err(Reject::Missing);
    }
    let keys: Vec<_> = secrets.iter().filter_map(|secret| key(secret.expose_secret())).collect();
    envelope.items.iter().try_for_each(|wrapper| {
        let item = serde_json::from_str(wrapper.item.get()).map_err(|_| Reject::Unreadable)?;
        verify_item(&keys, &item)
    })
}

fn verify_item(keys: &[[u8; 32]], item: &Notification) -> Result<(), Reject> {
    let given = item.additional_data.as_ref().and_then(|more| more.hmac_signature.as_deref());
    let given = given.filter(|signature| !signature.is_empty()).ok_or(Reject::Missing)?;
    let given = STANDARD.decode(given).map_err(|_| Reject::Malformed)?;
    let text = signed_text(item);
    // Every key is tried, so that the duration does not show which key fits.
    let fits = keys.iter().fold(false, |fits, key| bool::from(mac(key, &text).ct_eq(&given)) | fits);
    if fits { Ok(()) } else { Err(Reject::Wrong) }
}

fn mac(key: &[u8; 32], text: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return vec![] };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The signed text. Its fields are joined without escaping.
pub(super) fn signed_text(item: &Notification) -> String {
    signed_fields(item).join(":")
}

/// Whether the signed text can be cut into its fields in only one way. If several fields could hold a colon, the signature of one event
/// would also fit another event with the same text cut elsewhere. Only the merchant's reference may hold a colon.
pub(super) fn is_plain(item: &Notification) -> bool {
    signed_fields(item).iter().enumerate().all(|(index, field)| index == MERCHANT_REFERENCE || !field.contains(':'))
}

/// The index of the merchant's reference among the signed fields.
const MERCHANT_REFERENCE: usize = 3;

fn signed_fields(item: &Notification) -> [String; 8] {
    let amount = item.amount.as_ref();
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    [
        text(&item.psp_reference),
        text(&item.original_reference),
        text(&item.merchant_account_code),
        text(&item.merchant_reference),
        amount.map_or_else(String::new, |amount| amount.value_text().to_owned()),
        amount.map_or_else(String::new, |amount| text(&amount.currency)),
        text(&item.event_code),
        text(&item.success),
    ]
}

#[cfg(test)]
mod tests;
