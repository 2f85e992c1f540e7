//! Ids and references from outside, in a form that can be stored.
//!
//! PostgreSQL's text cannot hold U+0000 and SQLite's can, so an id with U+0000 would be stored in SQLite and refused in PostgreSQL for
//! ever. An id is also a key: escaping must not make two ids the same.

use std::borrow::Cow;
use std::fmt::Write;

use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

/// The most characters of an event id.
pub(crate) const EVENT_ID_CHARS_MAX: usize = 255;
/// The characters of a longer id that are kept in front of its digest.
const KEPT_CHARS: usize = 180;

/// The id under which an event is stored. Control characters become `%00` and the percent sign becomes `%25`, so that different ids stay
/// different. A long id is cut and gets a digest of the whole.
pub(crate) fn event_id(id: &str) -> String {
    let escaped = escaped(id, |letter| letter == '%' || letter.is_control());
    if escaped.chars().count() <= EVENT_ID_CHARS_MAX {
        return escaped.into_owned();
    }
    let kept: String = escaped.chars().take(KEPT_CHARS).collect();
    format!("{kept}~{}", digest(id.as_bytes()))
}

/// The id of an event without an id of its own.
pub(crate) fn nameless(body: &[u8]) -> String {
    format!("~{}", digest(body))
}

/// Reads a provider's reference from a field of its JSON.
pub(crate) fn reference<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(plain)
}

/// Reads a provider's reference that may be absent.
pub(crate) fn maybe_reference<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(plain))
}

/// A reference with its control characters escaped. No provider's references have any.
pub(crate) fn plain(text: String) -> String {
    match escaped(&text, char::is_control) {
        Cow::Borrowed(_) => text,
        Cow::Owned(escaped) => escaped,
    }
}

fn escaped(text: &str, odd: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&odd) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if odd(letter) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{:02X}", u32::from(letter));
        } else {
            escaped.push(letter);
        }
    }
    Cow::Owned(escaped)
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_ids_stay_as_they_are() {
        for id in ["evt_1NG8Du2eZvKYlo2CUI79vXWy", "AUTHORISATION:7914073381342284:true", "Bestellung Ä€"] {
            assert_eq!((event_id(id).as_str(), plain(id.to_owned()).as_str()), (id, id));
        }
    }

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(event_id("evt_\0\u{1b}[31m%00"), "evt_%00%1B[31m%2500");
        assert_eq!(plain("re_\0%".to_owned()), "re_%00%");
        assert_ne!(event_id("evt_\0"), event_id("evt_%00"));
    }

    #[test]
    fn long_ids_are_cut_and_stay_apart() {
        let (one, other) = ("é".repeat(300), format!("{}x", "é".repeat(299)));
        assert!(event_id(&one).chars().count() <= EVENT_ID_CHARS_MAX);
        assert_eq!(event_id(&one), event_id(&one));
        assert_ne!(event_id(&one), event_id(&other));
        assert_ne!(nameless(b"a"), nameless(b"b"));
    }

    proptest! {
        #[test]
        fn different_ids_stay_different(one in "[a%0\u{0}\u{1b}]{0,6}", other in "[a%0\u{0}\u{1b}]{0,6}") {
            prop_assert_eq!(one == other, event_id(&one) == event_id(&other));
            prop_assert!(!event_id(&one).chars().any(char::is_control));
        }

        #[test]
        fn every_id_can_be_stored(id in any::<String>()) {
            let stored = event_id(&id);
            prop_assert!(stored.chars().count() <= EVENT_ID_CHARS_MAX && !stored.chars().any(char::is_control));
        }
    }
}
