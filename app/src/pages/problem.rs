//! A page for an address without a checkout, or a server in trouble.

use leptos::prelude::*;

use super::document::{Frame, Refresh, document};
use super::{PageContext, Problem};
use crate::components::Message;

/// The page of a problem.
#[must_use]
pub fn problem(kind: Problem, ctx: &PageContext) -> String {
    let (title, advice) = (ctx.lang.words().problem)(kind);
    // Who has no scripts must not be left on a page that was only meant for a moment.
    let refresh = (kind == Problem::Busy).then_some(Refresh::Again(5));
    document(Frame { refresh, ..Frame::plain(title) }, ctx, || {
        view! { <Message page="problem" title advice=advice.to_owned()/> }
    })
}
