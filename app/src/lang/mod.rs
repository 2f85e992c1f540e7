//! Languages: the choice of a page's language, the words, and the writing of amounts.
//!
//! Words live on the server only, so that a page carries nothing but the chosen language.

mod ar;
mod choice;
mod de;
mod en;
mod money;
mod text;
mod words;

pub use choice::LangChoice;
pub use money::amount;
pub use text::{isolated, plain};
pub use words::{Facts, Problem, Said, Words};

/// A language Till speaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lang {
    /// English.
    En,
    /// German.
    De,
    /// Arabic, written from right to left.
    Ar,
}

impl Lang {
    /// Every language, in the order of the switcher.
    pub const ALL: [Lang; 3] = [Lang::En, Lang::De, Lang::Ar];

    /// The language tag for `lang` attributes and `?lang=`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::De => "de",
            Lang::Ar => "ar",
        }
    }

    /// The language's own name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Lang::En => "English",
            Lang::De => "Deutsch",
            Lang::Ar => "العربية",
        }
    }

    /// The direction of writing, for `dir` attributes.
    #[must_use]
    pub fn dir(self) -> &'static str {
        match self {
            Lang::En | Lang::De => "ltr",
            Lang::Ar => "rtl",
        }
    }

    /// The language's words.
    #[must_use]
    pub fn words(self) -> &'static Words {
        match self {
            Lang::En => &en::WORDS,
            Lang::De => &de::WORDS,
            Lang::Ar => &ar::WORDS,
        }
    }

    /// The language of a tag such as `de` or `de-AT`.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Lang> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Lang::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The best language for an `Accept-Language` header; English where none fits.
    #[must_use]
    pub fn negotiate(accept_language: &str) -> Lang {
        let mut best = (0, Lang::En);
        for range in accept_language.split(',').take(RANGES_MAX) {
            let (tag, quality) = range.split_once(';').unwrap_or((range, ""));
            let quality = per_mille(quality);
            if let Some(lang) = Lang::from_tag(tag.trim())
                && quality > best.0
            {
                best = (quality, lang);
            }
        }
        best.1
    }
}

/// The most language ranges that are read; browsers send fewer than ten.
const RANGES_MAX: usize = 32;

/// A weight such as `q=0.8`, in thousandths. A missing weight is the highest, an unreadable weight the lowest.
fn per_mille(weight: &str) -> u16 {
    let Some(number) = weight.trim().strip_prefix("q=") else {
        return if weight.trim().is_empty() { 1000 } else { 0 };
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction:0<3}");
    let is_weight = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(value) if is_weight && value <= 1000 => value,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_known_language_wins() {
        assert_eq!(Lang::negotiate("de-AT,de;q=0.9,en;q=0.8"), Lang::De);
        assert_eq!(Lang::negotiate("fr, en;q=0.5, ar-EG;q=0.7"), Lang::Ar);
        assert_eq!(Lang::negotiate("en;q=0.3,de;q=0.4"), Lang::De);
        assert_eq!(Lang::negotiate("de;q=0, en;q=0.1"), Lang::En);
    }

    #[test]
    fn nonsense_means_english() {
        for header in ["", "*", "xx", ";;;", "de;q=9", "de;q=-1", "de;q=ü", "de;x=1"] {
            assert_eq!(Lang::negotiate(header), Lang::En, "{header}");
        }
    }

    #[test]
    fn equal_weights_keep_the_first() {
        assert_eq!(Lang::negotiate("ar,de"), Lang::Ar);
    }
}
