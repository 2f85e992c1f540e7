//! Object ids in the provider's form: a prefix for the kind, then letters and digits.

use crate::ids::fresh;

/// An id with 24 characters after the prefix, the most common form.
pub fn object(prefix: &str) -> String {
    fresh(prefix, 24)
}

/// A hosted session's id. It is also the shopper's token in the page address, so it is long.
pub fn session() -> String {
    fresh("cs_test_a1", 56)
}

/// A webhook signing secret.
pub fn webhook_secret() -> String {
    fresh("whsec_", 32)
}
