//! The operator's actions: merchants, keys, provider accounts, links.

mod accounts;
mod email;
mod links;
mod merchants;
pub mod problem;
mod reseal;

pub use accounts::{AccountSummary, NewAccount};
pub use links::{LinkSummary, NewLink};
pub use merchants::{KeySummary, MerchantSummary};
pub use reseal::{KeyUse, Resealed};

use crate::error::Error;

/// The most characters of a name.
const TEXT_CHARS_MAX: usize = 200;
/// The most rows of a list that is not read in pages.
const LIST_MAX: i64 = 1_000;

fn checked_name(value: &str) -> Result<String, Error> {
    let value = value.trim();
    if value.chars().count() > TEXT_CHARS_MAX || !domain::text::is_name(value) {
        return Err(problem::MerchantProblem::Name { chars_max: TEXT_CHARS_MAX }.into());
    }
    Ok(value.to_owned())
}
