//! Where to ask, and in which language.

use leptos::prelude::*;

use crate::lang::{Lang, LangChoice, plain};

/// The bottom of every page.
#[component]
pub fn Footer(
    /// What support can look up.
    reference: Option<String>,
    /// Where shoppers can ask.
    support_email: Option<String>,
    /// The address of the page in other languages, where that is not its own.
    elsewhere: Option<String>,
    /// The page's language.
    lang: LangChoice,
) -> impl IntoView {
    let words = lang.words();
    let page = elsewhere.unwrap_or_default();
    let others = Lang::ALL.into_iter().map(|other| language(&page, other, lang.lang)).collect_view();
    view! {
        <footer class="bottom">
            {reference
                .map(|reference| {
                    view! { <p>{words.reference} " " <bdi class="reference">{plain(&reference)}</bdi></p> }
                })}
            {support_email.map(|email| support(&plain(&email), words.help))}
            <p>{words.by_till}</p>
            <nav class="languages" aria-label=words.languages>
                {others}
            </nav>
        </footer>
    }
}

/// The address is the merchant's text: whatever would add more fields to the message is left out.
fn support(email: &str, help: &'static str) -> impl IntoView + use<> {
    let safe = |char: char| char.is_alphanumeric() || "@.-_+".contains(char);
    let address = email.chars().take_while(|char| safe(*char)).collect::<String>();
    view! { <p>{help} " " <a href=format!("mailto:{address}")><bdi>{address.clone()}</bdi></a></p> }
}

fn language(page: &str, lang: Lang, current: Lang) -> impl IntoView + use<> {
    let here = (lang == current).then_some("true");
    view! {
        <a href=format!("{page}?lang={}", lang.tag()) lang=lang.tag() hreflang=lang.tag() aria-current=here>
            {lang.name()}
        </a>
    }
}
