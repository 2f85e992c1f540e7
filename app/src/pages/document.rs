//! The frame of every page: head, header, footer.

use leptos::prelude::*;

use super::{Assets, LangChoice, PageContext, render};
use crate::components::{Footer, Header};

/// A page's own values for the frame.
pub(super) struct Frame {
    /// The title of the tab.
    pub title: String,
    /// The merchant, where the page has one.
    pub merchant: Option<String>,
    /// Whether to say that no real money moves.
    pub test_mode: bool,
    /// The support address.
    pub support_email: Option<String>,
    /// The reference that support can look up.
    pub reference: Option<String>,
    /// The page's automatic reload or redirect.
    pub refresh: Option<Refresh>,
    /// The address for the page in other languages, where it differs from the page's own address.
    pub elsewhere: Option<String>,
    /// Whether the page has islands.
    pub live: bool,
    /// Whether the page has a form to the provider. The provider must not learn the page's own address.
    pub leaves: bool,
}

impl Frame {
    /// The frame of a page with a message only.
    pub fn plain(title: &str) -> Frame {
        Frame {
            title: title.to_owned(),
            merchant: None,
            test_mode: false,
            support_email: None,
            reference: None,
            refresh: None,
            elsewhere: None,
            live: false,
            leaves: false,
        }
    }
}

/// An automatic reload or redirect of a page.
pub(super) enum Refresh {
    /// Reloads the page after this number of seconds, only without scripts.
    Again(u32),
    /// Loads one of Till's addresses after this number of seconds, with or without scripts.
    After(u32, String),
    /// Goes to another site's address at once, with or without scripts.
    To(String),
}

/// The document around a body.
pub(super) fn document<V: IntoView>(frame: Frame, ctx: &PageContext, body: impl FnOnce() -> V) -> String {
    let lang = ctx.lang;
    let html = render(|| {
        view! {
            <html lang=lang.lang.tag() dir=lang.lang.dir()>
                <Head title=frame.title refresh=frame.refresh live=frame.live leaves=frame.leaves assets=&ctx.assets/>
                <body>
                    <a class="skip" href="#panel">{lang.words().skip}</a>
                    <Header merchant=frame.merchant test_mode=frame.test_mode lang/>
                    {body()}
                    <Footer
                        reference=frame.reference
                        support_email=frame.support_email
                        elsewhere=frame.elsewhere
                        lang
                    />
                </body>
            </html>
        }
    });
    format!("<!DOCTYPE html>{html}")
}

/// A check mark on the accent colour: the only image of the pages, so that browsers do not ask for `/favicon.ico`.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' \
     height='32' rx='8' fill='%230f766e'/%3E%3Cpath d='M9 17l5 5 10-11' fill='none' stroke='%23fff' \
     stroke-width='3.5' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";

#[component]
fn Head<'a>(title: String, refresh: Option<Refresh>, live: bool, leaves: bool, assets: &'a Assets) -> impl IntoView {
    // The provider must not learn the session's address. Till's own forms need the referrer.
    let referrer = match refresh {
        Some(Refresh::To(_)) => "no-referrer",
        _ if leaves => "no-referrer",
        _ => "same-origin",
    };
    let css = assets.css.clone();
    view! {
        <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="robots" content="noindex"/>
            <meta name="referrer" content=referrer/>
            <meta name="color-scheme" content="light dark"/>
            <title>{title}</title>
            {refresh.map(refresh_tag)}
            <link rel="icon" href=ICON/>
            <link rel="stylesheet" href=css.url integrity=css.integrity/>
            {live.then(|| loader(assets))}
        </head>
    }
}

fn refresh_tag(refresh: Refresh) -> AnyView {
    match refresh {
        Refresh::Again(seconds) => view! {
            <noscript>
                <meta http-equiv="refresh" content=seconds.to_string()/>
            </noscript>
        }
        .into_any(),
        Refresh::After(seconds, url) => {
            view! { <meta http-equiv="refresh" content=format!("{seconds};url={url}")/> }.into_any()
        }
        Refresh::To(url) => view! { <meta http-equiv="refresh" content=format!("0;url={url}")/> }.into_any(),
    }
}

/// The loader. The WebAssembly's address and digest are attributes, so that the page has no inline script.
fn loader(assets: &Assets) -> impl IntoView + use<> {
    let (js, wasm) = (assets.js.clone(), assets.wasm.clone());
    view! {
        <script
            type="module"
            src=js.url
            integrity=js.integrity
            data-wasm=wasm.url
            data-wasm-integrity=wasm.integrity
        ></script>
    }
}

/// The address of a session's page in the chosen language.
pub(super) fn session_address(token: &domain::id::Token, suffix: &str, lang: LangChoice) -> String {
    format!("/c/{token}{suffix}{}", lang.query())
}
