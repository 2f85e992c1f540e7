//! A page for an address without a checkout, or a server in trouble.

use leptos::prelude::*;

use super::document::{Frame, Refresh, document};
use super::{PageContext, Problem};
use crate::components::Message;

/// Seconds after which a page loads the address again: often enough for a waiting shopper, seldom enough for a server in trouble.
const AGAIN_SECONDS: u32 = 5;

/// The page of a problem. `again` is the address at which the shopper sees the payment's state. The page loads that address by itself if
/// the problem may pass.
#[must_use]
pub fn problem(kind: Problem, again: Option<String>, ctx: &PageContext) -> String {
    let words = ctx.lang.words();
    let (title, advice) = (words.problem)(kind);
    let refresh = again.clone().filter(|_| kind.passes()).map(|address| Refresh::After(AGAIN_SECONDS, address));
    // The address of a form's action is no page, so the links to other languages lead to `again`.
    let elsewhere = again.as_deref().and_then(|address| address.split('?').next()).map(str::to_owned);
    let label = if kind.passes() { words.check_again } else { words.back };
    let lead = again.map(|address| (label, address));
    document(Frame { refresh, elsewhere, ..Frame::plain(title) }, ctx, || {
        view! { <Message page="problem" problem=Some(kind.as_str()) lead title advice=advice.to_owned()/> }
    })
}
