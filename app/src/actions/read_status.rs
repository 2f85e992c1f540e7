//! Reads the content that an open page should show now.

use leptos::prelude::*;

use super::plain::PlainText;
use super::{ActionError, Status};

/// Reads the session's state. `came_back` says whether the page was loaded from the return address.
#[server(prefix = "/fn", endpoint = "read_status", output = PlainText)]
pub async fn read_status(
    /// The session's token, or the link's as long as there is no session.
    #[server(default)]
    token: String,
    /// Whether the page was loaded from the return address.
    #[server(default)]
    came_back: bool,
    /// The page's language.
    #[server(default)]
    lang: String,
) -> Result<Status, ActionError> {
    use super::reply;
    use crate::pages;

    reply::settle(&token, &lang);
    let Ok(session) = token.parse() else {
        return Ok(Status::default());
    };
    match reply::engine().checkout().view_either(&session, came_back).await {
        Ok(view) => Ok(pages::status(&view, came_back, reply::lang(&lang))),
        Err(engine::PageError::NotFound) => Ok(Status::default()),
        Err(engine::PageError::Busy) => Err(ActionError::Unreachable),
    }
}
