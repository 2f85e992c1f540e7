//! What providers' counts of money have in common: which currencies one takes, and where its decimals are not those of ISO 4217.

use domain::currency::Currency;
use domain::money::Money;

use crate::connector::Fail;

/// The currencies of a provider. One that is not listed is refused.
pub(crate) struct Currencies {
    /// The provider's name, for people.
    pub provider: &'static str,
    /// The codes of the currencies it takes.
    pub taken: &'static [&'static str],
    /// Where its count of decimals is not that of ISO 4217.
    pub own_exponents: &'static [(&'static str, u8)],
}

impl Currencies {
    pub(crate) fn takes(&self, currency: Currency) -> bool {
        self.taken.contains(&currency.code())
    }

    /// Our minor units as the provider counts them.
    pub(crate) fn count(&self, money: Money) -> Result<i64, Fail> {
        if !self.takes(money.currency) {
            return Err(Fail::Unsupported(format!("{} takes no {}", self.provider, money.currency)));
        }
        rescale(money.minor, money.currency.exponent(), self.exponent(money.currency))
            .ok_or_else(|| self.inexact(money))
    }

    /// The provider's count in our minor units; nothing if there is no such amount.
    pub(crate) fn minor(&self, count: i64, currency: Currency) -> Option<i64> {
        rescale(count, self.exponent(currency), currency.exponent())
    }

    /// An amount that the provider's count cannot express.
    pub(crate) fn inexact(&self, money: Money) -> Fail {
        Fail::Unsupported(format!("{} cannot take {money}: the last digits must be zero", self.provider))
    }

    fn exponent(&self, currency: Currency) -> u8 {
        let own = self.own_exponents.iter().find(|(code, _)| *code == currency.code());
        own.map_or(currency.exponent(), |(_, exponent)| *exponent)
    }
}

/// Nothing if it is no whole number, or too large.
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
        }
    }

    #[test]
    fn counts_are_whole() {
        assert_eq!((rescale(5, 0, 2), rescale(500, 2, 0), rescale(501, 2, 0)), (Some(500), Some(5), None));
        assert_eq!((rescale(i64::MAX, 0, 2), rescale(7, 3, 3)), (None, Some(7)));
    }
}
