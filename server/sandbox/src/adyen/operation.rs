//! What every operation of the API gets, and the table of all of them.

use serde_json::Value;

use super::{error::ApiError, links, modifications, sessions, state::Account};

/// A running request.
#[derive(Debug)]
pub struct Ctx<'a> {
    /// The account the key opens.
    pub account: &'a mut Account,
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// The sandbox's public address.
    pub base: &'a str,
    /// The object id in the path.
    pub id: &'a str,
    /// As sent.
    pub body: &'a [u8],
    /// As sent.
    pub query: &'a str,
}

/// Carries out one request: HTTP status and body.
pub type Run = fn(&mut Ctx<'_>) -> Result<(u16, Value), ApiError>;

/// One operation of the API.
#[derive(Debug)]
pub struct Operation {
    /// HTTP method.
    pub method: &'static str,
    /// The path below the version; `:id` stands for one segment.
    pub path: &'static str,
    /// How faults and logs call it.
    pub name: &'static str,
    /// The code.
    pub run: Run,
}

const fn op(method: &'static str, path: &'static str, name: &'static str, run: Run) -> Operation {
    Operation { method, path, name, run }
}

/// Every operation. A new one is one line here. There is none that retrieves a payment: the provider has none.
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
pub fn find<'p>(method: &str, path: &'p str) -> Result<(&'static Operation, &'p str), ApiError> {
    let path = path.trim_end_matches('/');
    let mut known = false;
    for operation in OPERATIONS {
        let Some(id) = matches(operation.path, path) else {
            continue;
        };
        if operation.method == method {
            return Ok((operation, id));
        }
        known = true;
    }
    Err(if known {
        ApiError::method()
    } else {
        ApiError::not_found("There is nothing at this address in this sandbox.")
    })
}

/// The id when the path fits the pattern; empty when the pattern has none.
fn matches<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    let mut id = "";
    let mut segments = path.split('/');
    for expected in pattern.split('/') {
        let segment = segments.next()?;
        if expected == ":id" && !segment.is_empty() {
            id = segment;
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(id)
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
