//! The page of a link that cannot be paid now.

use leptos::prelude::*;

use super::PageContext;
use super::document::{Frame, document};
use crate::components::Message;
use crate::lang::isolated;

/// The page of a link that is switched off or used up.
#[must_use]
pub fn inactive_link(merchant: &str, ctx: &PageContext) -> String {
    let (title, advice) = (ctx.lang.words().inactive)(&isolated(merchant));
    let frame = Frame { merchant: Some(merchant.to_owned()), ..Frame::plain(title) };
    document(frame, ctx, || {
        view! { <Message page="inactive_link" title advice/> }
    })
}
