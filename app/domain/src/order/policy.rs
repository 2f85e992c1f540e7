//! The merchant's decisions about an order's payment.

use serde::{Deserialize, Serialize};

use super::OrderError;
use crate::Millis;
use crate::payment::Capture;

/// Bytes of an address at most.
const ADDRESS_BYTES_MAX: usize = 2_048;

/// What happens to money beyond the debt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surplus {
    /// It goes back to the shopper by itself.
    Refund,
    /// It stays until the merchant decides.
    Hold,
}

/// What happens when a shopper has paid less than is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Under {
    /// The rest stays due and payable.
    Collect,
    /// What came settles the debt.
    Accept,
    /// What came goes back, and the whole is due again.
    Refund,
}

/// What happens to a payment that arrives after its session has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// It settles the debt.
    Accept,
    /// It is surplus.
    Surplus,
}

/// The merchant's decisions about an order's payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policies {
    /// When the money is taken.
    pub capture: Capture,
    /// Money beyond the debt. None: what the merchant has decided for all orders.
    pub surplus: Option<Surplus>,
    /// Too little money.
    pub under: Under,
    /// Late money.
    pub late: Late,
    /// By how many minor units a payment may be short and still settle the debt: bank transfers lose fees on the way.
    pub tolerance: i64,
    /// How long a session lives.
    pub session_ttl: Millis,
    /// Whether a shopper may ask for more time.
    pub extendable: bool,
}

/// Where the shopper goes afterwards. None: the page stays and says what came of it.
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
        let addresses = [("the address after paying", &self.success), ("the address after giving up", &self.cancel)];
        addresses.into_iter().try_for_each(|(what, address)| match address {
            Some(address) if !is_address(address) => Err(OrderError::Address(what)),
            _ => Ok(()),
        })
    }
}

/// An address a browser may be sent to: nothing that runs as a script, and no network in clear text but the machine's own.
fn is_address(text: &str) -> bool {
    let plain = text.len() <= ADDRESS_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    let near = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let near = near.iter().any(|start| text.strip_prefix(start).is_some_and(|rest| is_end_of_host(rest)));
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
        assert_eq!(returns.check(), Err(OrderError::Address("the address after paying")));
    }
}
