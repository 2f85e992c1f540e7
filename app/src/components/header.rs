//! The header: the merchant's name and the badge of test mode.

use leptos::prelude::*;

use crate::lang::{LangChoice, plain};

/// The top of every page.
#[component]
pub fn Header(
    /// The merchant's name, where the page has a merchant.
    merchant: Option<String>,
    /// Whether no real money moves.
    test_mode: bool,
    /// The page's language.
    lang: LangChoice,
) -> impl IntoView {
    let words = lang.words();
    let name = merchant.map_or_else(|| "Till".to_owned(), |merchant| plain(&merchant));
    let initial = name.chars().find(|char| char.is_alphanumeric()).map(|char| char.to_uppercase().to_string());
    view! {
        <header class="top">
            <p class="merchant">
                <span class="monogram" aria-hidden="true">{initial}</span>
                <bdi>{name}</bdi>
            </p>
            {test_mode
                .then(|| {
                    view! {
                        <p class="test-mode">
                            <strong>{words.test_mode}</strong>
                            " "
                            <span>{words.test_hint}</span>
                        </p>
                    }
                })}
        </header>
    }
}
