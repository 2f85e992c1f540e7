//! Checks of text that merchants type and people read: the text has a visible character, and does not disturb the text around it.

/// Whether a text can be shown as a name: it has a visible character and no character that [`disturbs`].
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.chars().any(is_visible) && !disturbs(text)
}

/// Whether a text holds a character that changes how the text around it is read: a control character, a line or paragraph
/// separator, an override of the direction, or an isolate or embedding that can be left open (Unicode Standard Annex 9, 2).
/// The marks U+200E, U+200F and U+061C end by themselves and are part of ordinary Arabic and Hebrew text.
#[must_use]
pub fn disturbs(text: &str) -> bool {
    let is_bad = |char: char| {
        char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{206a}'..='\u{206f}')
    };
    text.chars().any(is_bad)
}

/// Whether a character draws something by itself. Blanks, fillers, marks on another character and characters that only steer the layout do
/// not (Unicode Character Database: White_Space, Default_Ignorable_Code_Point, and the blocks of combining marks).
fn is_visible(char: char) -> bool {
    !(char.is_whitespace() || char.is_control() || is_ignorable(char) || is_mark(char))
}

fn is_ignorable(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

fn is_mark(char: char) -> bool {
    matches!(
        char,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
            | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}' | '\u{302a}'..='\u{302f}' | '\u{3099}' | '\u{309a}' | '\u{fe20}'..='\u{fe2f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_show_something_and_leave_their_surroundings_alone() {
        for good in [
            "Tea",
            "متجر",
            "Café",
            "Cafe\u{301}",
            "茶",
            "👩\u{200d}🍳",
            "می\u{200c}خواهم",
            "हिन्दी",
            "7",
            "שלום\u{200f}",
            "❤\u{fe0f}",
        ] {
            assert!(is_name(good), "{good:?}");
        }
        for bad in [
            "",
            " ",
            "\u{a0}",
            "\u{3000}",
            "\u{200b}",
            "\u{2060}",
            "\u{202e}",
            "\u{301}",
            " \u{301}\u{302} ",
            "\u{feff}",
            "\u{ad}",
            "\u{3164}",
            "\u{2800}",
            "\u{e0041}",
            "\u{202e}abc",
            "abc\u{2066}",
            "a\nb",
            "a\u{2028}b",
            "a\u{1b}[2J",
            "a\0",
        ] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    /// Invisible characters, one of each kind, listed independently of the code under test.
    const HIDDEN: &[char] = &[
        ' ',
        '\u{a0}',
        '\u{2003}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{2060}',
        '\u{2064}',
        '\u{feff}',
        '\u{301}',
        '\u{20dd}',
        '\u{fe0f}',
        '\u{115f}',
        '\u{e0100}',
    ];
    const DISTURBING: &[char] =
        &['\0', '\n', '\t', '\u{7f}', '\u{9b}', '\u{2028}', '\u{202a}', '\u{202d}', '\u{202e}', '\u{2067}'];

    proptest! {
        #[test]
        fn hidden_characters_alone_are_no_name_and_with_a_letter_they_are(
            hidden in prop::collection::vec(prop::sample::select(HIDDEN), 0..20),
            at in any::<prop::sample::Index>(),
            letter in "[a-zäß0-9ا-ي一-龥]",
            bad in prop::sample::select(DISTURBING),
        ) {
            let text: String = hidden.iter().collect();
            prop_assert!(!is_name(&text));
            let mut chars = hidden;
            chars.insert(at.index(chars.len() + 1), letter.chars().next().unwrap_or('a'));
            prop_assert!(is_name(&chars.iter().collect::<String>()));
            chars.insert(at.index(chars.len() + 1), bad);
            prop_assert!(!is_name(&chars.iter().collect::<String>()));
        }
    }
}
