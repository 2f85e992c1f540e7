//! Opens the payment at the provider, or resumes it.

use leptos::prelude::*;

use super::plain::PlainText;
use super::{ActionError, Next};

/// Opens or resumes the session's payment with a method. The choice of the method and the start are one step, so that
/// there is no state between them to lose.
#[server(prefix = "/fn", endpoint = "start_payment", output = PlainText)]
pub async fn start_payment(
    /// The session's token, or the link's as long as there is no session.
    #[server(default)]
    token: String,
    /// The method's name.
    #[server(default)]
    method: String,
    /// The page's language.
    #[server(default)]
    lang: String,
) -> Result<Next, ActionError> {
    use super::reply;
    use engine::Started;

    let Ok(token) = token.parse::<domain::id::Token>() else {
        return Ok(reply::send(&token, &lang, Next::Gone));
    };
    // An unknown method changes nothing; the page offers the choice again.
    let Ok(method) = method.parse() else {
        return Ok(reply::send(token.as_str(), &lang, Next::Page));
    };
    let engine = reply::engine();
    let session = match engine.checkout().act_on(&token).await {
        Ok(session) => session,
        Err(error) => return Ok(reply::send(token.as_str(), &lang, reply::failed(&error))),
    };
    let next = match engine.checkout().start(&session, method, reply::chosen(&lang)).await {
        Ok(Started::Redirect) => Next::Provider(session.to_string()),
        Ok(Started::Stay) if session == token => Next::Page,
        Ok(Started::Stay) => Next::Session(session.to_string()),
        Err(engine::PageError::Busy) if session != token => Next::Busy(Some(session.to_string())),
        Err(error) => reply::failed(&error),
    };
    Ok(reply::send(session.as_str(), &lang, next))
}
