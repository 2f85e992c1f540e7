//! The hidden fields of every form.

use domain::id::Token;
use leptos::prelude::*;

use crate::lang::LangChoice;

/// The session's token and the page's language. A plain form needs both to come back to the same page.
#[component]
pub fn Hidden(
    /// The session's token.
    token: Token,
    /// The page's language.
    lang: LangChoice,
) -> impl IntoView {
    view! {
        <input type="hidden" name="token" value=token.to_string()/>
        <input type="hidden" name="lang" value=lang.lang.tag()/>
    }
}
