//! Credentials as people hand them over: out of a file with a line end, out of a clipboard with a blank.

use std::ops::RangeInclusive;

/// A credential or secret without what files and clipboards add around it: white space, line ends, a byte order mark. None of it is
/// part of any provider's key.
#[must_use]
pub fn tidy(value: &str) -> &str {
    value
        .trim_matches(|char: char| char.is_whitespace() || char.is_control() || matches!(char, '\u{feff}' | '\u{200b}'))
}

/// Whether a text has as many characters as allowed, all of them ASCII letters, digits or one of some others.
pub(crate) fn is_made_of(text: &str, chars: &RangeInclusive<usize>, others: &[u8]) -> bool {
    chars.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_surrounds_a_secret_is_taken_off() {
        assert_eq!(tidy("\u{feff} sk_test_a b\r\n\0"), "sk_test_a b");
        assert_eq!(tidy("\u{a0}\t\n"), "");
    }

    #[test]
    fn length_and_characters_are_bounded() {
        assert!(is_made_of("aZ9_", &(4..=4), b"_"));
        for text in ["aZ9", "aZ9__", "aZ9-", "aZ9\n", "aZ\u{e9}"] {
            assert!(!is_made_of(text, &(4..=4), b"_"), "{text:?}");
        }
    }
}
