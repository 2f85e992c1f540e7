//! A page that only says something.

use leptos::prelude::*;

/// A heading and an advice.
#[component]
pub fn Message(
    /// The page's name, for tests and styles.
    page: &'static str,
    /// The heading.
    title: &'static str,
    /// What to do.
    advice: String,
) -> impl IntoView {
    view! {
        <main id="panel" class="card narrow" data-page=page>
            <div class="headline">
                <h1>{title}</h1>
                <p>{advice}</p>
            </div>
        </main>
    }
}
