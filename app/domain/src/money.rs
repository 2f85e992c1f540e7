//! Amounts of money: whole minor units of one currency, with checked arithmetic.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::currency::Currency;

/// The largest amount Till accepts, in minor units: 999,999,999,999. The bound leaves room for every sum of a hundred lines and stays exact
/// in JavaScript's numbers.
pub const AMOUNT_MAX: i64 = 999_999_999_999;

/// An amount in minor units (cents for EUR, whole yen for JPY) of one currency. The amount may be negative, as a difference.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// The reason why an amount could not be computed or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Two amounts differ in their currency.
    #[error("{0} and {1} do not go together")]
    CurrencyMismatch(Currency, Currency),
    /// The result is larger than [`AMOUNT_MAX`], this one.
    #[error("the amount is too large; the largest is {0}")]
    TooLarge(Money),
    /// The text is not a decimal number with at most the currency's digits.
    #[error("{0:?} is not an amount in {1}")]
    Unreadable(String, Currency),
}

impl Money {
    /// An amount of `minor` units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Money { minor, currency }
    }

    /// The sum, if the currencies agree and the sum is within [`AMOUNT_MAX`].
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        self.bounded(self.minor.checked_add(other.minor))
    }

    /// The difference, if the currencies agree and the difference is within [`AMOUNT_MAX`].
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        self.bounded(self.minor.checked_sub(other.minor))
    }

    /// The amount times a quantity, if the product is within [`AMOUNT_MAX`].
    pub fn checked_mul(self, quantity: u32) -> Result<Money, MoneyError> {
        self.bounded(self.minor.checked_mul(i64::from(quantity)))
    }

    /// Reads a decimal such as `12.50`. More digits than the currency has, a sign or a separator are refused.
    pub fn parse_decimal(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let unreadable = || MoneyError::Unreadable(text.chars().take(32).collect(), currency);
        let digits = usize::from(currency.exponent());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let dangling = text.contains('.') && fraction.is_empty();
        if whole.is_empty() || dangling || fraction.len() > digits || !plain(whole) || !plain(fraction) {
            return Err(unreadable());
        }
        let padded = format!("{whole}{fraction:0<digits$}");
        // More digits than a number has are too many all the same.
        Money::new(0, currency).bounded(padded.parse().ok())
    }

    /// The plain decimal, with a point and without the currency: `12.50`, `1250` in JPY.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let digits = usize::from(self.currency.exponent());
        let sign = if self.minor < 0 { "-" } else { "" };
        let all = format!("{:0>width$}", self.minor.unsigned_abs(), width = digits + 1);
        let (whole, fraction) = all.split_at(all.len() - digits);
        if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    fn same_currency(self, other: Money) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch(self.currency, other.currency))
    }

    fn bounded(self, minor: Option<i64>) -> Result<Money, MoneyError> {
        match minor {
            Some(minor) if minor.unsigned_abs() <= AMOUNT_MAX as u64 => Ok(Money::new(minor, self.currency)),
            _ => Err(MoneyError::TooLarge(Money::new(AMOUNT_MAX, self.currency))),
        }
    }
}

impl fmt::Display for Money {
    /// `EUR 12.50`, for logs and the command line. Pages format by locale.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.to_decimal())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency() -> impl Strategy<Value = Currency> {
        let all: Vec<_> = Currency::all().collect();
        proptest::sample::select(all)
    }

    proptest! {
        #[test]
        fn decimals_read_back(minor in 0..=AMOUNT_MAX, currency in currency()) {
            let money = Money::new(minor, currency);
            prop_assert_eq!(Money::parse_decimal(&money.to_decimal(), currency), Ok(money));
        }

        #[test]
        fn adding_and_taking_away_gives_the_start(a in 0..AMOUNT_MAX / 2, b in 0..AMOUNT_MAX / 2, currency in currency()) {
            let (a, b) = (Money::new(a, currency), Money::new(b, currency));
            prop_assert_eq!(a.checked_add(b).and_then(|sum| sum.checked_sub(b)), Ok(a));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}", currency in currency()) {
            let _ = Money::parse_decimal(&text, currency);
        }
    }

    #[test]
    fn sums_are_bounded_and_of_one_currency() {
        let eur = "EUR".parse().unwrap();
        let usd = "USD".parse().unwrap();
        let most = Money::new(AMOUNT_MAX, eur);
        assert_eq!(most.checked_add(Money::new(1, eur)), Err(MoneyError::TooLarge(most)));
        assert_eq!(most.checked_mul(u32::MAX), Err(MoneyError::TooLarge(most)));
        assert_eq!(most.checked_add(Money::new(1, usd)), Err(MoneyError::CurrencyMismatch(eur, usd)));
    }

    #[test]
    fn odd_texts_are_refused() {
        let eur = "EUR".parse().unwrap();
        let jpy = "JPY".parse().unwrap();
        for text in ["", ".5", "5.", "1,50", "-1", "+1", "1.505", "1e3", " 1", "١"] {
            assert!(Money::parse_decimal(text, eur).is_err(), "{text:?}");
        }
        assert!(Money::parse_decimal("1.5", jpy).is_err());
        assert_eq!(Money::parse_decimal("7.5", eur), Ok(Money::new(750, eur)));
        for text in ["10000000000", &"9".repeat(40)] {
            let error = Money::parse_decimal(text, eur).unwrap_err().to_string();
            assert_eq!(error, "the amount is too large; the largest is EUR 9999999999.99");
        }
    }
}
