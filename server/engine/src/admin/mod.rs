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

/// The most characters of a name.
const TEXT_CHARS_MAX: usize = 200;

fn text(what: &str, value: &str) -> Result<String, Error> {
    let value = value.trim();
    if value.chars().count() > TEXT_CHARS_MAX || !domain::text::is_name(value) {
        return Err(Error::Invalid(format!(
            "the {what} must have 1 to {TEXT_CHARS_MAX} characters, at least one of them visible, no control characters and none that \
             change the direction of text"
        )));
    }
    Ok(value.to_owned())
}
