//! The merchant's decisions about an order's payment.

use serde::{Deserialize, Serialize};

use super::{OrderError, Part};
use crate::Millis;
use crate::link::SESSION_TTL_DEFAULT;
use crate::payment::Capture;

/// Bytes of an address at most.
const ADDRESS_BYTES_MAX: usize = 2_048;

/// The merchant's decisions about an order's payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policies {
    /// When the money is captured.
    pub capture: Capture,
    /// How long a session lives.
    pub session_ttl: Millis,
    /// Whether a shopper may ask for more time.
    pub extendable: bool,
}

impl Default for Policies {
    /// Money is captured at once; sessions live as long as usual, and shoppers may ask for more time.
    fn default() -> Self {
        Policies { capture: Capture::Automatic, session_ttl: SESSION_TTL_DEFAULT, extendable: true }
    }
}

impl Policies {
    /// How much an extension of a session adds; zero where the merchant allows none.
    #[must_use]
    pub fn extension(&self) -> Millis {
        if self.extendable { self.session_ttl } else { 0 }
    }
}

/// The merchant's pages to which the shopper goes afterwards. Without an address the shopper stays on Till's page, which shows the outcome.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Returns {
    /// After paying.
    pub success: Option<String>,
    /// After giving up.
    pub cancel: Option<String>,
}

impl Returns {
    pub(super) fn check(&self) -> Result<(), OrderError> {
        let addresses = [(Part::SuccessAddress, &self.success), (Part::CancelAddress, &self.cancel)];
        addresses.into_iter().try_for_each(|(what, address)| match address {
            Some(address) if !is_address(address) => Err(OrderError::Address(what)),
            _ => Ok(()),
        })
    }
}

/// Whether a browser may be sent to an address. An address that runs as a script is refused, and so is clear text over the network; only
/// this machine may be reached in clear text.
fn is_address(text: &str) -> bool {
    let plain = text.len() <= ADDRESS_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    let near = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let near = near.iter().any(|start| text.strip_prefix(start).is_some_and(is_end_of_host));
    let host = text
        .strip_prefix("https://")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['));
    plain && (near || host)
}

fn is_end_of_host(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with([':', '/', '?', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_pages_are_taken() {
        for good in [
            "https://shop.example/thanks?x={CHECKOUT_SESSION_ID}",
            "http://localhost:3000/",
            "http://[::1]/x",
            "https://[2001:db8::1]/",
        ] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("https://shop.example/{}", "x".repeat(2_048));
        for bad in [
            "",
            "javascript:alert(1)",
            "http://shop.example/",
            "http://localhost.evil.example/",
            "https://",
            "https:///x",
            "https://a b",
            "data:text/html,x",
            &long,
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        let returns = Returns { success: Some("ftp://x".into()), cancel: None };
        assert_eq!(returns.check(), Err(OrderError::Address(Part::SuccessAddress)));
    }
}
