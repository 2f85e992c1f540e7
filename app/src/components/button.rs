//! The button that sends a form.

use leptos::prelude::*;

/// A submit button. The live island shows `busy` on it while its form is under way.
#[component]
pub fn Button(
    /// Where focus returns to after an update.
    id: &'static str,
    /// What it says.
    #[prop(into)]
    label: String,
    /// What it says while the form is under way.
    busy: &'static str,
    /// Whether it is the page's main step.
    primary: bool,
) -> impl IntoView {
    let class = if primary { "button primary" } else { "button" };
    view! {
        <button type="submit" id=id class=class data-busy=busy>
            {label}
        </button>
    }
}
