//! Gives the shopper more time.

use leptos::prelude::*;

use super::plain::PlainText;
use super::{ActionError, Next};

/// Gives the shopper more time.
#[server(prefix = "/fn", endpoint = "extend_session", output = PlainText)]
pub async fn extend_session(
    /// The session's token.
    #[server(default)]
    token: String,
    /// The page's language.
    #[server(default)]
    lang: String,
) -> Result<Next, ActionError> {
    use super::reply;

    let Ok(session) = token.parse() else {
        return Ok(reply::send(&token, &lang, Next::Gone));
    };
    let next = match reply::engine().checkout().extend(&session).await {
        Ok(()) => Next::Page,
        Err(error) => reply::failed(&error),
    };
    Ok(reply::send(&token, &lang, next))
}
