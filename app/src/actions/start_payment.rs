//! Opens the payment at the provider, or resumes it.

use leptos::prelude::*;

use super::plain::PlainText;
use super::{ActionError, Next};

/// Opens or resumes the session's payment with a method. The choice of the method and the start are one step, so that
/// there is no state between them to lose.
#[server(prefix = "/fn", endpoint = "start_payment", output = PlainText)]
pub async fn start_payment(
    /// The session's token.
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

    let Ok(session) = token.parse() else {
        return Ok(reply::send(&token, &lang, Next::Gone));
    };
    // A method nobody offers changes nothing; the page simply asks again.
    let Ok(method) = method.parse() else {
        return Ok(reply::send(&token, &lang, Next::Page));
    };
    let next = match reply::engine().start(&session, method, reply::chosen(&lang)).await {
        Ok(Started::Redirect) => Next::Provider,
        Ok(Started::Stay) => Next::Page,
        Err(error) => reply::failed(&error),
    };
    Ok(reply::send(&token, &lang, next))
}
