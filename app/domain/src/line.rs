//! Order lines and their total.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::money::{Money, MoneyError};
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
    /// How many pieces.
    pub quantity: u32,
}

/// Why an order is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineError {
    /// There is nothing to pay for.
    #[error("an order needs at least one line")]
    Empty,
    /// More than [`LINES_MAX`].
    #[error("an order has at most {LINES_MAX} lines")]
    TooMany,
    /// A name shows nothing, or a name or description is longer than [`NAME_CHARS_MAX`] or [disturbs](text::disturbs) its surroundings.
    #[error(
        "a line's name and description have 1 to {NAME_CHARS_MAX} characters, at least one of them visible, no control characters and \
         none that change the direction of text"
    )]
    Name,
    /// A quantity of zero or more than [`QUANTITY_MAX`].
    #[error("a line's quantity is 1 to {QUANTITY_MAX}")]
    Quantity,
    /// A negative price.
    #[error("a line's price cannot be negative")]
    Price,
    /// The total is zero.
    #[error("the total must be more than zero")]
    Free,
    /// The lines' currencies differ, or the sum is too large.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Line {
    /// Price times quantity.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.unit.checked_mul(self.quantity)
    }

    fn check(&self) -> Result<(), LineError> {
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

/// The sum of the lines, after checking every bound.
pub fn order_total(lines: &[Line]) -> Result<Money, LineError> {
    let first = lines.first().ok_or(LineError::Empty)?;
    if lines.len() > LINES_MAX {
        return Err(LineError::TooMany);
    }
    let mut sum = Money::new(0, first.unit.currency);
    for line in lines {
        line.check()?;
        sum = sum.checked_add(line.total()?)?;
    }
    if sum.minor == 0 { Err(LineError::Free) } else { Ok(sum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(minor: i64, currency: &str, quantity: u32) -> Line {
        Line { name: "Tea".into(), description: None, unit: Money::new(minor, currency.parse().unwrap()), quantity }
    }

    #[test]
    fn the_total_is_price_times_quantity_summed() {
        let total = order_total(&[line(1299, "EUR", 2), line(500, "EUR", 1)]).unwrap();
        assert_eq!(total, Money::new(3098, "EUR".parse().unwrap()));
    }

    #[test]
    fn bad_orders_are_refused() {
        let unnamed = Line { name: "  ".into(), ..line(1, "EUR", 1) };
        assert_eq!(order_total(&[]), Err(LineError::Empty));
        assert_eq!(order_total(&vec![line(1, "EUR", 1); 101]), Err(LineError::TooMany));
        assert_eq!(order_total(&[unnamed]), Err(LineError::Name));
        let steering = Line { name: "Tea\u{1b}[2J".into(), ..line(1, "EUR", 1) };
        assert_eq!(order_total(&[steering]), Err(LineError::Name));
        let steering = Line { description: Some("Tea\0".into()), ..line(1, "EUR", 1) };
        assert_eq!(order_total(&[steering]), Err(LineError::Name));
        for name in ["\u{200b}", "\u{202e}aeT", "\u{301}"] {
            let hidden = Line { name: name.into(), ..line(1, "EUR", 1) };
            assert_eq!(order_total(&[hidden]), Err(LineError::Name), "{name:?}");
            let hidden = Line { description: Some(name.into()), ..line(1, "EUR", 1) };
            assert_eq!(order_total(&[hidden]), Err(LineError::Name), "{name:?}");
        }
        assert_eq!(order_total(&[line(1, "EUR", 0)]), Err(LineError::Quantity));
        assert_eq!(order_total(&[line(-1, "EUR", 1)]), Err(LineError::Price));
        assert_eq!(order_total(&[line(0, "EUR", 3)]), Err(LineError::Free));
        assert!(matches!(order_total(&[line(1, "EUR", 1), line(1, "USD", 1)]), Err(LineError::Money(_))));
        assert!(matches!(order_total(&[line(i64::MAX, "EUR", 2)]), Err(LineError::Money(_))));
    }
}
