//! The fields every form sends along.

use domain::id::Token;
use leptos::prelude::*;

use crate::lang::LangChoice;

/// The session and the language, so that a plain form comes back to the same page.
#[component]
pub fn Hidden(
    /// The session.
    token: Token,
    /// The page's language.
    lang: LangChoice,
) -> impl IntoView {
    view! {
        <input type="hidden" name="token" value=token.to_string()/>
        <input type="hidden" name="lang" value=lang.lang.tag()/>
    }
}
