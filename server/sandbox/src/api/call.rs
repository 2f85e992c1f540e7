//! The record of the API calls an account received.

use std::collections::VecDeque;

use serde::Serialize;

/// The number of calls that are kept per account.
const CAPACITY: usize = 2_000;

/// An API call that an account received.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// The request id, as in the reply's headers.
    pub request_id: String,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The operation, for example `checkout.sessions.create`. Empty for an unknown route.
    pub operation: &'static str,
    /// The idempotency key as it was sent.
    pub idempotency_key: Option<String>,
    /// The body's SHA-256 in hex. Calls with equal values had equal bodies.
    pub body_sha256: String,
    /// The reply's status. 0 when the reply was lost on purpose.
    pub status: u16,
    /// Whether the reply was a stored one.
    pub replayed: bool,
    /// The injected fault.
    pub fault: Option<&'static str>,
}

/// The latest calls of one account.
#[derive(Debug, Default)]
pub struct Calls(VecDeque<Call>);

impl Calls {
    /// Records a call, and forgets the oldest one if there are too many.
    pub fn record(&mut self, call: Call) {
        if self.0.len() >= CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back(call);
    }

    /// The calls, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Call> {
        self.0.iter()
    }
}
