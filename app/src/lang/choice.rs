//! The language of one page, and whether links must repeat it.

use super::{Lang, Words};

/// The language of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LangChoice {
    /// The language.
    pub lang: Lang,
    /// Whether the language differs from the browser's, so that links have to repeat it.
    pinned: bool,
}

impl LangChoice {
    /// The choice from the address's `lang` parameter, if there is one, and the `Accept-Language` header.
    #[must_use]
    pub fn new(wanted: Option<&str>, accept_language: &str) -> Self {
        let negotiated = Lang::negotiate(accept_language);
        let lang = wanted.and_then(Lang::from_tag).unwrap_or(negotiated);
        LangChoice { lang, pinned: lang != negotiated }
    }

    /// The language's words.
    #[must_use]
    pub fn words(self) -> &'static Words {
        self.lang.words()
    }

    /// The query that keeps this language in Till's own addresses. Empty where the browser asks for the language anyway.
    #[must_use]
    pub fn query(self) -> String {
        if self.pinned { format!("?lang={}", self.lang.tag()) } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unasked_language_is_repeated() {
        assert_eq!(LangChoice::new(None, "de").query(), "");
        assert_eq!(LangChoice::new(Some("de"), "de").query(), "");
        assert_eq!(LangChoice::new(Some("ar"), "de").query(), "?lang=ar");
        assert_eq!(LangChoice::new(Some("\"><script>"), "de").lang, Lang::De);
    }
}
