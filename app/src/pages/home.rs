//! The page at the root, which explains the address.

use leptos::prelude::*;

use super::PageContext;
use super::document::{Frame, document};
use crate::components::Message;

/// The page at the root.
#[must_use]
pub fn home(ctx: &PageContext) -> String {
    let words = ctx.lang.words();
    document(Frame::plain("Till"), ctx, || {
        view! { <Message page="home" title=words.home advice=words.home_hint.to_owned()/> }
    })
}
