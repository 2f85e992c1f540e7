//! What protects a request from being carried out twice.
//!
//! A request whose reply is lost may have been carried out. It is sent again only where the provider promises that the second has no
//! effect of its own; otherwise it is looked for, or a person decides.

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

/// How a request that was not answered may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// The request carries a key. The provider answers a repetition with the same key like the first request, for so long after the
    /// first one. After that it would be carried out anew.
    Key {
        /// The shortest time that the provider promises.
        kept_for: Millis,
    },
    /// What the request makes has an id that we choose, so there is never a second one.
    ClientId,
    /// No key protects the request, but its effect can be looked up by our reference. It is never sent again.
    Query,
    /// No key protects the request, and its effect cannot be looked up. It is never sent again, and a person must find out.
    None,
}
