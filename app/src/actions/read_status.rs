//! Tells the open page what it should show now.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::ActionError;

/// What the page should show.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Status {
    /// The phase's name, in snake case. Empty when there is nothing to show.
    pub phase: String,
    /// The title of the tab.
    pub title: String,
    /// The inside of the live region, rendered and escaped by the server.
    pub html: String,
    /// Differs whenever `html` does.
    pub mark: String,
    /// Whether news can be expected within seconds.
    pub changing: bool,
    /// Whether this is the outcome of the payment.
    pub settled: bool,
    /// Milliseconds until the session ends, where that matters.
    pub ends_in: Option<i64>,
}

/// Reads the session's state. `came_back` is whether the page stands on the return address.
#[server(prefix = "/fn", endpoint = "read_status")]
pub async fn read_status(
    #[server(default)] token: String,
    #[server(default)] came_back: bool,
    #[server(default)] lang: String,
) -> Result<Status, ActionError> {
    use super::reply;
    use crate::pages;

    reply::settle(&token, &lang);
    let Ok(session) = token.parse() else {
        return Ok(Status::default());
    };
    match reply::engine().view(&session, came_back).await {
        Ok(view) => Ok(pages::status(&view, came_back, reply::lang(&lang))),
        Err(engine::PageError::NotFound) => Ok(Status::default()),
        Err(engine::PageError::Busy) => Err(ActionError::Unreachable),
    }
}
