//! The receipt: total, merchant and reference, short enough to print.

use domain::checkout::View;
use leptos::prelude::*;

use crate::lang::{LangChoice, amount, plain};

/// The receipt.
#[component]
pub fn Receipt<'a>(
    /// The session.
    view: &'a View,
    /// The page's language.
    lang: LangChoice,
) -> impl IntoView + use<> {
    let words = lang.words();
    let reference = view.reference.as_ref().map(|reference| {
        view! {
            <dt>{words.reference}</dt>
            <dd><bdi class="reference">{plain(reference)}</bdi></dd>
        }
    });
    view! {
        <dl class="receipt">
            <dt>{words.total}</dt>
            <dd class="figure">{amount(view.total, lang.lang)}</dd>
            <dt>{words.paid_to}</dt>
            <dd><bdi>{plain(&view.merchant)}</bdi></dd>
            {reference}
        </dl>
    }
}
