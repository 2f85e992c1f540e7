//! Begins a new session for the same debt or link.

use leptos::prelude::*;

use super::plain::PlainText;
use super::{ActionError, Next};

/// Begins a new session after this one has ended, and leads to it.
#[server(prefix = "/fn", endpoint = "renew_session", output = PlainText)]
pub async fn renew_session(
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
    let next = match reply::engine().checkout().renew(&session).await {
        Ok(new) => Next::Session(new.to_string()),
        Err(error) => reply::failed(&error),
    };
    Ok(reply::send(&token, &lang, next))
}
