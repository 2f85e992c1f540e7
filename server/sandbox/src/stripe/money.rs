//! The currencies the provider presents prices in, and amounts in people's notation.

use super::error::ApiError;
use crate::money::{self, Currencies};

const CURRENCIES: Currencies = Currencies {
    hundredths: "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bmd bnd bob brl bsd bwp byn bzd cad cdf \
    chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd \
    kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab \
    pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx \
    usd uyu uzs wst xcd xcg yer zar zmw",
    whole: "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf",
    thousandths: "bhd jod kwd omr tnd",
};

/// The digits after the point. `None` for a currency that the provider does not take.
pub fn exponent(currency: &str) -> Option<usize> {
    CURRENCIES.exponent(currency)
}

/// The smallest amount of one charge in the smallest unit (Stripe, Currencies, minimum charge amounts), as if every account were settled in
/// the currency it charges.
pub fn least(currency: &str) -> i64 {
    match currency {
        "gbp" => 30,
        "aed" | "myr" | "pln" | "ron" => 2_00,
        "dkk" => 2_50,
        "nok" | "sek" => 3_00,
        "hkd" => 4_00,
        "mxn" | "thb" => 10_00,
        "czk" => 15_00,
        "huf" => 17_500,
        "usd" | "ars" | "aud" | "brl" | "cad" | "chf" | "cop" | "eur" | "idr" | "ils" | "inr" | "jpy" | "krw"
        | "nzd" | "php" | "rub" | "sgd" | "zar" => 50,
        _ => 1,
    }
}

/// The largest amount of one charge in the smallest unit (Stripe, Currencies, maximum charge amounts), given by its digits.
pub fn most(currency: &str) -> i64 {
    let digits = match currency {
        "idr" => 12,
        "cop" => 10,
        "inr" => 9,
        _ => 8,
    };
    10_i64.pow(digits) - 1
}

/// The step of amounts: prices, charges, captures and refunds must be multiples of it (Stripe, Currencies: special cases, three-decimal
/// currencies).
pub fn step(currency: &str) -> i64 {
    match currency {
        "isk" | "ugx" => 100,
        other if exponent(other) == Some(3) => 10,
        _ => 1,
    }
}

/// Checks that an amount is a multiple of the currency's step.
pub fn in_steps(amount: i64, currency: &str, param: &str) -> Result<(), ApiError> {
    let step = step(currency);
    if amount % step == 0 {
        return Ok(());
    }
    Err(ApiError::invalid(format!("Amounts in {currency} must be multiples of {step}."))
        .code("parameter_invalid_integer")
        .param(param))
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
        assert_eq!((most("idr"), most("eur"), least("huf"), least("xcg")), (999_999_999_999, 99_999_999, 17_500, 1));
    }
}
