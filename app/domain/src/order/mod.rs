//! Orders: the basket, the customer and the policies.
//!
//! An order is a snapshot. A link that is edited later, or a server that moves to another address, does not change the order.

mod basket;
mod buyer;
mod part;
mod policy;
mod rate;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use basket::{Basket, Discount, Off, Shipping, Sums, TaxSum, Tip};
pub use buyer::{Customer, Field, METADATA_KEYS_MAX, Metadata};
pub use part::Part;
pub use policy::{Policies, Returns};
pub use rate::{Rate, Tax};

use crate::Millis;
use crate::id::{LinkId, MerchantId, OrderId};
use crate::line::LineError;
use crate::money::{Money, MoneyError};
use crate::text;

/// The reason why an order is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OrderError {
    /// A line is not acceptable.
    #[error(transparent)]
    Line(#[from] LineError),
    /// A sum cannot be computed.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A rate is not between 0 and 100 percent.
    #[error("a rate is no percentage from 0 to 100 with at most four decimals")]
    Rate,
    /// The discount leaves nothing to pay, or is negative.
    #[error("the discount is not above zero, or leaves nothing to pay")]
    Discount,
    /// A shipping price or tip is negative.
    #[error("{0:?} is negative")]
    Negative(Part),
    /// A text is empty, too long, or holds control characters.
    #[error("{what:?} is no printable text of 1 to {chars_max} characters")]
    Text {
        /// The text.
        what: Part,
        /// Characters at most.
        chars_max: usize,
    },
    /// There are too many of something.
    #[error("{what:?} are more than {most}")]
    TooMany {
        /// The things.
        what: Part,
        /// The most that are allowed.
        most: usize,
    },
    /// A return address is not a web address.
    #[error("{0:?} is no https address, or is too long")]
    Address(Part),
}

/// An order: a snapshot of a purchase.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The id.
    pub id: OrderId,
    /// The merchant who gets paid.
    pub merchant: MerchantId,
    /// Whether real money moves.
    pub live: bool,
    /// The link from which the order was made, if any.
    pub link: Option<LinkId>,
    /// The goods and their prices.
    pub basket: Basket,
    /// The basket's total.
    pub total: Money,
    /// The customer.
    pub customer: Customer,
    /// The merchant's own questions, as the shopper answered them.
    pub fields: Vec<Field>,
    /// The merchant's own notes.
    pub metadata: Metadata,
    /// The merchant's pages to which the shopper goes afterwards.
    pub returns: Returns,
    /// The merchant's decisions about the order's payment.
    pub policies: Policies,
    /// When the order was made.
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

/// Checks that a text has 1 to `chars_max` characters, has a visible one, and does not disturb the text around it.
pub(super) fn printable(what: Part, text: &str, chars_max: usize) -> Result<(), OrderError> {
    let good = text.chars().count() <= chars_max && text::is_name(text);
    if good { Ok(()) } else { Err(OrderError::Text { what, chars_max }) }
}
