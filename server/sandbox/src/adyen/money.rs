//! The currencies the provider takes, and amounts in people's notation (Adyen, Currency codes and minor units).

use crate::money::{self, Currencies};

/// Largest amount of one payment in minor units. Adyen documents a 64-bit integer and no other bound; this is the largest number that
/// every JSON reader keeps exact.
pub const MAX_MINOR: i64 = 9_007_199_254_740_991;

const CURRENCIES: Currencies = Currencies {
    hundredths: "AED ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CHF \
    CLP CNH CNY COP CRC CUP CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF ILS INR ISK \
    JMD KES KGS KHR KYD KZT LAK LBP LKR MAD MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB \
    PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STN SVC SZL THB TOP TRY TTD TWD TZS UAH USD \
    UYU UZS VES WST XCD YER ZAR ZMW",
    // Adyen counts Cape Verde's and Indonesia's currencies without decimals, although ISO 4217 gives them two.
    whole: "CVE DJF GNF IDR JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    thousandths: "BHD IQD JOD KWD LYD OMR TND",
};

/// The digits after the point. `None` for a currency that the provider does not take.
pub fn exponent(currency: &str) -> Option<usize> {
    CURRENCIES.exponent(currency)
}

/// `2598 EUR` → `25.98`, as in settlement reports.
pub fn decimal(minor: i64, currency: &str) -> String {
    let (sign, whole, fraction) = money::decimal(minor, exponent(currency).unwrap_or(2));
    format!("{sign}{whole}{fraction}")
}

/// `2598 EUR` → `€25.98`, for people.
pub fn display(minor: i64, currency: &str) -> String {
    let number = decimal(minor, currency);
    match currency {
        "EUR" => format!("€{number}"),
        "USD" => format!("${number}"),
        "GBP" => format!("£{number}"),
        "JPY" => format!("¥{number}"),
        other => format!("{other}\u{a0}{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_the_providers_and_not_isos() {
        assert_eq!(
            (exponent("CLP"), exponent("ISK"), exponent("CVE"), exponent("IDR")),
            (Some(2), Some(2), Some(0), Some(0))
        );
        assert_eq!((exponent("KWD"), exponent("eur"), exponent("XYZ"), exponent("")), (Some(3), None, None, None));
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(display(2598, "EUR"), "€25.98");
        assert_eq!(display(5, "USD"), "$0.05");
        assert_eq!(display(1234, "JPY"), "¥1234");
        assert_eq!(display(12_340, "KWD"), "KWD\u{a0}12.340");
        assert_eq!(decimal(-7, "EUR"), "-0.07");
    }
}
