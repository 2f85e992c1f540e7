//! `Stripe-Signature: t=…,v1=…`: HMAC-SHA256 over `"{t}.{body}"` with the whole secret as key (Stripe documentation,
//! Verify webhook signatures manually).

use domain::{MINUTE, Millis, SECOND};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::delivery::Reject;

pub(super) const HEADER: &str = "stripe-signature";
/// The prefix of every webhook secret, which is part of the key.
pub(super) const SECRET_PREFIX: &str = "whsec_";

/// The most by which a signature's time may differ from ours, either way. Stripe's libraries use the same limit for the past. They do not
/// check the future, but a time stamp in the future would stay valid for as long as its maker likes.
const TOLERANCE: Millis = 5 * MINUTE;
/// The most signatures that are read from one header.
const SIGNATURES_MAX: usize = 16;

/// Finds out whether one of the secrets made one of the signatures, within the tolerance.
pub(super) fn verify(secrets: &[SecretString], header: &str, body: &[u8], now: Millis) -> Result<(), Reject> {
    let (time, signatures) = parse(header)?;
    if !secrets.iter().any(|secret| matches(secret, time, body, &signatures)) {
        return Err(Reject::Wrong);
    }
    let signed = time.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(SECOND)).ok_or(Reject::Malformed)?;
    if now.saturating_sub(signed) > TOLERANCE {
        return Err(Reject::Stale);
    }
    if signed.saturating_sub(now) > TOLERANCE { Err(Reject::Future) } else { Ok(()) }
}

fn parse(header: &str) -> Result<(&str, Vec<[u8; 32]>), Reject> {
    let (mut time, mut signatures) = (None, vec![]);
    for (key, value) in header.split(',').filter_map(|part| part.trim().split_once('=')) {
        match key {
            "t" => time = Some(value),
            "v1" if signatures.len() < SIGNATURES_MAX => {
                let mut bytes = [0; 32];
                if hex::decode_to_slice(value, &mut bytes).is_ok() {
                    signatures.push(bytes);
                }
            }
            _ => {}
        }
    }
    match time {
        Some(time) if !signatures.is_empty() => Ok((time, signatures)),
        _ => Err(Reject::Malformed),
    }
}

fn matches(secret: &SecretString, time: &str, body: &[u8], signatures: &[[u8; 32]]) -> bool {
    // The prefix is public. A secret that consists only of the prefix keeps no forger out, however it came to be stored.
    if secret.expose_secret().strip_prefix(SECRET_PREFIX).is_none_or(|rest| rest.trim().is_empty()) {
        return false;
    }
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else { return false };
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    let expected = mac.finalize().into_bytes();
    signatures.iter().any(|signature| bool::from(signature.ct_eq(expected.as_slice())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body and time of the test vector of Standard Webhooks, under a Stripe-style secret. The official library computed the signature.
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "10c96c6fd3f320fcfc264cdc4f476c15060ede8e8a08404cea2ddf3b72544a9c";
    const TIME: i64 = 1_614_265_330;

    fn secrets(of: &[&str]) -> Vec<SecretString> {
        of.iter().map(|secret| SecretString::from(*secret)).collect()
    }

    fn check(header: &str, now: Millis) -> Result<(), Reject> {
        verify(&secrets(&["whsec_other", "whsec_test_secret"]), header, BODY, now)
    }

    #[test]
    fn the_known_vector_is_accepted_with_any_active_secret() {
        assert_eq!(check(&format!("t={TIME},v1={SIGNATURE}"), TIME * SECOND), Ok(()));
        let wrong = "0".repeat(64);
        assert_eq!(check(&format!("t={TIME},v1={wrong},v1={SIGNATURE},v0=x"), TIME * SECOND), Ok(()));
    }

    #[test]
    fn a_wrong_secret_body_or_signature_is_not() {
        let header = format!("t={TIME},v1={SIGNATURE}");
        assert_eq!(verify(&secrets(&["whsec_other"]), &header, BODY, TIME * SECOND), Err(Reject::Wrong));
        assert_eq!(verify(&[], &header, BODY, TIME * SECOND), Err(Reject::Wrong));
        assert_eq!(verify(&secrets(&["whsec_test_secret"]), &header, b"{}", TIME * SECOND), Err(Reject::Wrong));
        assert_eq!(check(&format!("t={},v1={SIGNATURE}", TIME + 1), TIME * SECOND), Err(Reject::Wrong));
    }

    #[test]
    fn an_empty_secret_verifies_nothing() {
        for empty in ["", " ", "whsec_", "whsec_ \n", "no_prefix_at_all"] {
            let mut mac = Hmac::<Sha256>::new_from_slice(empty.as_bytes()).unwrap();
            mac.update(format!("{TIME}.").as_bytes());
            mac.update(BODY);
            let header = format!("t={TIME},v1={}", hex::encode(mac.finalize().into_bytes()));
            assert_eq!(verify(&secrets(&[empty]), &header, BODY, TIME * SECOND), Err(Reject::Wrong), "{empty:?}");
        }
    }

    #[test]
    fn time_is_bounded_on_both_sides() {
        let header = format!("t={TIME},v1={SIGNATURE}");
        let at = TIME * SECOND;
        assert_eq!(check(&header, at + TOLERANCE), Ok(()));
        assert_eq!(check(&header, at + TOLERANCE + 1), Err(Reject::Stale));
        assert_eq!(check(&header, at - TOLERANCE), Ok(()));
        assert_eq!(check(&header, at - TOLERANCE - 1), Err(Reject::Future));
    }

    #[test]
    fn malformed_headers_are_named() {
        for header in ["", "t=1", "v1=00", "t=1,v1=zz", &format!("v1={SIGNATURE}")] {
            assert_eq!(check(header, 0), Err(Reject::Malformed), "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(header in ".{0,200}", now: i64) {
            prop_assert!(check(&header, now).is_err());
        }
    }
}
