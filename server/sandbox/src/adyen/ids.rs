//! References as the provider writes them.

use crate::ids::fresh;

/// A PSP reference: 16 upper-case letters and digits.
pub fn psp() -> String {
    fresh("", 16).to_uppercase()
}

/// A payment link's id. It is also the shopper's token in the page address, so it is longer than Adyen's ids.
pub fn link() -> String {
    fresh("PL", 24).to_uppercase()
}

/// A session's id.
pub fn session() -> String {
    fresh("CS", 24).to_uppercase()
}

/// An opaque value in a return address.
pub fn opaque() -> String {
    fresh("X3XtfGC9", 40)
}

#[cfg(test)]
mod tests {
    #[test]
    fn references_have_sixteen_characters_and_differ() {
        let (one, two) = (super::psp(), super::psp());
        assert!(one.len() == 16 && one.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
        assert_ne!(one, two);
        assert!(super::link().starts_with("PL") && super::session().starts_with("CS"));
    }
}
