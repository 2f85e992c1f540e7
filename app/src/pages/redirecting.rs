//! The page between ours and the provider's. A redirect in reply to a form would be stopped by `form-action`; a page is
//! not.

use domain::checkout::View;
use leptos::prelude::*;

use super::PageContext;
use super::document::{Frame, Refresh, document, session_address};
use crate::components::Spinner;

/// The page that leads to the provider, with scripts or without; nothing if its address is not on the web.
#[must_use]
pub fn redirecting(view: &View, provider_url: &str, ctx: &PageContext) -> Option<String> {
    if !is_web(provider_url) {
        return None;
    }
    let words = ctx.lang.words();
    let frame = Frame {
        merchant: Some(view.merchant.clone()),
        test_mode: view.test_mode,
        support_email: view.support_email.clone(),
        reference: Some(view.reference.clone()),
        refresh: Some(Refresh::To(provider_url.to_owned())),
        ..Frame::plain(words.redirecting)
    };
    let back = session_address(&view.token, "", ctx.lang);
    let html = document(frame, ctx, || {
        view! {
            <main id="panel" class="card narrow" data-page="redirecting">
                <div class="headline">
                    <Spinner/>
                    <h1>{words.redirecting}</h1>
                    <p>{words.redirecting_hint}</p>
                </div>
                <a class="button primary" href=provider_url.to_owned() rel="noreferrer">
                    {words.go_on}
                </a>
                <p class="aside-link"><a href=back>{words.choose_again}</a></p>
            </main>
        }
    });
    Some(html)
}

/// Connectors only return web addresses; this keeps `javascript:` out whatever a provider answers.
fn is_web(url: &str) -> bool {
    let known = url.starts_with("https://") || url.starts_with("http://");
    known && !url.chars().any(|char| char.is_control() || char.is_whitespace())
}
