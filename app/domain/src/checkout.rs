//! The content of a checkout page: a pure function of session and payment.

mod choice;
mod figures;
mod phase;

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::id::Token;
use crate::method::Method;
use crate::money::Money;
use crate::order::{Basket, Returns, Sums};
use crate::session::Notice;

pub use choice::choice;
pub use figures::Figures;
pub use phase::{Phase, phase};

/// The content of a checkout page. It holds nothing that the page must not show.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct View {
    /// The token that the page's own forms send: the session's, or the link's until the shopper's first action.
    pub token: Token,
    /// Whether the token is a link's. A link's page has no stored session yet.
    pub is_link: bool,
    /// The merchant's name.
    pub merchant: String,
    /// The address to which shoppers can write for help.
    pub support_email: Option<String>,
    /// The order's basket.
    pub basket: Basket,
    /// The sum of the basket, part by part.
    pub sums: Sums,
    /// The order's total.
    pub total: Money,
    /// The merchant's pages to which the shopper can go afterwards.
    pub returns: Returns,
    /// The amounts beside the total.
    pub figures: Figures,
    /// The subject of the page.
    pub phase: Phase,
    /// The outcome of the last action.
    pub notice: Option<Notice>,
    /// The methods on offer, in order.
    pub methods: Vec<Method>,
    /// The method that is chosen when the page is loaded.
    pub chosen: Option<Method>,
    /// When the session ends. None where no session has begun.
    pub expires: Option<Millis>,
    /// Whether the end is near.
    pub ends_soon: bool,
    /// Whether the shopper may ask for more time.
    pub can_extend: bool,
    /// Whether a new session can be had from the link.
    pub can_renew: bool,
    /// The server's time.
    pub now: Millis,
    /// A short reference that support can look up. None on a link's page, which has no stored session.
    pub reference: Option<String>,
    /// Whether this is test mode: no real money.
    pub test_mode: bool,
}

#[cfg(test)]
mod tests;
