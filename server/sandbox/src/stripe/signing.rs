//! The `Stripe-Signature` header (Stripe, Webhooks: verify manually).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA256 over `"{t}.{body}"` in lower-case hex. The key is the whole secret, including its prefix.
pub fn signature(secret: &str, unix_seconds: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC keys may have any length");
    mac.update(unix_seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// The header's value.
pub fn header(secret: &str, unix_seconds: i64, body: &[u8]) -> String {
    format!("t={unix_seconds},v1={}", signature(secret, unix_seconds, body))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_published_vector_holds() {
        let signed = super::header("whsec_test_secret", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "t=1614265330,v1=10c96c6fd3f320fcfc264cdc4f476c15060ede8e8a08404cea2ddf3b72544a9c");
    }
}
