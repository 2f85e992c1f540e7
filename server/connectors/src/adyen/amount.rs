//! Adyen's currencies and how Adyen counts them (Adyen documentation, [Currency codes and minor
//! units](https://docs.adyen.com/development-resources/currency-codes/)). Its minor units are those of ISO 4217 but for four currencies. A
//! currency that is not listed here is refused. Adyen documents neither a minimum nor a maximum for payments, captures or refunds;
//! acquirers may have some of their own.

use domain::money::Money;

use crate::amount::Currencies;
use crate::connector::Fail;

pub(crate) const CURRENCIES: Currencies = Currencies {
    provider: "Adyen",
    taken: &[
        "AED", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD", "BMD", "BND", "BOB", "BRL",
        "BSD", "BWP", "BYN", "BZD", "CAD", "CHF", "CLP", "CNY", "COP", "CRC", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD",
        "EGP", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG",
        "HUF", "IDR", "ILS", "INR", "IQD", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KRW", "KWD", "KYD",
        "KZT", "LAK", "LBP", "LKR", "LYD", "MAD", "MDL", "MKD", "MMK", "MNT", "MOP", "MUR", "MVR", "MWK", "MXN", "MYR",
        "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR",
        "RON", "RSD", "RWF", "SAR", "SBD", "SCR", "SEK", "SGD", "SHP", "SOS", "SRD", "STN", "SZL", "THB", "TND", "TOP",
        "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF",
        "YER", "ZAR", "ZMW",
    ],
    own_exponents: &[("CLP", 2), ("CVE", 0), ("IDR", 0), ("ISK", 2)],
    steps: &[],
    least: &[],
    most_of: &[],
    most: i64::MAX,
};

/// Our minor units as Adyen counts them.
pub(super) fn to_adyen(money: Money) -> Result<i64, Fail> {
    Ok(CURRENCIES.count(money)?)
}

/// Adyen's count with its currency, as an amount. `None` if it is no amount that we could have asked for.
pub(super) fn from_adyen(value: i64, currency: &str) -> Option<Money> {
    let currency = currency.parse().ok()?;
    if value < 0 || !CURRENCIES.takes(currency) {
        return None;
    }
    Some(Money::new(CURRENCIES.minor(value, currency)?, currency))
}

#[cfg(test)]
mod tests {
    use domain::currency::Currency;
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
    fn odd_currencies_are_converted() {
        let convert = |minor, code: &str| to_adyen(Money::new(minor, code.parse().unwrap()));
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
