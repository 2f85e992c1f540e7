//! Decimal numbers without floating point.

use serde_json::Number;

/// `0.25` → 250: a number in thousandths, with further digits cut off. `None` outside 0–1000.
pub fn permille(number: &Number) -> Option<i64> {
    decimal(&number.to_string(), 3).filter(|value| *value <= 1_000_000)
}

/// A decimal with a point or a comma, times ten to the power of `places`. `None` if the text is no plain positive decimal.
pub fn decimal(text: &str, places: usize) -> Option<i64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return None;
    }
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(places).collect();
    format!("{whole}{digits}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_read_without_floating_point() {
        let read = |text: &str| permille(&serde_json::from_str::<Number>(text).unwrap());
        assert_eq!(
            (read("1"), read("0.25"), read("0.001"), read("12.5")),
            (Some(1000), Some(250), Some(1), Some(12_500))
        );
        assert_eq!((read("-1"), read("-0.5"), read("1000.1"), read("1e30")), (None, None, None, None));
    }

    #[test]
    fn percentages_take_a_point_or_a_comma() {
        assert_eq!((decimal("12.5", 1), decimal(" 12,5 ", 1), decimal("100", 1)), (Some(125), Some(125), Some(1000)));
        assert_eq!((decimal("", 1), decimal(".5", 1), decimal("-1", 1), decimal("1.x", 1)), (None, None, None, None));
    }
}
