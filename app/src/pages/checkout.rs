//! The page of a checkout session.

use domain::checkout::{Phase, View};
use leptos::prelude::*;

use super::PageContext;
use super::document::{Frame, Refresh, document};
use super::panel::{panel_html, status_of};
use crate::components::Summary;
use crate::islands::Live;

/// The complete page of a session or a link.
#[must_use]
pub fn checkout(view: &View, came_back: bool, ctx: &PageContext) -> String {
    let lang = ctx.lang;
    let html = panel_html(view, came_back, lang);
    let status = status_of(view, html, lang);
    let frame = Frame {
        title: status.title.clone(),
        merchant: Some(view.merchant.clone()),
        test_mode: view.test_mode,
        support_email: view.support_email.clone(),
        reference: view.reference.clone(),
        refresh: refresh_seconds(view.phase).map(Refresh::Again),
        elsewhere: None,
        live: true,
        leaves: false,
    };
    document(frame, ctx, || {
        view! {
            <div class="checkout">
                <Summary view lang/>
                <main
                    id="panel"
                    class="card"
                    data-phase=status.phase
                    data-token=view.token.to_string()
                    data-link=view.is_link.then_some("true")
                    data-came-back=came_back.then_some("true")
                    data-mark=status.mark
                    data-changing=status.changing.then_some("true")
                    data-settled=status.settled.then_some("true")
                    data-ends-in=status.ends_in.map(|left| left.to_string())
                >
                    <div id="live" inner_html=status.html></div>
                    <p id="trouble" class="notice" role="alert" hidden=true>
                        {lang.words().unreachable}
                    </p>
                    <p id="setback" class="notice" role="alert" hidden=true>
                        {lang.words().setback}
                    </p>
                </main>
            </div>
            <Live/>
        }
    })
}

/// Seconds after which a page without scripts reloads itself. None while the shopper may be choosing, because a reload would lose the
/// choice.
fn refresh_seconds(phase: Phase) -> Option<u32> {
    match phase {
        Phase::Authenticate => None,
        Phase::Unknown | Phase::Cancelling => Some(10),
        Phase::Processing | Phase::Unclear => Some(60),
        phase if phase.may_change_soon() => Some(3),
        _ => None,
    }
}
