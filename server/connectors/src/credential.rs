//! Credentials as people enter them: from a file with a line end, or from a clipboard with a blank.

use std::ops::RangeInclusive;

/// A credential or secret without the white space, line ends and byte order mark that files and clipboards add. No provider's key contains
/// any of them.
#[must_use]
pub fn tidy(value: &str) -> &str {
    value
        .trim_matches(|char: char| char.is_whitespace() || char.is_control() || matches!(char, '\u{feff}' | '\u{200b}'))
}

/// Whether a text has an allowed length, and consists of ASCII letters, digits and the characters in `others`.
pub(crate) fn is_made_of(text: &str, chars: &RangeInclusive<usize>, others: &[u8]) -> bool {
    chars.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}

/// Whether a secret is one or two characters again and again, as people write it to fill a form. Two hexadecimal digits are a byte, in
/// either case. Anybody can guess such a secret.
#[must_use]
pub fn is_guessable(secret: &str) -> bool {
    let same = |(byte, before): (u8, u8)| byte.eq_ignore_ascii_case(&before);
    !secret.is_empty() && secret.bytes().skip(2).zip(secret.bytes()).all(same)
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
    fn one_or_two_characters_again_and_again_can_be_guessed() {
        for text in ["aaaaaaaa", "0", "5a5a5a5", "aAAaaa", "fFFf", "_-_-"] {
            assert!(is_guessable(text), "{text}");
        }
        for text in ["", "abcabcabc", "0aF90aF9", "aaaaaaab", "baaaaaaa", "aaaabaaaa"] {
            assert!(!is_guessable(text), "{text}");
        }
    }

    #[test]
    fn length_and_characters_are_bounded() {
        assert!(is_made_of("aZ9_", &(4..=4), b"_"));
        for text in ["aZ9", "aZ9__", "aZ9-", "aZ9\n", "aZ\u{e9}"] {
            assert!(!is_made_of(text, &(4..=4), b"_"), "{text:?}");
        }
    }
}
