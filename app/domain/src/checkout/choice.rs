//! The method that is chosen when a page is loaded.

use crate::method::Method;
use crate::payment::{CloseReason, Payment, Stage};
use crate::session::Session;

/// The method of the session's last attempt, because a failed attempt does not take the shopper's choice away. The first offered method if
/// there was no attempt, if the shopper has cancelled the attempt to choose another method, or if the attempt's method is no longer
/// offered.
#[must_use]
pub fn choice(session: &Session, payment: &Payment, offered: &[Method]) -> Option<Method> {
    let last = payment.attempts.iter().rfind(|attempt| attempt.session == session.id);
    last.filter(|last| last.stage != Stage::Closed(CloseReason::Cancelled))
        .map(|last| last.method)
        .filter(|method| offered.contains(method))
        .or_else(|| offered.first().copied())
}
