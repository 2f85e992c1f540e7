//! Identifiers: a prefix that names the kind and 128 random bits, or 128 random bits alone for a public token.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Crockford's alphabet in lower case: no i, l, o or u, so that an id can be read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits in groups of five.
const LENGTH: usize = 26;

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{text:?} is not an id that begins with {prefix:?} and goes on with 26 digits and lower-case letters, of which i, l, o and u are \
     never used"
)]
pub struct BadId {
    prefix: &'static str,
    text: String,
}

fn encode(random: [u8; 16]) -> [u8; LENGTH] {
    let bits = u128::from_be_bytes(random);
    std::array::from_fn(|at| ALPHABET[(bits >> ((LENGTH - 1 - at) * 5)) as usize & 31])
}

fn is_encoded(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $prefix.len() + LENGTH]);

        impl $name {
            /// An id made of 128 random bits.
            #[must_use]
            pub fn from_random(random: [u8; 16]) -> Self {
                let mut text = [0; $prefix.len() + LENGTH];
                text[..$prefix.len()].copy_from_slice($prefix.as_bytes());
                text[$prefix.len()..].copy_from_slice(&encode(random));
                Self(text)
            }

            /// The whole text, prefix included.
            #[must_use]
            pub fn as_str(&self) -> &str {
                // The constructors `from_random` and `from_str` accept only ASCII.
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                match text.strip_prefix($prefix) {
                    Some(rest) if is_encoded(rest) => {
                        let mut bytes = [0; $prefix.len() + LENGTH];
                        bytes.copy_from_slice(text.as_bytes());
                        Ok(Self(bytes))
                    }
                    _ => Err(BadId { prefix: $prefix, text: text.chars().take(64).collect() }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

id!(/** A merchant. */ MerchantId, "mer_");
id!(/** A merchant's credentials at one provider. */ ProviderAccountId, "pa_");
id!(/** A payment link. */ LinkId, "plink_");
id!(/** An order. */ OrderId, "ord_");
id!(/** A checkout session. */ SessionId, "cs_");
id!(/** A payment: one debt. */ PaymentId, "pi_");
id!(/** One try of a payment at one provider account. */ AttemptId, "att_");
id!(/** A capture, void or refund that Till requests from a provider. */ ModificationId, "mod_");
id!(/** A capture, as a row of its own. */ CaptureId, "cap_");
id!(/** A refund, as a row of its own. */ RefundId, "re_");
id!(/** A dispute, as a row of its own. */ DisputeId, "du_");
id!(/** A bank's return, as a row of its own. */ ReturnId, "ret_");
id!(/** An event for the merchant. */ EventId, "evt_");
id!(/** A stored delivery of a provider. */ InboxId, "in_");
id!(/** A job. */ JobId, "job_");
id!(/** A merchant's API key (not the secret itself). */ ApiKeyId, "key_");
id!(/** The public, unguessable part of a link's or a session's address. */ Token, "");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_read_back_and_differ(a: [u8; 16], b: [u8; 16]) {
            let id = PaymentId::from_random(a);
            prop_assert_eq!(id.as_str().parse::<PaymentId>(), Ok(id.clone()));
            prop_assert_eq!(a == b, id == PaymentId::from_random(b));
        }

        #[test]
        fn other_kinds_and_noise_are_refused(random: [u8; 16], noise in ".{0,80}") {
            prop_assert!(AttemptId::from_random(random).as_str().parse::<PaymentId>().is_err());
            prop_assert!(noise.parse::<PaymentId>().is_err());
        }
    }

    #[test]
    fn letters_that_no_id_has_are_named() {
        for wrong in ["pi_0000000000000000000000000O", "pi_0000000000000000000000000u"] {
            let error = wrong.parse::<PaymentId>().unwrap_err().to_string();
            assert!(error.contains("lower-case letters, of which i, l, o and u are never used"), "{error}");
        }
    }
}
