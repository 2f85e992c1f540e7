//! A page for an address without a checkout, or a server in trouble.

use leptos::prelude::*;

use super::document::{Frame, document};
use super::{PageContext, Problem};
use crate::components::Message;

/// The page of a problem.
#[must_use]
pub fn problem(kind: Problem, ctx: &PageContext) -> String {
    let (title, advice) = (ctx.lang.words().problem)(kind);
    document(Frame::plain(title), ctx, || {
        view! { <Message page="problem" title advice=advice.to_owned()/> }
    })
}
