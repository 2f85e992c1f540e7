//! The signature of a notification item (Adyen, Verify HMAC signatures).

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Notice;

/// HMAC-SHA256, Base64, over eight fields joined by colons without escaping. The key is hexadecimal. Any other key signs like an empty key,
/// so that the signature never verifies.
pub fn signature(hmac_key: &str, notice: &Notice) -> String {
    let success = if notice.success { "true" } else { "false" };
    let value = notice.amount.to_string();
    let signed = [
        notice.psp.as_str(),
        &notice.original,
        &notice.merchant_account,
        &notice.reference,
        &value,
        &notice.currency,
        &notice.code,
        success,
    ]
    .join(":");
    let key = hex::decode(hmac_key).unwrap_or_default();
    // HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC keys may have any length");
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Whether a text has the form of the customer area's keys: 64 hexadecimal digits.
pub fn is_hmac_key(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of the provider's published example.
    const KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

    #[test]
    fn the_published_vector_holds() {
        let notice = Notice {
            psp: "7914073381342284".into(),
            merchant_account: "TestMerchant".into(),
            reference: "TestPayment-1407325143704".into(),
            amount: 1130,
            currency: "EUR".into(),
            code: "AUTHORISATION".into(),
            success: true,
            ..Notice::default()
        };
        assert_eq!(signature(KEY, &notice), "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=");
    }

    /// Computed with openssl, and with the official SDK for Python, over
    /// `QFTQPCQ8HXSKGK82:NC6HT9CRT65ZGN82:TillDemo:a:b\c:500:EUR:REFUND:false`.
    #[test]
    fn an_independent_vector_with_separators_inside_holds() {
        let notice = Notice {
            psp: "QFTQPCQ8HXSKGK82".into(),
            original: "NC6HT9CRT65ZGN82".into(),
            merchant_account: "TillDemo".into(),
            reference: r"a:b\c".into(),
            amount: 500,
            currency: "EUR".into(),
            code: "REFUND".into(),
            ..Notice::default()
        };
        assert_eq!(signature(KEY, &notice), "mN59tUWXrcC5Cx9gmyoc2C+HV9xxRvZiyMtVj+8P+/s=");
        assert_ne!(signature(&KEY.replace('4', "5"), &notice), signature(KEY, &notice));
    }

    #[test]
    fn keys_are_64_hexadecimal_digits() {
        assert!(is_hmac_key(KEY) && is_hmac_key(&KEY.to_lowercase()));
        assert!(!is_hmac_key(&KEY[1..]) && !is_hmac_key(&KEY.replace('4', "G")));
    }
}
