//! Restricted keys and their rights (Stripe documentation, Restricted API keys).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{error::ApiError, state::Stripe};
use crate::provider::mask;

/// A restricted key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Restricted {
    /// The secret key of the account that the restricted key opens.
    pub account: String,
    /// The rights of the key, such as `event_read`. Writing includes reading.
    pub rights: BTreeSet<String>,
}

/// The resources of rights, by the prefix of their operations' names.
const RESOURCES: &[(&str, &str)] = &[
    ("checkout.", "checkout_session"),
    ("payment_intents.", "payment_intent"),
    ("charges.", "charge"),
    ("refunds.", "charge"),
    ("disputes.", "dispute"),
    ("events.", "event"),
    ("balance.", "balance"),
    ("balance_transactions.", "balance"),
    ("webhook_endpoints.", "webhook"),
];

/// All rights.
pub fn all() -> BTreeSet<String> {
    let both = |resource: &str| ["read", "write"].map(|may| format!("{resource}_{may}"));
    RESOURCES.iter().flat_map(|(_, resource)| both(resource)).collect()
}

/// The right that an operation needs. `None` for operations that every key may use.
fn needed(operation: &str) -> Option<(&'static str, bool)> {
    let (_, resource) = RESOURCES.iter().find(|(prefix, _)| operation.starts_with(prefix))?;
    let reads = [".list", ".retrieve", ".list_line_items"].iter().any(|end| operation.ends_with(end));
    Some((resource, !reads))
}

/// The secret key of the account that a key opens.
pub fn account_of<'k>(state: &'k Stripe, key: &'k str) -> &'k str {
    state.restricted.get(key).map_or(key, |restricted| &restricted.account)
}

/// Whether a key may carry an operation out.
pub fn check(state: &Stripe, key: &str, operation: &str) -> Result<(), ApiError> {
    let Some((restricted, (resource, writes))) = state.restricted.get(key).zip(needed(operation)) else {
        return Ok(());
    };
    let has = |may: &str| restricted.rights.contains(&format!("{resource}_{may}"));
    if has("write") || (!writes && has("read")) {
        return Ok(());
    }
    let account = state.accounts.get(&restricted.account).map_or("acct_1", |account| &account.common.id);
    let right = format!("rak_{resource}_{}", if writes { "write" } else { "read" });
    Err(ApiError::invalid(format!(
        "The provided key '{}' does not have the required permissions for this endpoint on account '{account}'. Having the \
         '{right}' permission would allow this request to continue.",
        mask(key)
    ))
    .status(403))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_needs_a_right_that_exists() {
        for operation in super::super::operation::OPERATIONS {
            let Some((resource, writes)) = needed(operation.name) else {
                assert_eq!(operation.name, "account.retrieve");
                continue;
            };
            assert!(all().contains(&format!("{resource}_{}", if writes { "write" } else { "read" })));
            assert_eq!(writes, operation.method != "GET", "{}", operation.name);
        }
    }

    #[test]
    fn a_restricted_key_may_do_what_it_was_given() {
        let mut state = Stripe::default();
        let rights = ["checkout_session_write".to_owned(), "event_read".to_owned()].into();
        state.restricted.insert("rk_test_1".into(), Restricted { account: "sk_test_1".into(), rights });
        for (operation, may) in [
            ("checkout.sessions.create", true),
            ("checkout.sessions.list", true),
            ("events.list", true),
            ("refunds.create", false),
            ("payment_intents.retrieve", false),
            ("account.retrieve", true),
        ] {
            assert_eq!(check(&state, "rk_test_1", operation).is_ok(), may, "{operation}");
            assert!(check(&state, "sk_test_1", operation).is_ok());
        }
        assert_eq!((account_of(&state, "rk_test_1"), account_of(&state, "rk_test_2")), ("sk_test_1", "rk_test_2"));
    }
}
