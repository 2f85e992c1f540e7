//! Object ids as the provider writes them: a prefix that tells the kind, then letters and digits.

use crate::ids::fresh;

/// Ids of 24 characters after the prefix, the most common shape.
pub fn object(prefix: &str) -> String {
    fresh(prefix, 24)
}

/// A hosted session's id: it is also the shopper's token in the page address, so it is long.
pub fn session() -> String {
    fresh("cs_test_a1", 56)
}

/// A webhook signing secret.
pub fn webhook_secret() -> String {
    fresh("whsec_", 32)
}
