//! Rates of tax and discount: whole millionths, so that no fraction of a percent is lost.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{OrderError, Part, printable};
use crate::line::NAME_CHARS_MAX;

/// A whole, in millionths.
const WHOLE: u32 = 1_000_000;
/// Digits after the point of a percentage.
const DECIMALS: usize = 4;

/// A share between 0 and 100 percent, in millionths: 190,000 are 19 %.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Rate(u32);

impl Rate {
    /// The rate in millionths.
    #[must_use]
    pub fn millionths(self) -> u32 {
        self.0
    }

    /// The rate's part of an amount of minor units, half a unit rounded away from zero.
    #[must_use]
    pub fn part(self, minor: i64) -> i64 {
        rounded(i128::from(minor) * i128::from(self.0), i128::from(WHOLE))
    }

    /// The tax that an amount of minor units already contains.
    #[must_use]
    pub fn part_within(self, minor: i64) -> i64 {
        rounded(i128::from(minor) * i128::from(self.0), i128::from(WHOLE) + i128::from(self.0))
    }
}

/// A quotient, half a unit rounded away from zero. The divisor is positive. A rate of at most one keeps the quotient within the amount.
fn rounded(dividend: i128, divisor: i128) -> i64 {
    let half = if dividend < 0 { -divisor / 2 } else { divisor / 2 };
    i64::try_from((dividend + half) / divisor).unwrap_or(0)
}

impl TryFrom<u32> for Rate {
    type Error = OrderError;
    fn try_from(millionths: u32) -> Result<Self, OrderError> {
        if millionths <= WHOLE { Ok(Rate(millionths)) } else { Err(OrderError::Rate) }
    }
}

impl From<Rate> for u32 {
    fn from(rate: Rate) -> u32 {
        rate.0
    }
}

impl FromStr for Rate {
    type Err = OrderError;

    /// Reads a percentage such as `19`, `7.7` or `8.875`, without the sign.
    fn from_str(percent: &str) -> Result<Self, OrderError> {
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, "0"));
        let plain = |part: &str, most: usize| {
            !part.is_empty() && part.len() <= most && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !plain(whole, 3) || !plain(fraction, DECIMALS) {
            return Err(OrderError::Rate);
        }
        let millionths = format!("{whole}{fraction:0<DECIMALS$}").parse::<u32>().map_err(|_| OrderError::Rate)?;
        Rate::try_from(millionths)
    }
}

impl fmt::Display for Rate {
    /// The percentage without needless zeros: `19`, `7.7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 10_000, self.0 % 10_000);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        write!(f, "{whole}.{}", format!("{fraction:04}").trim_end_matches('0'))
    }
}

/// A tax on a line or on shipping.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Tax {
    /// The name, in the merchant's words.
    pub name: String,
    /// The rate.
    pub rate: Rate,
    /// Whether prices already contain the tax. Otherwise the tax is added.
    pub inclusive: bool,
}

impl Tax {
    pub(super) fn check(&self) -> Result<(), OrderError> {
        printable(Part::TaxName, &self.name, NAME_CHARS_MAX)
    }

    /// The tax on an amount of minor units: contained in it, or to be added.
    #[must_use]
    pub fn on(&self, minor: i64) -> i64 {
        if self.inclusive { self.rate.part_within(minor) } else { self.rate.part(minor) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::AMOUNT_MAX;

    fn rate(percent: &str) -> Rate {
        percent.parse().unwrap()
    }

    #[test]
    fn percentages_read_and_print() {
        assert_eq!(rate("19").millionths(), 190_000);
        assert_eq!(rate("8.875").millionths(), 88_750);
        assert_eq!(rate("0.0001").millionths(), 1);
        for text in ["0", "7.7", "8.875", "100", "0.0001"] {
            assert_eq!(rate(text).to_string(), text);
        }
        for text in ["", "-1", "101", "100.0001", "7,7", "1.23456", ".5", "5.", "1e2", "٥"] {
            assert_eq!(text.parse::<Rate>(), Err(OrderError::Rate), "{text:?}");
        }
    }

    /// Worked out by hand.
    #[test]
    fn half_a_unit_is_rounded_away_from_zero() {
        assert_eq!(rate("19").part(1_000), 190);
        assert_eq!(rate("7.7").part(1_299), 100); // 100.023
        assert_eq!(rate("50").part(1), 1); // 0.5
        assert_eq!(rate("50").part(-1), -1);
        assert_eq!(rate("19").part_within(1_190), 190);
        assert_eq!(rate("7").part_within(100), 7); // 6.54
        assert_eq!(rate("100").part_within(3), 2); // 1.5
        assert_eq!(rate("0").part_within(3), 0);
    }

    proptest! {
        #[test]
        fn a_part_is_never_more_than_the_whole(minor in 0..=AMOUNT_MAX, millionths in 0..=WHOLE) {
            let rate = Rate::try_from(millionths).unwrap();
            prop_assert!((0..=minor).contains(&rate.part(minor)));
            prop_assert!((0..=minor).contains(&rate.part_within(minor)));
        }

        /// The tax added to a net amount equals the tax contained in the gross amount, except for rounding.
        #[test]
        fn added_and_contained_tax_agree(minor in 0..=AMOUNT_MAX / 2, millionths in 0..=WHOLE) {
            let rate = Rate::try_from(millionths).unwrap();
            let added = rate.part(minor);
            prop_assert!((rate.part_within(minor + added) - added).abs() <= 1);
        }
    }
}
