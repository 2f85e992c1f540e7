//! Stops the payment under way, so that the shopper can choose again.

use leptos::prelude::*;

use super::plain::PlainText;
use super::{ActionError, Next};

/// Stops the payment under way, so that the shopper can choose again.
#[server(prefix = "/fn", endpoint = "cancel_payment", output = PlainText)]
pub async fn cancel_payment(
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
    let next = match reply::engine().checkout().cancel(&session).await {
        Ok(()) => Next::Page,
        Err(error) => reply::failed(&error),
    };
    Ok(reply::send(&token, &lang, next))
}
