//! Payment links: the goods, how often they can be paid, and whether a link is active.

use serde::{Deserialize, Serialize};

use crate::id::{LinkId, MerchantId, OrderId, Token};
use crate::money::Money;
use crate::order::{Basket, Customer, Metadata, Order, Policies, Returns};
use crate::{DAY, HOUR, MINUTE, Millis};

/// The life of a session where the link sets none.
pub const SESSION_TTL_DEFAULT: Millis = HOUR;
/// The longest life of a session, extensions included. No provider keeps its own page open longer.
pub const SESSION_TTL_MAX: Millis = DAY;

/// How often a link can be paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    /// One debt, such as an invoice: every visit leads to the same payment.
    Once,
    /// A price tag: every visit is a debt of its own.
    Reusable,
}

/// The merchant's decision about a link. The payment's status says whether the link has been paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// The link can be opened.
    Active,
    /// The merchant has switched the link off, and can switch it on again.
    Disabled,
}

/// An address a merchant shares.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Link {
    /// The id.
    pub id: LinkId,
    /// The part of the address that cannot be guessed.
    pub token: Token,
    /// The merchant who gets paid.
    pub merchant: MerchantId,
    /// Whether the link can be opened.
    pub state: LinkState,
    /// How often the link can be paid.
    pub usage: Usage,
    /// Whether real money moves.
    pub live: bool,
    /// The articles sold.
    pub basket: Basket,
    /// The sum of the basket.
    pub total: Money,
    /// The merchant's notes on every order.
    pub metadata: Metadata,
    /// The merchant's pages to which shoppers go afterwards.
    pub returns: Returns,
    /// The merchant's decisions about every order's payment.
    pub policies: Policies,
    /// When the link was made.
    pub created: Millis,
}

impl Link {
    /// An order as the link describes it now.
    #[must_use]
    pub fn order(&self, id: OrderId, now: Millis) -> Order {
        Order {
            id,
            merchant: self.merchant.clone(),
            live: self.live,
            link: Some(self.id.clone()),
            basket: self.basket.clone(),
            total: self.total,
            customer: Customer::default(),
            fields: vec![],
            metadata: self.metadata.clone(),
            returns: self.returns.clone(),
            policies: self.policies,
            created: now,
        }
    }
}

/// The nearest allowed session life: at least a second, at most [`SESSION_TTL_MAX`].
#[must_use]
pub fn bounded_ttl(wanted: Millis) -> Millis {
    wanted.clamp(1_000, SESSION_TTL_MAX)
}

/// The time before a session's end at which its page announces the end.
pub const EXPIRY_WARNING: Millis = 5 * MINUTE;
