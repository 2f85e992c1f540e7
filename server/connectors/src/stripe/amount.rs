//! Stripe's currencies. Most are ISO 4217 minor units; the exceptions are listed here (Stripe documentation, Currencies).

use domain::currency::Currency;
use domain::money::Money;

use crate::amount::Currencies;
use crate::connector::Fail;

/// Of those it takes for card payments.
pub(crate) const CURRENCIES: Currencies = Currencies {
    provider: "Stripe",
    taken: &[
        "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF", "BMD",
        "BND", "BOB", "BRL", "BSD", "BWP", "BYN", "CAD", "CDF", "CHF", "CLP", "CNY", "COP", "CRC", "CVE", "CZK", "DJF",
        "DKK", "DOP", "DZD", "EGP", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD",
        "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KRW", "KWD",
        "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MUR", "MVR",
        "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR",
        "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD",
        "STN", "SZL", "THB", "TJS", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VND",
        "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW",
    ],
    // ISO 4217 has no decimals for the Icelandic and the Ugandan one, and two for the Malagasy one.
    own_exponents: &[("ISK", 2), ("MGA", 0), ("UGX", 2)],
};

/// Our minor units as Stripe counts them. Of three decimals the last must be zero.
pub(super) fn to_stripe(money: Money) -> Result<i64, Fail> {
    let count = CURRENCIES.count(money)?;
    if money.currency.exponent() == 3 && count % 10 != 0 {
        return Err(CURRENCIES.inexact(money));
    }
    Ok(count)
}

/// Stripe's count in our minor units; nothing if it is no amount we could have asked for.
pub(super) fn from_stripe(amount: i64, currency: Currency) -> Option<i64> {
    CURRENCIES.minor(amount, currency)
}

#[cfg(test)]
mod tests {
    use domain::money::AMOUNT_MAX;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_stripe_takes_comes_back_the_same(
            minor in 0..=AMOUNT_MAX,
            currency in proptest::sample::select(Currency::all().collect::<Vec<_>>()),
        ) {
            if let Ok(amount) = to_stripe(Money::new(minor, currency)) {
                prop_assert_eq!(from_stripe(amount, currency), Some(minor));
            }
        }
    }

    #[test]
    fn odd_currencies_are_converted() {
        let convert = |minor, code: &str| to_stripe(Money::new(minor, code.parse().unwrap()));
        assert_eq!(convert(1099, "EUR"), Ok(1099));
        assert_eq!(convert(500, "JPY"), Ok(500));
        assert_eq!(convert(500, "ISK"), Ok(50_000));
        assert_eq!(convert(500, "UGX"), Ok(50_000));
        assert_eq!(convert(1_200, "MGA"), Ok(12));
        assert!(convert(1_234, "MGA").is_err());
        assert_eq!(convert(1_230, "KWD"), Ok(1_230));
        assert!(convert(1_234, "KWD").is_err());
        assert!(convert(1, "KPW").is_err());
    }
}
