//! The context of an API operation, and the table of all operations.

use serde_json::Value;

use super::{error::ApiError, links, modifications, sessions, state::Account};
use crate::route::{self, Found, NoOperation, op};

/// A running request.
#[derive(Debug)]
pub struct Ctx<'a> {
    /// The account that the key opens.
    pub account: &'a mut Account,
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// The sandbox's public address.
    pub base: &'a str,
    /// The object id in the path.
    pub id: &'a str,
    /// The body as it was sent.
    pub body: &'a [u8],
    /// The query as it was sent.
    pub query: &'a str,
}

/// Carries out one request: HTTP status and body.
pub type Run = fn(&mut Ctx<'_>) -> Result<(u16, Value), ApiError>;

/// One operation of the API.
pub type Operation = route::Operation<Run>;

/// The table of operations. A new one is one line here. No operation retrieves a payment, because the provider has none.
#[rustfmt::skip]
pub static OPERATIONS: &[Operation] = &[
    op("POST", "paymentLinks", "paymentLinks.create", links::create),
    op("GET", "paymentLinks/:id", "paymentLinks.get", links::get),
    op("PATCH", "paymentLinks/:id", "paymentLinks.update", links::update),
    op("POST", "sessions", "sessions.create", sessions::create),
    op("GET", "sessions/:id", "sessions.get", sessions::get),
    op("POST", "payments/:id/captures", "payments.capture", modifications::capture),
    op("POST", "payments/:id/cancels", "payments.cancel", modifications::cancel),
    op("POST", "cancels", "payments.cancel", modifications::cancel_by_reference),
    op("POST", "payments/:id/refunds", "payments.refund", modifications::refund),
    op("POST", "payments/:id/reversals", "payments.reversal", modifications::reversal),
];

/// The operation for a method and a path below the version, with the id in the path.
pub fn find<'p>(method: &str, path: &'p str) -> Result<Found<'p, Run>, ApiError> {
    route::find(OPERATIONS, method, path).map_err(|missing| match missing {
        NoOperation::Method => ApiError::method(),
        NoOperation::Address => ApiError::not_found("There is nothing at this address in this sandbox."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_operation() {
        let name = |method, path| find(method, path).map(|(operation, id)| (operation.name, id.to_owned()));
        assert_eq!(name("POST", "payments/A1/captures").unwrap(), ("payments.capture", "A1".into()));
        assert_eq!(name("PATCH", "paymentLinks/PL1").unwrap(), ("paymentLinks.update", "PL1".into()));
        assert_eq!(name("POST", "cancels").unwrap(), ("payments.cancel", String::new()));
        assert_eq!(name("GET", "payments/A1").unwrap_err().status, 404);
        assert_eq!(name("DELETE", "paymentLinks/PL1").unwrap_err().status, 405);
    }
}
