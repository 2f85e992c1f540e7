//! The method that is chosen when a page is loaded.

use crate::method::Method;
use crate::payment::{CloseReason, Payment, Stage};
use crate::session::Session;

/// The method of the session's last try: a try that failed does not take the shopper's choice away. The first of the offered methods if
/// there was no try, if the shopper has stopped it to choose another way, or if its method is no longer offered.
#[must_use]
pub fn choice(session: &Session, payment: &Payment, offered: &[Method]) -> Option<Method> {
    let last = payment.attempts.iter().rfind(|attempt| attempt.session == session.id);
    last.filter(|last| last.stage != Stage::Closed(CloseReason::Cancelled))
        .map(|last| last.method)
        .filter(|method| offered.contains(method))
        .or_else(|| offered.first().copied())
}
