//! The sign that something is under way.

use leptos::prelude::*;

/// A turning ring; it stands still for those who asked for less motion.
#[component]
pub fn Spinner() -> impl IntoView {
    view! { <span class="spinner" aria-hidden="true"></span> }
}
