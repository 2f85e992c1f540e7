//! The island that keeps an open page up to date.

use leptos::prelude::*;

/// Follows the session and swaps the live region after a change. The island itself renders only the announcement for screen readers. It has
/// no props, because props would cost a JSON parser; the page's attributes carry the data.
#[island]
pub fn Live() -> impl IntoView {
    let (said, say) = signal(String::new());
    #[cfg(target_arch = "wasm32")]
    super::watch::start(say);
    #[cfg(not(target_arch = "wasm32"))]
    let _ = say;
    view! { <p class="visually-hidden" role="status">{move || said.get()}</p> }
}
