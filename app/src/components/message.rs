//! A page with a message and an optional link.

use leptos::prelude::*;

/// A heading and a piece of advice.
#[component]
pub fn Message(
    /// The page's name, for tests and styles.
    page: &'static str,
    /// The problem's name, where the page is about a problem.
    #[prop(optional_no_strip)]
    problem: Option<&'static str>,
    /// The link to the next page: label and address.
    #[prop(optional_no_strip)]
    lead: Option<(&'static str, String)>,
    /// The heading.
    title: &'static str,
    /// The advice.
    advice: String,
) -> impl IntoView {
    view! {
        <main id="panel" class="card narrow" data-page=page data-problem=problem>
            <div class="headline">
                <h1>{title}</h1>
                <p>{advice}</p>
            </div>
            {lead.map(|(label, address)| view! { <a class="button primary" id="again" href=address>{label}</a> })}
        </main>
    }
}
