//! A page that only says something, and perhaps leads on.

use leptos::prelude::*;

/// A heading and an advice.
#[component]
pub fn Message(
    /// The page's name, for tests and styles.
    page: &'static str,
    /// Which problem it is about, if any.
    #[prop(optional_no_strip)]
    problem: Option<&'static str>,
    /// Where to go on: label and address.
    #[prop(optional_no_strip)]
    lead: Option<(&'static str, String)>,
    /// The heading.
    title: &'static str,
    /// What to do.
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
