//! Amounts as a language writes them. Digits are the European ones everywhere, as on cards and bank statements.

use domain::money::Money;

use super::Lang;

const NBSP: char = '\u{a0}';

/// Symbols that nearly everyone reads as one currency. Other currencies are written as their code, because `$` alone could mean any of
/// twenty currencies.
const SYMBOLS: &[(&str, &str)] = &[
    ("AUD", "A$"),
    ("BRL", "R$"),
    ("CAD", "CA$"),
    ("CNY", "CN¥"),
    ("EUR", "€"),
    ("GBP", "£"),
    ("HKD", "HK$"),
    ("ILS", "₪"),
    ("INR", "₹"),
    ("JPY", "¥"),
    ("KRW", "₩"),
    ("MXN", "MX$"),
    ("NZD", "NZ$"),
    ("PHP", "₱"),
    ("TWD", "NT$"),
    ("USD", "$"),
    ("VND", "₫"),
];

/// The amount in the language's way: `€30.98`, `30,98 €`. Spaces do not break.
#[must_use]
pub fn amount(money: Money, lang: Lang) -> String {
    let (decimal, group) = match lang {
        Lang::En | Lang::Ar => ('.', ','),
        Lang::De => (',', '.'),
    };
    let number = number(money, decimal, group);
    let sign = if money.minor < 0 { "-" } else { "" };
    let code = money.currency.code();
    let symbol = SYMBOLS.iter().find(|(known, _)| *known == code);
    match (lang, symbol) {
        (Lang::En, Some((_, symbol))) => format!("{sign}{symbol}{number}"),
        (Lang::En, None) => format!("{sign}{code}{NBSP}{number}"),
        (Lang::De, Some((_, symbol))) => format!("{sign}{number}{NBSP}{symbol}"),
        (Lang::De, None) => format!("{sign}{number}{NBSP}{code}"),
        // The amount is isolated and right to left, so that the currency is to the left of the number in any sentence.
        (Lang::Ar, symbol) => {
            let symbol = symbol.map_or(code, |(_, symbol)| symbol);
            format!("\u{2067}\u{200e}{sign}{number}{NBSP}{symbol}\u{2069}")
        }
    }
}

fn number(money: Money, decimal: char, group: char) -> String {
    let plain = money.to_decimal();
    let plain = plain.trim_start_matches('-');
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let mut text = String::with_capacity(plain.len() + 4);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(group);
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push(decimal);
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(minor: i64, currency: &str, lang: Lang) -> String {
        amount(Money::new(minor, currency.parse().unwrap()), lang)
    }

    #[test]
    fn english() {
        assert_eq!(written(3098, "EUR", Lang::En), "€30.98");
        assert_eq!(written(123_456_789, "USD", Lang::En), "$1,234,567.89");
        assert_eq!(written(1_250, "KWD", Lang::En), "KWD\u{a0}1.250");
        assert_eq!(written(5_000, "JPY", Lang::En), "¥5,000");
        assert_eq!(written(-5, "GBP", Lang::En), "-£0.05");
    }

    #[test]
    fn german() {
        assert_eq!(written(123_450, "EUR", Lang::De), "1.234,50\u{a0}€");
        assert_eq!(written(100, "JPY", Lang::De), "100\u{a0}¥");
        assert_eq!(written(1_234_567, "KWD", Lang::De), "1.234,567\u{a0}KWD");
        assert_eq!(written(-100, "CHF", Lang::De), "-1,00\u{a0}CHF");
    }

    #[test]
    fn arabic_is_isolated() {
        let text = written(3098, "EUR", Lang::Ar);
        assert_eq!(text, "\u{2067}\u{200e}30.98\u{a0}€\u{2069}");
        assert!(written(7, "KWD", Lang::Ar).contains("0.007\u{a0}KWD"));
    }
}
