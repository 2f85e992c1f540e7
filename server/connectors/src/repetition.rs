//! The protection of a request against a second execution.
//!
//! A request whose reply is lost may have been carried out. The request is sent again only where the provider promises that a second one
//! has no effect. Otherwise its effect is looked up, or a person decides.

use domain::Millis;
use domain::method::Method;
use domain::payment::ModificationKind;

/// A request that changes something at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Opening an attempt with a method.
    Open(Method),
    /// A capture, void or refund.
    Modify(ModificationKind),
}

/// How a request that had no reply may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// The request carries an idempotency key. For a limited time after the first request, the provider answers a repetition with the same
    /// key like the first. After that time a repetition would be carried out anew.
    Key {
        /// The shortest time for which the provider promises to keep the key.
        kept_for: Millis,
    },
    /// We choose the id of the object that the request creates, so there is never a second object.
    ClientId,
    /// The request has no key, but our reference finds its effect. The request is never sent again.
    Query,
    /// The request has no key, and its effect cannot be looked up. The request is never sent again, and a person must find out.
    None,
}
