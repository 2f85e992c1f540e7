//! The services of merchants and operators besides payments: merchants, keys, provider accounts, links, events, upkeep.

mod accounts;
mod email;
mod events;
mod keys;
mod links;
mod merchants;
mod reseal;
mod scopes;
mod upkeep;

pub use accounts::{AccountSummary, Accounts, NewAccount};
pub use events::Events;
pub(crate) use keys::scope_of_secret;
pub use keys::{KeySummary, Keys};
pub use links::{LinkSummary, Links, NewLink};
pub use merchants::{MerchantSummary, Merchants};
pub use reseal::{KeyUse, Resealed};
pub use scopes::Scopes;
pub use upkeep::Upkeep;

use crate::context::check_merchant;
use crate::error::Error;
use crate::problem::MerchantProblem;

/// The most characters of a name.
const TEXT_CHARS_MAX: usize = 200;

fn checked_name(value: &str) -> Result<String, Error> {
    let value = value.trim();
    if value.chars().count() > TEXT_CHARS_MAX || !domain::text::is_name(value) {
        return Err(MerchantProblem::Name { chars_max: TEXT_CHARS_MAX }.into());
    }
    Ok(value.to_owned())
}
