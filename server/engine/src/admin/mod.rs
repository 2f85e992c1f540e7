//! What the operator does: merchants, keys, provider accounts, links.

mod accounts;
mod email;
mod links;
mod merchants;
mod reseal;

pub use accounts::{AccountSummary, NewAccount};
pub use links::{LinkSummary, NewLink};
pub use merchants::{KeySummary, MerchantSummary};
pub use reseal::{KeyUse, Resealed};

use crate::error::Error;

/// Characters of a name at most.
const TEXT_CHARS_MAX: usize = 200;
/// Rows of a list that is not read in pages.
const LIST_MAX: i64 = 1_000;

fn text(what: &str, value: &str) -> Result<String, Error> {
    let value = value.trim();
    let bad = value.is_empty() || value.chars().count() > TEXT_CHARS_MAX || value.chars().any(char::is_control);
    if bad {
        return Err(Error::Invalid(format!("the {what} must have 1 to {TEXT_CHARS_MAX} printable characters")));
    }
    Ok(value.to_owned())
}
