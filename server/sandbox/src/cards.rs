//! Card numbers for all providers.

/// The checksum of card numbers (ISO/IEC 7812-1).
pub fn luhn(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number.chars().map(|digit| digit.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| (12..=19).contains(&digits.len())) else {
        return false;
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match index % 2 {
            0 => *digit,
            _ if *digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The card network, by the number's first digits.
pub fn brand(number: &str) -> &'static str {
    match number.as_bytes() {
        [b'4', ..] => "visa",
        [b'5', b'1'..=b'5', ..] | [b'2', b'2'..=b'7', ..] => "mastercard",
        [b'3', b'4' | b'7', ..] => "amex",
        [b'3', b'5', ..] => "jcb",
        [b'3', b'0' | b'6' | b'8', ..] => "diners",
        [b'6', b'0' | b'4' | b'5', ..] => "discover",
        [b'6', b'2', ..] => "unionpay",
        _ => "unknown",
    }
}

/// A card number in groups of digits, as on a card.
pub fn group(number: &str) -> String {
    let cuts: &[usize] = if number.len() == 15 { &[4, 10] } else { &[4, 8, 12] };
    number
        .chars()
        .enumerate()
        .flat_map(|(at, digit)| cuts.contains(&at).then_some(' ').into_iter().chain([digit]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_catches_every_single_wrong_digit() {
        let good = "4242424242424242";
        for at in 0..good.len() {
            for digit in '0'..='9' {
                let mut changed = good.to_owned();
                changed.replace_range(at..=at, &digit.to_string());
                assert_eq!(luhn(&changed), changed == good);
            }
        }
        assert!(!luhn("") && !luhn("0") && !luhn("4242 4242") && !luhn("00000000000000000000"));
    }

    #[test]
    fn numbers_tell_their_network() {
        assert_eq!((brand("378282246310005"), brand("5555555555554444")), ("amex", "mastercard"));
    }

    #[test]
    fn numbers_are_grouped_as_on_the_card() {
        assert_eq!(group("4242424242424242"), "4242 4242 4242 4242");
        assert_eq!(group("378282246310005"), "3782 822463 10005");
    }
}
