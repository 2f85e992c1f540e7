//! The parts of amounts that all providers share. Each provider has its own list of currencies and its own notation.

/// The currencies a provider takes, by the digits it counts after the point. The codes are separated by spaces.
#[derive(Debug)]
pub struct Currencies {
    /// Codes without digits after the point.
    pub whole: &'static str,
    /// Codes with two digits after the point.
    pub hundredths: &'static str,
    /// Codes with three digits after the point.
    pub thousandths: &'static str,
}

impl Currencies {
    /// The digits after the point. `None` for a currency that the provider does not take.
    pub fn exponent(&self, currency: &str) -> Option<usize> {
        let listed = |list: &str| list.split_whitespace().any(|known| known == currency);
        match currency {
            _ if listed(self.hundredths) => Some(2),
            _ if listed(self.whole) => Some(0),
            _ if listed(self.thousandths) => Some(3),
            _ => None,
        }
    }
}

/// An amount in decimals: the sign if it is negative, the digits before the point, and the point with the digits after it.
pub fn decimal(minor: i64, digits: usize) -> (&'static str, String, String) {
    let padded = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = padded.split_at(padded.len() - digits);
    let sign = if minor < 0 { "-" } else { "" };
    let fraction = if digits == 0 { String::new() } else { format!(".{fraction}") };
    (sign, whole.to_owned(), fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_split_at_the_point() {
        assert_eq!(decimal(2598, 2), ("", "25".to_owned(), ".98".to_owned()));
        assert_eq!(decimal(-5, 3), ("-", "0".to_owned(), ".005".to_owned()));
        assert_eq!(decimal(i64::MIN, 0), ("-", "9223372036854775808".to_owned(), String::new()));
    }

    #[test]
    fn only_listed_currencies_have_an_exponent() {
        let currencies = Currencies { whole: "JPY", hundredths: "EUR USD", thousandths: "KWD" };
        let exponent = |code| currencies.exponent(code);
        assert_eq!((exponent("JPY"), exponent("USD"), exponent("KWD")), (Some(0), Some(2), Some(3)));
        assert_eq!((exponent("eur"), exponent("EUR USD"), exponent("")), (None, None, None));
    }
}
