//! Payment methods, in Till's words. A connector maps them to its provider's methods.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The shopper's means of payment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A credit or debit card, entered on the provider's page.
    Card,
    /// A debit from a bank account, confirmed days later.
    BankDebit,
}

/// The text names no known method.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown payment method")]
pub struct UnknownMethod;

impl Method {
    /// Every method, in the order the page shows them.
    pub const ALL: [Method; 2] = [Method::Card, Method::BankDebit];

    /// Whether money can be authorised now and captured later.
    #[must_use]
    pub fn can_be_authorised(self) -> bool {
        self == Method::Card
    }

    /// The name used in forms and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Card => "card",
            Method::BankDebit => "bank_debit",
        }
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;
    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        Method::ALL.into_iter().find(|method| method.as_str() == text).ok_or(UnknownMethod)
    }
}
