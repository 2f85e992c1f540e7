//! Adyen's currencies and how it counts them (Adyen documentation, Currency codes and minor units). Its minor units are those of
//! ISO 4217 but for four currencies; one that is not listed here is refused.

use domain::currency::Currency;
use domain::money::Money;

use crate::connector::Fail;

/// The currencies Adyen takes.
const SUPPORTED: &[&str] = &[
    "AED", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD", "BMD", "BND", "BOB", "BRL",
    "BSD", "BWP", "BYN", "BZD", "CAD", "CHF", "CLP", "CNY", "COP", "CRC", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD",
    "EGP", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG",
    "HUF", "IDR", "ILS", "INR", "IQD", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KRW", "KWD", "KYD",
    "KZT", "LAK", "LBP", "LKR", "LYD", "MAD", "MDL", "MKD", "MMK", "MNT", "MOP", "MUR", "MVR", "MWK", "MXN", "MYR",
    "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR",
    "RON", "RSD", "RWF", "SAR", "SBD", "SCR", "SEK", "SGD", "SHP", "SOS", "SRD", "STN", "SZL", "THB", "TND", "TOP",
    "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF",
    "YER", "ZAR", "ZMW",
];

/// Where Adyen's count of decimals is not that of ISO 4217.
const OWN_EXPONENTS: &[(&str, u8)] = &[("CLP", 2), ("CVE", 0), ("IDR", 0), ("ISK", 2)];

pub(super) fn supports(currency: Currency) -> bool {
    SUPPORTED.contains(&currency.code())
}

/// Our minor units as Adyen counts them.
pub(super) fn to_adyen(money: Money) -> Result<i64, Fail> {
    if !supports(money.currency) {
        return Err(Fail::Unsupported(format!("Adyen takes no {}", money.currency)));
    }
    let (ours, theirs) = exponents(money.currency);
    let count = rescale(money.minor, ours, theirs);
    count.ok_or_else(|| Fail::Unsupported(format!("Adyen cannot take {money}: it counts {theirs} decimals")))
}

/// Adyen's count with its currency; nothing if it is no amount we could have asked for.
pub(super) fn from_adyen(value: i64, currency: &str) -> Option<Money> {
    let currency: Currency = currency.parse().ok()?;
    if value < 0 || !supports(currency) {
        return None;
    }
    let (ours, theirs) = exponents(currency);
    Some(Money::new(rescale(value, theirs, ours)?, currency))
}

fn exponents(currency: Currency) -> (u8, u8) {
    let own = OWN_EXPONENTS.iter().find(|(code, _)| *code == currency.code());
    (currency.exponent(), own.map_or(currency.exponent(), |(_, exponent)| *exponent))
}

fn rescale(count: i64, from: u8, to: u8) -> Option<i64> {
    let step = 10i64.checked_pow(u32::from(from.abs_diff(to)))?;
    if to >= from { count.checked_mul(step) } else { (count % step == 0).then_some(count / step) }
}

#[cfg(test)]
mod tests {
    use domain::money::AMOUNT_MAX;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_adyen_takes_comes_back_the_same(
            minor in 0..=AMOUNT_MAX,
            currency in proptest::sample::select(Currency::all().collect::<Vec<_>>()),
        ) {
            let money = Money::new(minor, currency);
            if let Ok(value) = to_adyen(money) {
                prop_assert_eq!(from_adyen(value, currency.code()), Some(money));
            }
        }

        #[test]
        fn no_count_panics(value: i64, code in "[A-Z]{3}") {
            let _ = from_adyen(value, &code);
        }
    }

    #[test]
    fn the_listed_currencies_exist_and_the_odd_ones_are_converted() {
        let convert = |minor, code: &str| to_adyen(Money::new(minor, code.parse().unwrap()));
        assert!(SUPPORTED.iter().all(|code| code.parse::<Currency>().is_ok()));
        assert!(OWN_EXPONENTS.iter().all(|(code, _)| SUPPORTED.contains(code)));
        assert_eq!(convert(1099, "EUR"), Ok(1099));
        assert_eq!(convert(500, "JPY"), Ok(500));
        assert_eq!(convert(1_234, "KWD"), Ok(1_234));
        assert_eq!(convert(500, "CLP"), Ok(50_000));
        assert_eq!(convert(500, "ISK"), Ok(50_000));
        assert_eq!(convert(50_000, "IDR"), Ok(500));
        assert_eq!(convert(50_000, "CVE"), Ok(500));
        assert!(convert(50_001, "IDR").is_err());
        assert!(convert(1, "KPW").is_err());
        assert_eq!(from_adyen(50_001, "ISK"), None);
        assert_eq!(from_adyen(-1, "EUR"), None);
        assert_eq!(from_adyen(1, "KPW"), None);
    }
}
