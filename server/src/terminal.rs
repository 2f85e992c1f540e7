//! Makes foreign text safe for a terminal. Characters that would control the terminal, or the order in which it shows
//! characters, are shown instead of obeyed.

use std::fmt::Write;

/// Control characters (C0, DEL, C1), line and paragraph separators, and marks that change the direction of the text
/// after them.
fn steers(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text of several lines: only the line feeds are kept.
pub(crate) fn lines(text: &str) -> String {
    shown(text, |char| char == '\n')
}

/// Text that must stay on its line.
pub(crate) fn line(text: &str) -> String {
    shown(text, |_| false)
}

fn shown(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            char if !steers(char) || is_kept(char) => shown.push(char),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            char => shown.extend(char.escape_unicode()),
        }
    }
    shown
}

/// JSON with the same meaning. Such characters occur only within its strings, where escapes are allowed, and each fits
/// into four digits.
pub(crate) fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if steers(char) {
            let _ = write!(shown, "\\u{:04x}", u32::from(char));
        } else {
            shown.push(char);
        }
    }
    shown
}

/// A line of the log with its colours kept. The colours are the log's own: the log itself shows escape characters of
/// foreign text.
pub(crate) fn coloured(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        shown.push_str(&line(&rest[..at]));
        rest = &rest[at..];
        let colour = colour(rest);
        // An escape character that begins no colour is shown and skipped.
        shown.push_str(if colour > 0 { &rest[..colour] } else { "\\u{1b}" });
        rest = &rest[colour.max(1)..];
    }
    shown.push_str(&line(rest));
    shown
}

/// The length of a sequence that sets a colour or style, at the start of a text; zero if there is none.
fn colour(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    match parameters.find(|char: char| !char.is_ascii_digit() && char != ';') {
        Some(end) if parameters[end..].starts_with('m') => 2 + end + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_shown() {
        assert_eq!(lines("a\u{1b}[2J\r\nb\u{202e}\u{9b}\u{7f}\0"), "a\\u{1b}[2J\\r\nb\\u{202e}\\u{9b}\\u{7f}\\u{0}");
        assert_eq!(line("a\nb\tc\u{2028}"), "a\\nb\\tc\\u{2028}");
        assert_eq!(lines("Café متجر 例 €"), "Café متجر 例 €");
    }

    #[test]
    fn json_says_the_same() {
        let text = "a\u{1b}\n\u{7f}\u{85}\u{202e}\"\\";
        let written = json(&serde_json::to_string(text).unwrap());
        assert!(!written.chars().any(steers), "{written}");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }

    #[test]
    fn only_colours_pass_into_the_log() {
        assert_eq!(coloured("\u{1b}[2m12:00\u{1b}[0m a\nb"), "\u{1b}[2m12:00\u{1b}[0m a\\nb");
        assert_eq!(coloured("\u{1b}[2J\u{1b}\u{1b}]0;x\u{7}"), "\\u{1b}[2J\\u{1b}\\u{1b}]0;x\\u{7}");
        assert_eq!(coloured("\u{1b}"), "\\u{1b}");
    }
}
