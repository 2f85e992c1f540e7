//! Order lines and their total.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::money::{Money, MoneyError};
use crate::order::Tax;
use crate::text;

/// Lines on one order at most.
pub const LINES_MAX: usize = 100;
/// Characters in a line's name at most.
pub const NAME_CHARS_MAX: usize = 250;
/// Pieces on one line at most.
pub const QUANTITY_MAX: u32 = 999_999;

/// One line of an order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The article sold, in the merchant's words.
    pub name: String,
    /// A second line of text.
    pub description: Option<String>,
    /// Price of one piece.
    pub unit: Money,
    /// The number of pieces.
    pub quantity: u32,
    /// The tax on the line.
    #[serde(default)]
    pub tax: Option<Tax>,
}

/// The reason why an order's lines are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineError {
    /// The order has no lines.
    #[error("the order has no lines")]
    Empty,
    /// More than [`LINES_MAX`].
    #[error("the order has more than {LINES_MAX} lines")]
    TooMany,
    /// A name has no visible character, or a name or description is longer than [`NAME_CHARS_MAX`] or [disturbs](text::disturbs) its
    /// surroundings.
    #[error("a line's name or description is no printable text")]
    Name,
    /// A quantity of zero or more than [`QUANTITY_MAX`].
    #[error("a line's quantity is not 1 to {QUANTITY_MAX}")]
    Quantity,
    /// A negative price.
    #[error("a line's price is negative")]
    Price,
    /// The total is zero.
    #[error("the total is zero")]
    Free,
    /// The lines' currencies differ, or the sum is too large.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Line {
    /// A line without a second line of text and without tax.
    #[must_use]
    pub fn new(name: &str, unit: Money, quantity: u32) -> Line {
        Line { name: name.to_owned(), description: None, unit, quantity, tax: None }
    }

    /// Price times quantity.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.unit.checked_mul(self.quantity)
    }

    pub(crate) fn check(&self) -> Result<(), LineError> {
        let is_short = |text: &str| text.chars().count() <= NAME_CHARS_MAX;
        let is_name = |text: &str| is_short(text) && text::is_name(text);
        let is_good = |text: &str| text.is_empty() || is_name(text);
        if !is_name(self.name.trim()) || !self.description.as_deref().is_none_or(is_good) {
            return Err(LineError::Name);
        }
        if self.quantity == 0 || self.quantity > QUANTITY_MAX {
            return Err(LineError::Quantity);
        }
        if self.unit.minor < 0 { Err(LineError::Price) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{Basket, OrderError};

    fn total(lines: &[Line]) -> Result<Money, OrderError> {
        Ok(Basket::of(lines.to_vec()).sums()?.total)
    }

    fn line(minor: i64, currency: &str, quantity: u32) -> Line {
        Line {
            name: "Tea".into(),
            description: None,
            unit: Money::new(minor, currency.parse().unwrap()),
            quantity,
            tax: None,
        }
    }

    #[test]
    fn the_total_is_price_times_quantity_summed() {
        let total = total(&[line(1299, "EUR", 2), line(500, "EUR", 1)]).unwrap();
        assert_eq!(total, Money::new(3098, "EUR".parse().unwrap()));
    }

    #[test]
    fn bad_orders_are_refused() {
        let unnamed = Line { name: "  ".into(), ..line(1, "EUR", 1) };
        assert_eq!(total(&[]), Err(LineError::Empty.into()));
        assert_eq!(total(&vec![line(1, "EUR", 1); 101]), Err(LineError::TooMany.into()));
        assert_eq!(total(&[unnamed]), Err(LineError::Name.into()));
        let steering = Line { name: "Tea\u{1b}[2J".into(), ..line(1, "EUR", 1) };
        assert_eq!(total(&[steering]), Err(LineError::Name.into()));
        let steering = Line { description: Some("Tea\0".into()), ..line(1, "EUR", 1) };
        assert_eq!(total(&[steering]), Err(LineError::Name.into()));
        for name in ["\u{200b}", "\u{202e}aeT", "\u{301}"] {
            let hidden = Line { name: name.into(), ..line(1, "EUR", 1) };
            assert_eq!(total(&[hidden]), Err(LineError::Name.into()), "{name:?}");
            let hidden = Line { description: Some(name.into()), ..line(1, "EUR", 1) };
            assert_eq!(total(&[hidden]), Err(LineError::Name.into()), "{name:?}");
        }
        assert_eq!(total(&[line(1, "EUR", 0)]), Err(LineError::Quantity.into()));
        assert_eq!(total(&[line(-1, "EUR", 1)]), Err(LineError::Price.into()));
        assert_eq!(total(&[line(0, "EUR", 3)]), Err(LineError::Free.into()));
        assert!(matches!(
            total(&[line(1, "EUR", 1), line(1, "USD", 1)]),
            Err(OrderError::Line(LineError::Money(_)) | OrderError::Money(_))
        ));
        assert!(matches!(
            total(&[line(i64::MAX, "EUR", 2)]),
            Err(OrderError::Line(LineError::Money(_)) | OrderError::Money(_))
        ));
    }
}
