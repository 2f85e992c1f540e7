//! Stripe's currencies. Most are ISO 4217 minor units; the exceptions are listed here (Stripe documentation, Currencies).

use domain::currency::Currency;
use domain::money::Money;

use crate::connector::Fail;

/// The currencies Stripe takes for card payments.
const SUPPORTED: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF", "BMD",
    "BND", "BOB", "BRL", "BSD", "BWP", "BYN", "CAD", "CDF", "CHF", "CLP", "CNY", "COP", "CRC", "CVE", "CZK", "DJF",
    "DKK", "DOP", "DZD", "EGP", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD",
    "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KRW", "KWD",
    "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MUR", "MVR",
    "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR",
    "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD",
    "STN", "SZL", "THB", "TJS", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VND",
    "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW",
];

/// ISO has no decimals for these, Stripe's API counts in hundredths.
const COUNTED_IN_HUNDREDTHS: &[&str] = &["ISK", "UGX"];

/// ISO has two decimals for this one, Stripe's API has none.
const WITHOUT_DECIMALS: &[&str] = &["MGA"];

pub(super) fn supports(currency: Currency) -> bool {
    SUPPORTED.contains(&currency.code())
}

fn unsupported(text: String) -> Fail {
    Fail::Unsupported(text)
}

/// Our minor units as Stripe counts them.
pub(super) fn to_stripe(money: Money) -> Result<i64, Fail> {
    let code = money.currency.code();
    if !supports(money.currency) {
        return Err(unsupported(format!("Stripe takes no {code}")));
    }
    if COUNTED_IN_HUNDREDTHS.contains(&code) {
        return money.minor.checked_mul(100).ok_or_else(|| unsupported(format!("{money} is too large")));
    }
    if WITHOUT_DECIMALS.contains(&code) {
        return whole(money, 100).map(|()| money.minor / 100);
    }
    if money.currency.exponent() == 3 {
        whole(money, 10)?;
    }
    Ok(money.minor)
}

fn whole(money: Money, step: i64) -> Result<(), Fail> {
    if money.minor % step == 0 {
        return Ok(());
    }
    Err(unsupported(format!("Stripe cannot take {money}: the last digits must be zero")))
}

/// Stripe's count in our minor units; nothing if it is no amount we could have asked for.
pub(super) fn from_stripe(amount: i64, currency: Currency) -> Option<i64> {
    let code = currency.code();
    if COUNTED_IN_HUNDREDTHS.contains(&code) {
        return (amount % 100 == 0).then_some(amount / 100);
    }
    if WITHOUT_DECIMALS.contains(&code) { amount.checked_mul(100) } else { Some(amount) }
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
    fn the_listed_currencies_exist_and_the_odd_ones_are_converted() {
        let convert = |minor, code: &str| to_stripe(Money::new(minor, code.parse().unwrap()));
        assert!(SUPPORTED.iter().all(|code| code.parse::<Currency>().is_ok()));
        assert_eq!(convert(1099, "EUR"), Ok(1099));
        assert_eq!(convert(500, "JPY"), Ok(500));
        assert_eq!(convert(500, "ISK"), Ok(50_000));
        assert_eq!(convert(500, "UGX"), Ok(50_000));
        assert_eq!(convert(1_230, "KWD"), Ok(1_230));
        assert!(convert(1_234, "KWD").is_err());
        assert!(convert(1, "KPW").is_err());
    }
}
