//! Currencies the provider presents prices in, and amounts as people read them.

use crate::money::{self, Currencies};

/// Largest amount of one charge in the smallest unit (Stripe, Currencies: eight digits).
pub const MAX_MINOR: i64 = 99_999_999;

const CURRENCIES: Currencies = Currencies {
    hundredths: "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bmd bnd bob brl bsd bwp byn bzd cad cdf \
    chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd \
    kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab \
    pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx \
    usd uyu uzs wst xcd yer zar zmw",
    whole: "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf",
    thousandths: "bhd jod kwd omr tnd",
};

/// Digits after the point, or nothing for a currency the provider does not take.
pub fn exponent(currency: &str) -> Option<usize> {
    CURRENCIES.exponent(currency)
}

/// The step amounts must be multiples of (Stripe, Currencies: special cases).
pub fn step(currency: &str) -> i64 {
    match currency {
        "isk" | "ugx" => 100,
        other if exponent(other) == Some(3) => 10,
        _ => 1,
    }
}

/// `2598 eur` → `€25.98`.
pub fn display(minor: i64, currency: &str) -> String {
    let (sign, whole, fraction) = money::decimal(minor, exponent(currency).unwrap_or(2));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{}{grouped}{fraction}", symbol(currency))
}

fn symbol(currency: &str) -> String {
    match currency {
        "eur" => "€".into(),
        "usd" => "$".into(),
        "gbp" => "£".into(),
        "jpy" => "¥".into(),
        "inr" => "₹".into(),
        "ils" => "₪".into(),
        "krw" => "₩".into(),
        "vnd" => "₫".into(),
        "cad" => "CA$".into(),
        "aud" => "A$".into(),
        "nzd" => "NZ$".into(),
        "brl" => "R$".into(),
        other => format!("{}\u{a0}", other.to_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(display(2598, "eur"), "€25.98");
        assert_eq!(display(5, "usd"), "$0.05");
        assert_eq!(display(1_234_567, "jpy"), "¥1,234,567");
        assert_eq!(display(12_340, "kwd"), "KWD\u{a0}12.340");
        assert_eq!(display(99_999_999, "chf"), "CHF\u{a0}999,999.99");
    }

    #[test]
    fn only_listed_currencies_exist() {
        assert_eq!((exponent("eur"), exponent("jpy"), exponent("tnd")), (Some(2), Some(0), Some(3)));
        assert_eq!((exponent("EUR"), exponent("xyz"), exponent("")), (None, None, None));
        assert_eq!((step("isk"), step("kwd"), step("eur")), (100, 10, 1));
    }
}
