//! Orders: what is bought, for whom, and under which policies.
//!
//! An order is a snapshot. A link that is edited later, or a server that moves to another address, does not change it.

mod basket;
mod buyer;
mod policy;
mod rate;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use basket::{Basket, Discount, Off, Shipping, Sums, TaxSum, Tip};
pub use buyer::{Customer, Field, METADATA_KEYS_MAX, Metadata};
pub use policy::{Policies, Returns};
pub use rate::{Rate, Tax};

use crate::Millis;
use crate::id::{LinkId, MerchantId, OrderId};
use crate::line::LineError;
use crate::money::{Money, MoneyError};
use crate::text;

/// Why an order is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OrderError {
    /// A line is not acceptable.
    #[error(transparent)]
    Line(#[from] LineError),
    /// A sum cannot be computed.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A rate is not between 0 and 100 percent.
    #[error("a rate is a percentage from 0 to 100 with at most four decimals, such as 19 or 7.7")]
    Rate,
    /// The discount leaves nothing to pay, or is negative.
    #[error("a discount is more than zero and leaves something to pay")]
    Discount,
    /// A shipping price or tip is negative.
    #[error("{0} cannot be negative")]
    Negative(&'static str),
    /// A text is empty, too long, or holds control characters.
    #[error(
        "{what} has 1 to {chars_max} characters, at least one of them visible, no control characters and none that change the direction of text"
    )]
    Text {
        /// Which text.
        what: &'static str,
        /// Characters at most.
        chars_max: usize,
    },
    /// There are too many of something.
    #[error("an order has at most {most} {what}")]
    TooMany {
        /// Of what, in the plural.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// An address to return to is not one.
    #[error(
        "{0} is an address that begins with https:// (or http:// on this machine) and has at most 2,048 characters"
    )]
    Address(&'static str),
}

/// What is bought.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The id.
    pub id: OrderId,
    /// Who gets paid.
    pub merchant: MerchantId,
    /// Whether real money moves.
    pub live: bool,
    /// The link it was made from, if it was made from one.
    pub link: Option<LinkId>,
    /// The goods and what they cost.
    pub basket: Basket,
    /// What the basket comes to.
    pub total: Money,
    /// Who buys.
    pub customer: Customer,
    /// The merchant's own questions, as the shopper answered them.
    pub fields: Vec<Field>,
    /// The merchant's own notes.
    pub metadata: Metadata,
    /// Where the shopper goes afterwards.
    pub returns: Returns,
    /// The merchant's decisions about its payment.
    pub policies: Policies,
    /// When it was made.
    pub created: Millis,
}

impl Order {
    /// The same order with its total, after checking every bound.
    pub fn checked(self) -> Result<Order, OrderError> {
        self.customer.check()?;
        buyer::check_fields(&self.fields)?;
        self.returns.check()?;
        Ok(Order { total: self.basket.sums()?.total, ..self })
    }
}

/// The text if it has 1 to `chars_max` characters, shows something, and does not turn the text around it.
pub(super) fn printable(what: &'static str, text: &str, chars_max: usize) -> Result<(), OrderError> {
    let good = text.chars().count() <= chars_max && text::is_name(text);
    if good { Ok(()) } else { Err(OrderError::Text { what, chars_max }) }
}
