//! The sign that something is under way.

use leptos::prelude::*;

/// A turning ring. The ring does not turn for shoppers who asked for less motion.
#[component]
pub fn Spinner() -> impl IntoView {
    view! { <span class="spinner" aria-hidden="true"></span> }
}
