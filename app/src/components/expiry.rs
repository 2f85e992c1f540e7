//! The announcement of a session's end, with the offer of more time.

use domain::checkout::View;
use leptos::prelude::*;

use super::{Button, Hidden};
use crate::lang::LangChoice;

/// The announcement of the session's end. The live island fills in the countdown; without scripts only the sentence is shown.
#[component]
pub fn Expiry<'a>(
    /// The session.
    view: &'a View,
    /// The page's language.
    lang: LangChoice,
) -> impl IntoView + use<> {
    let words = lang.words();
    let extend = view.can_extend.then(|| {
        view! {
            <form method="post" action="/fn/extend_session" data-action="extend">
                <Hidden token=view.token.clone() lang/>
                <Button id="extend" label=words.more_time busy=words.working primary=false/>
            </form>
        }
    });
    view! {
        <div class="expiry">
            <p class="ends">{words.ends_soon}</p>
            <p data-countdown-row hidden=true>
                {words.time_left} " "
                <bdi class="countdown" role="timer" data-countdown></bdi>
            </p>
            {extend}
        </div>
    }
}
