//! The choice of a method and the button that starts the payment.

use domain::checkout::{Phase, View};
use domain::method::Method;
use leptos::prelude::*;

use super::{Button, Glyph, Hidden, Icon};
use crate::lang::{LangChoice, amount};

/// The form that starts the payment. One method is chosen already, so that one press is enough.
#[component]
pub fn Methods<'a>(
    /// The session.
    view: &'a View,
    /// The page's language.
    lang: LangChoice,
) -> impl IntoView + use<> {
    let words = lang.words();
    let methods = view.methods.iter().map(|method| option(*method, view.chosen == Some(*method), lang)).collect_view();
    let pay = (words.pay)(&amount(view.total, lang.lang));
    let is_retry = view.phase != Phase::Choose;
    view! {
        <form method="post" action="/fn/start_payment" data-action="start">
            <Hidden token=view.token.clone() lang/>
            <fieldset class="methods">
                <legend class=(!is_retry).then_some("visually-hidden")>{words.methods}</legend>
                {methods}
            </fieldset>
            <Button id="pay" label=pay busy=words.opening primary=true/>
            <p class="hint"><Icon glyph=Glyph::Lock/><span>{words.redirect_hint}</span></p>
        </form>
    }
}

fn option(method: Method, chosen: bool, lang: LangChoice) -> impl IntoView {
    let words = lang.words();
    let id = format!("method-{}", method.as_str());
    let hint = format!("{id}-hint");
    let glyph = match method {
        Method::Card => Glyph::Card,
        Method::BankDebit => Glyph::Bank,
    };
    view! {
        <label class="method">
            <input
                type="radio"
                name="method"
                id=id
                value=method.as_str()
                checked=chosen
                required=true
                aria-describedby=hint.clone()
            />
            <Icon glyph/>
            <span class="method-name">{(words.method)(method)}</span>
            <span class="method-hint" id=hint aria-hidden="true">{(words.method_hint)(method)}</span>
        </label>
    }
}
