//! The rules for amounts that providers share: the currencies a provider takes, the currencies whose decimals differ from ISO 4217, and the
//! amounts it refuses.

use domain::currency::Currency;
use domain::line::Line;
use domain::method::Method;
use domain::money::Money;
use thiserror::Error;

use crate::connector::Fail;

/// The reason why a provider cannot take an amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AmountRule {
    /// The provider does not take the currency.
    #[error("{0} takes no {1}")]
    Currency(&'static str, Currency),
    /// The method is not offered through the provider, or not in this currency.
    #[error("{0} takes no {method} in {1}", method = .2.as_str().replace('_', " "))]
    Method(&'static str, Currency, Method),
    /// The provider counts in larger steps than ISO 4217.
    #[error("{provider} takes {} amounts in steps of {step}, and not {amount}", .amount.currency)]
    Step {
        /// The provider's name.
        provider: &'static str,
        /// The amount between two steps.
        amount: Money,
        /// Amounts must be a multiple of this step, in minor units. The step is a power of ten.
        step: i64,
    },
    /// The total is below the provider's minimum.
    #[error("{0} takes no less than {1}")]
    TooSmall(&'static str, Money),
    /// The total is above the provider's maximum.
    #[error("{0} takes no more than {1}")]
    TooLarge(&'static str, Money),
    /// The price of one piece breaks a rule, which the provider applies to every line.
    #[error("the line {name:?}: {rule}")]
    Line {
        /// The line's name.
        name: String,
        /// The rule.
        rule: Box<AmountRule>,
    },
}

impl From<AmountRule> for Fail {
    fn from(rule: AmountRule) -> Self {
        Fail::Unsupported(rule.to_string())
    }
}

/// The currencies of a provider. A currency that is not listed is refused.
pub(crate) struct Currencies {
    /// The provider's name, for people.
    pub provider: &'static str,
    /// The codes of the currencies the provider takes.
    pub taken: &'static [&'static str],
    /// The decimals of currencies for which the provider's count differs from ISO 4217.
    pub own_exponents: &'static [(&'static str, u8)],
    /// The steps of currencies in which not every count is taken: a count must be a multiple of the step.
    pub steps: &'static [(&'static str, i64)],
    /// The minimum of one payment, in the provider's count. A currency that is not listed has the minimum one.
    pub least: &'static [(&'static str, i64)],
    /// The maximum of one payment, in the provider's count, for currencies that differ from [`Currencies::most`].
    pub most_of: &'static [(&'static str, i64)],
    /// The maximum of one payment in any other currency, in the provider's count.
    pub most: i64,
}

impl Currencies {
    pub(crate) fn takes(&self, currency: Currency) -> bool {
        self.taken.contains(&currency.code())
    }

    /// Whether an order can be paid in one payment: every price can be counted, and the total lies within the bounds.
    pub(crate) fn check(&self, lines: &[Line], total: Money) -> Result<(), AmountRule> {
        if !self.takes(total.currency) {
            return Err(AmountRule::Currency(self.provider, total.currency));
        }
        for line in lines {
            let of_line = |rule| AmountRule::Line { name: line.name.clone(), rule: Box::new(rule) };
            self.count(line.unit).map_err(of_line)?;
        }
        let count = self.count(total)?;
        let money = |count| self.shown(count, total.currency);
        let (least, most) = (self.of(self.least, total).unwrap_or(1), self.most_of(total));
        if count < least {
            return Err(AmountRule::TooSmall(self.provider, money(least)));
        }
        if count > most { Err(AmountRule::TooLarge(self.provider, money(most))) } else { Ok(()) }
    }

    /// Our minor units as the provider counts them.
    pub(crate) fn count(&self, money: Money) -> Result<i64, AmountRule> {
        if !self.takes(money.currency) {
            return Err(AmountRule::Currency(self.provider, money.currency));
        }
        let (ours, theirs) = (money.currency.exponent(), self.exponent(money.currency));
        let step = self.of(self.steps, money).unwrap_or(1) * 10i64.pow(u32::from(ours.saturating_sub(theirs)));
        if money.minor % step != 0 {
            return Err(AmountRule::Step { provider: self.provider, amount: money, step });
        }
        let too_large = || AmountRule::TooLarge(self.provider, self.shown(self.most_of(money), money.currency));
        rescale(money.minor, ours, theirs).ok_or_else(too_large)
    }

    /// A bound for people to read, without a fraction that the currency does not have.
    fn shown(&self, count: i64, currency: Currency) -> Money {
        let (ours, theirs) = (currency.exponent(), self.exponent(currency));
        let fraction = count % 10i64.pow(u32::from(theirs.saturating_sub(ours)));
        Money::new(rescale(count - fraction, theirs, ours).unwrap_or(i64::MAX), currency)
    }

    /// The provider's count in our minor units. `None` if the count is no whole number of minor units or too large.
    pub(crate) fn minor(&self, count: i64, currency: Currency) -> Option<i64> {
        rescale(count, self.exponent(currency), currency.exponent())
    }

    fn of(&self, list: &[(&str, i64)], money: Money) -> Option<i64> {
        list.iter().find(|(code, _)| *code == money.currency.code()).map(|(_, value)| *value)
    }

    fn most_of(&self, money: Money) -> i64 {
        self.of(self.most_of, money).unwrap_or(self.most)
    }

    fn exponent(&self, currency: Currency) -> u8 {
        let own = self.own_exponents.iter().find(|(code, _)| *code == currency.code());
        own.map_or(currency.exponent(), |(_, exponent)| *exponent)
    }
}

/// The count with other decimals. `None` if the result is no whole number or too large.
fn rescale(count: i64, from: u8, to: u8) -> Option<i64> {
    let step = 10i64.checked_pow(u32::from(from.abs_diff(to)))?;
    if to >= from { count.checked_mul(step) } else { (count % step == 0).then_some(count / step) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listed_currencies_exist_and_odd_exponents_are_of_listed_ones() {
        for currencies in [&crate::adyen::CURRENCIES, &crate::stripe::CURRENCIES] {
            assert!(currencies.taken.iter().all(|code| code.parse::<Currency>().is_ok()));
            assert!(currencies.own_exponents.iter().all(|(code, _)| currencies.taken.contains(code)));
            for (code, value) in [currencies.steps, currencies.least, currencies.most_of].concat() {
                assert!(
                    currencies.taken.contains(&code) && (1..=currencies.most.max(999_999_999_999)).contains(&value)
                );
            }
            assert!(currencies.steps.iter().all(|(_, step)| [10, 100].contains(step)));
        }
    }

    #[test]
    fn counts_are_whole() {
        assert_eq!((rescale(5, 0, 2), rescale(500, 2, 0), rescale(501, 2, 0)), (Some(500), Some(5), None));
        assert_eq!((rescale(i64::MAX, 0, 2), rescale(7, 3, 3)), (None, Some(7)));
    }
}
