//! The pages between Till's page and the provider's. The policy `form-action` would stop a redirect in reply to a form; it does not stop a
//! redirect by a page.

use domain::checkout::View;
use domain::payment::CodeForm;
use leptos::prelude::*;

use super::PageContext;
use super::document::{Frame, Refresh, document, session_address};
use crate::components::Spinner;

/// The page that leads to the provider, with or without scripts. None if the provider's address is not a web address.
#[must_use]
pub fn redirecting(view: &View, provider_url: &str, ctx: &PageContext) -> Option<String> {
    if !is_web(provider_url) {
        return None;
    }
    let words = ctx.lang.words();
    let frame = Frame { refresh: Some(Refresh::To(provider_url.to_owned())), ..of_session(view, words.redirecting) };
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

/// The page with the form that leads to the provider, with or without scripts. The HTTP reply must allow forms to that address only. The
/// caller has checked that a shopper may be sent to the address.
#[must_use]
pub fn sending(view: &View, provider_url: &str, fields: &[(String, String)], ctx: &PageContext) -> String {
    let words = ctx.lang.words();
    let frame = Frame { leaves: true, ..of_session(view, words.redirecting) };
    let back = session_address(&view.token, "", ctx.lang);
    let field = |(name, value): &(String, String)| {
        view! { <input type="hidden" name=name.clone() value=value.clone()/> }
    };
    let inputs = fields.iter().map(field).collect_view();
    document(frame, ctx, || {
        view! {
            <main id="panel" class="card narrow" data-page="sending">
                <div class="headline">
                    <h1>{words.redirecting}</h1>
                    <p>{words.sending_hint}</p>
                </div>
                <form method="post" action=provider_url.to_owned()>
                    {inputs}
                    <button class="button primary" type="submit">{words.go_on}</button>
                </form>
                <p class="aside-link"><a href=back>{words.choose_again}</a></p>
            </main>
        }
    })
}

/// Seconds after which a page with a code checks for the payment.
const LOOK_SECONDS: u32 = 5;

/// The page with a code for a payment app: as text, and as a link for an app on the same device. The page reloads itself until there is
/// news.
#[must_use]
pub fn code(view: &View, payload: &str, form: CodeForm, ctx: &PageContext) -> String {
    let words = ctx.lang.words();
    let again = session_address(&view.token, "/go", ctx.lang);
    let frame = Frame { refresh: Some(Refresh::After(LOOK_SECONDS, again)), ..of_session(view, words.code) };
    let back = session_address(&view.token, "", ctx.lang);
    let hint = if form == CodeForm::AppLink { words.code_app } else { words.code_scan };
    let link = (form == CodeForm::AppLink && is_app_link(payload)).then(|| {
        view! { <a class="button primary" href=payload.to_owned() rel="noreferrer">{words.open_app}</a> }
    });
    document(frame, ctx, || {
        view! {
            <main id="panel" class="card narrow" data-page="code">
                <div class="headline">
                    <h1>{words.code}</h1>
                    <p>{hint}</p>
                </div>
                {link}
                <p class="code" dir="ltr"><code>{payload.to_owned()}</code></p>
                <p class="aside-link"><a href=back>{words.choose_again}</a></p>
            </main>
        }
    })
}

fn of_session(view: &View, title: &str) -> Frame {
    Frame {
        merchant: Some(view.merchant.clone()),
        test_mode: view.test_mode,
        support_email: view.support_email.clone(),
        reference: view.reference.clone(),
        ..Frame::plain(title)
    }
}

/// Whether a code can be a link: an `https` address, or an address with an app's own scheme. Schemes on which browsers themselves act are
/// refused.
fn is_app_link(payload: &str) -> bool {
    let Some((scheme, rest)) = payload.split_once(':') else { return false };
    let scheme = scheme.to_ascii_lowercase();
    let first = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let plain = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let obeyed = ["javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "http"];
    let text = !rest.is_empty() && !payload.chars().any(|letter| letter.is_control() || letter.is_whitespace());
    first && plain && text && !obeyed.contains(&scheme.as_str())
}

/// Whether an address is a web address. Connectors return only web addresses; this check keeps `javascript:` out whatever a provider
/// answers.
fn is_web(url: &str) -> bool {
    let known = url.starts_with("https://") || url.starts_with("http://");
    known && !url.chars().any(|char| char.is_control() || char.is_whitespace())
}
