//! The idempotency key that a merchant gives a capture, void or refund, so that a repeated request has no second effect.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Characters of a key at most, as Stripe allows for its own.
const LENGTH_MAX: usize = 255;

/// A merchant's idempotency key for one request. One merchant uses each key for one request, whatever the payment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestKey(String);

/// The text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a key has 1 to {LENGTH_MAX} printable ASCII characters and no blanks, such as refund-of-order-1042")]
pub struct BadKey;

impl RequestKey {
    /// A key made of 128 random bits, for a request without a key of the merchant's.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        RequestKey(random.iter().fold(String::from("rk_"), |text, byte| format!("{text}{byte:02x}")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let fits = (1..=LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(RequestKey(text.to_owned())) } else { Err(BadKey) }
    }
}

impl TryFrom<String> for RequestKey {
    type Error = BadKey;

    fn try_from(text: String) -> Result<Self, BadKey> {
        text.parse()
    }
}

impl From<RequestKey> for String {
    fn from(key: RequestKey) -> String {
        key.0
    }
}

impl fmt::Display for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_printable_and_bounded() {
        for key in ["a", "order-1042/refund#1", &"k".repeat(255)] {
            assert_eq!(key.parse::<RequestKey>().map(String::from), Ok(key.to_owned()));
        }
        for text in ["", " ", "a b", "a\n", "\u{1b}[31m", "schlüssel", "a\0", &"k".repeat(256)] {
            assert_eq!(text.parse::<RequestKey>(), Err(BadKey), "{text:?}");
        }
        let made = RequestKey::from_random([7; 16]);
        assert_eq!(made.as_str().parse(), Ok(made.clone()));
    }
}
