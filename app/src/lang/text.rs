//! Merchants' text inside Till's sentences: without control characters, and with a direction of its own.

/// The text without characters that are invisible but change how the rest of the page reads.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().filter(|char| !char.is_control() && !is_direction_mark(*char)).collect()
}

/// The text isolated for one of Till's sentences, whatever the direction of text and sentence.
#[must_use]
pub fn isolated(text: &str) -> String {
    format!("\u{2068}{}\u{2069}", plain(text))
}

fn is_direction_mark(char: char) -> bool {
    matches!(
        char,
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direction_tricks_are_taken_out() {
        assert_eq!(plain("a\u{202e}b\u{2069}\n\0c"), "abc");
        assert_eq!(isolated("متجر"), "\u{2068}متجر\u{2069}");
        assert_eq!(plain("Café & Söhne <b>"), "Café & Söhne <b>");
    }
}
