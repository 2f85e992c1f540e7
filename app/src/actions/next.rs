//! Where the shopper goes after an action.

use serde::{Deserialize, Serialize};

/// Where to go now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// To the provider, by way of the session's `/go` page.
    Provider,
    /// Stay: the outcome is stored and the page shows it.
    Page,
    /// To another session, by its token.
    Session(String),
    /// Nothing was done: the server has no room now.
    Busy,
    /// There is no such session.
    Gone,
}
