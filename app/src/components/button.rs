//! The button that sends a form.

use leptos::prelude::*;

/// A submit button. The live island shows `busy` on the button while its form is being sent.
#[component]
pub fn Button(
    /// The element's id, by which focus returns to the button after an update.
    id: &'static str,
    /// The label.
    #[prop(into)]
    label: String,
    /// The label while the form is being sent.
    busy: &'static str,
    /// Whether the button is the page's main step.
    primary: bool,
) -> impl IntoView {
    let class = if primary { "button primary" } else { "button" };
    view! {
        <button type="submit" id=id class=class data-busy=busy>
            {label}
        </button>
    }
}
