//! Complete pages: functions from a finished view model to a string of HTML. They use no router and no resources, and wait for nothing.

mod checkout;
mod document;
mod home;
mod inactive_link;
mod panel;
mod problem;
mod redirecting;
#[doc(hidden)]
pub mod sample;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use leptos::prelude::*;

pub use crate::lang::{Lang, LangChoice, Problem};
pub use checkout::checkout;
pub use home::home;
pub use inactive_link::inactive_link;
pub(crate) use panel::status;
pub use panel::{panel, phase_name};
pub use problem::problem;
pub use redirecting::{code, redirecting, sending};

/// A file the pages load.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asset {
    /// The file's address.
    pub url: String,
    /// The file's digest, as in `integrity` attributes: `sha384-…`.
    pub integrity: String,
}

/// The files the pages load.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assets {
    /// The style sheet.
    pub css: Asset,
    /// The loader of the WebAssembly.
    pub js: Asset,
    /// The WebAssembly.
    pub wasm: Asset,
}

/// The language and the files of a page.
#[derive(Clone, Debug)]
pub struct PageContext {
    /// The language.
    pub lang: LangChoice,
    /// The files.
    pub assets: Arc<Assets>,
}

impl PageContext {
    /// The context of a request with this `lang` parameter, if any, and this `Accept-Language` header.
    #[must_use]
    pub fn new(wanted: Option<&str>, accept_language: &str, assets: Arc<Assets>) -> Self {
        PageContext { lang: LangChoice::new(wanted, accept_language), assets }
    }
}

/// Renders a view outside any router.
fn render<V: IntoView>(view: impl FnOnce() -> V) -> String {
    let owner = Owner::new();
    let html = owner.with(|| view().into_view().to_html());
    owner.cleanup();
    html
}
