//! Stripe's currencies and the amounts it takes in them. Most are counted in ISO 4217 minor units; the exceptions are listed here (Stripe
//! documentation, [Supported currencies](https://docs.stripe.com/currencies), read in 2026).
//!
//! - Three decimals: the last digit must be 0, "for Payment Intents, Refunds and Disputes". The quote is from the page in 2022; the newer
//!   page no longer mentions the rule, and the stricter reading is safe.
//! - Minimum: one for each currency, for accounts that are settled in it. Where Stripe converts, the minimum of the settlement currency
//!   counts, which only Stripe knows; the listed minimum is close to it.
//! - Maximum: eight digits, except for the rupiah, the Colombian peso and the Indian rupee. The page grants twelve digits to most cards,
//!   and the reference of Payment Intents grants eight, so only eight digits are safe for every method.
//! - Refunds and captures have no minimum of their own.

use domain::currency::Currency;
use domain::money::Money;

use crate::amount::Currencies;
use crate::connector::Fail;

/// The currencies that Stripe takes for card payments. Stripe lists the dobra only by its old code, which ISO 4217 has withdrawn. It no
/// longer lists the lev, because Bulgaria has the euro.
#[rustfmt::skip]
pub(crate) const CURRENCIES: Currencies = Currencies {
    provider: "Stripe",
    taken: &[
        "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD", "BIF", "BMD",
        "BND", "BOB", "BRL", "BSD", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP", "CRC", "CVE", "CZK", "DJF",
        "DKK", "DOP", "DZD", "EGP", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD",
        "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KRW", "KWD",
        "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MUR", "MVR",
        "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR",
        "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD",
        "SZL", "THB", "TJS", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VND",
        "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW",
    ],
    // ISO 4217 has no decimals for the Icelandic króna and the Ugandan shilling, and two for the Malagasy ariary.
    own_exponents: &[("ISK", 2), ("MGA", 0), ("UGX", 2)],
    steps: &[("BHD", 10), ("JOD", 10), ("KWD", 10), ("OMR", 10), ("TND", 10)],
    least: &[
        ("AED", 200), ("ARS", 50), ("AUD", 50), ("BRL", 50), ("CAD", 50), ("CHF", 50), ("COP", 50), ("CZK", 1_500),
        ("DKK", 250), ("EUR", 50), ("GBP", 30), ("HKD", 400), ("HUF", 17_500), ("IDR", 50), ("ILS", 50), ("INR", 50),
        ("JPY", 50), ("KRW", 50), ("MXN", 1_000), ("MYR", 200), ("NOK", 300), ("NZD", 50), ("PHP", 50), ("PLN", 200),
        ("RON", 200), ("RUB", 50), ("SEK", 300), ("SGD", 50), ("THB", 1_000), ("USD", 50), ("ZAR", 50),
    ],
    most_of: &[("COP", 9_999_999_999), ("IDR", 999_999_999_999), ("INR", 999_999_999)],
    most: 99_999_999,
};

/// Our minor units as Stripe counts them.
pub(super) fn to_stripe(money: Money) -> Result<i64, Fail> {
    Ok(CURRENCIES.count(money)?)
}

/// Stripe's count in our minor units. `None` if it is no amount that we could have asked for.
pub(super) fn from_stripe(amount: i64, currency: Currency) -> Option<i64> {
    CURRENCIES.minor(amount, currency)
}

#[cfg(test)]
mod tests {
    use domain::line::Line;
    use domain::money::AMOUNT_MAX;
    use domain::order::Basket;
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

    /// The rule that an order breaks, as a log has it, or an empty text.
    fn says(code: &str, prices: &[(i64, u32)]) -> String {
        let currency: Currency = code.parse().unwrap();
        let line = |(minor, quantity): &(i64, u32)| Line::new("Tea", Money::new(*minor, currency), *quantity);
        let lines: Vec<_> = prices.iter().map(line).collect();
        let total = Basket::of(lines.clone()).sums().unwrap().total;
        CURRENCIES.check(&lines, total).map_or_else(|rule| rule.to_string(), |()| String::new())
    }

    #[test]
    fn rules_name_the_provider_and_the_amount() {
        let step = "the line \"Tea\": Stripe takes KWD amounts in steps of 10, and not KWD";
        assert_eq!(says("KWD", &[(1_234, 1)]), format!("{step} 1.234"));
        assert_eq!(says("KWD", &[(125, 8)]), format!("{step} 0.125"));
        assert_eq!(says("KWD", &[(1_000, 1), (3, 10)]), format!("{step} 0.003"));
        let whole = "the line \"Tea\": Stripe takes MGA amounts in steps of 100, and not MGA";
        assert_eq!(says("MGA", &[(1_234, 1)]), format!("{whole} 12.34"));
        assert_eq!(says("EUR", &[(1, 49)]), "Stripe takes no less than EUR 0.50");
        assert_eq!(says("HUF", &[(17_499, 1)]), "Stripe takes no less than HUF 175.00");
        assert_eq!(says("EUR", &[(1_000_000, 100)]), "Stripe takes no more than EUR 999999.99");
        assert_eq!(says("ISK", &[(1_000_000, 1)]), "Stripe takes no more than ISK 999999");
        assert_eq!(says("KWD", &[(100_000_000, 1)]), "Stripe takes no more than KWD 99999.999");
        assert_eq!(says("KPW", &[(100, 1)]), "Stripe takes no KPW");
    }

    #[test]
    fn what_lies_within_the_bounds_is_taken() {
        for (code, prices) in [
            ("KWD", [(1_230, 1), (0, 1)]),
            ("EUR", [(1, 50), (0, 1)]),
            ("EUR", [(99_999_999, 1), (0, 1)]),
            ("IDR", [(2_500_000_000, 1), (0, 1)]),
            ("UGX", [(999_999, 1), (0, 1)]),
        ] {
            assert_eq!(says(code, &prices), "", "{code} {prices:?}");
        }
    }
}
