//! Keeps an open page true.

use leptos::prelude::*;

/// Follows the session and swaps the live region when it changes. What it draws itself is the announcement for screen
/// readers. It has no props: they would cost a JSON parser, and the page's attributes say all it needs.
#[island]
pub fn Live() -> impl IntoView {
    let (said, say) = signal(String::new());
    #[cfg(target_arch = "wasm32")]
    super::watch::start(say);
    #[cfg(not(target_arch = "wasm32"))]
    let _ = say;
    view! { <p class="visually-hidden" role="status">{move || said.get()}</p> }
}
