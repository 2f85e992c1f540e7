//! The record of the API calls an account received.

use std::collections::VecDeque;

use serde::Serialize;

/// Calls remembered per account.
const CAPACITY: usize = 2_000;

/// An API call as received.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// As in the reply's headers.
    pub request_id: String,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// HTTP method.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// For example `checkout.sessions.create`; empty for an unknown route.
    pub operation: &'static str,
    /// As sent.
    pub idempotency_key: Option<String>,
    /// SHA-256 of the body, in hex: two calls with the same one had the same body.
    pub body_sha256: String,
    /// Of the reply; 0 when the reply was lost on purpose.
    pub status: u16,
    /// Whether the reply was a stored one.
    pub replayed: bool,
    /// The fault that was injected.
    pub fault: Option<&'static str>,
}

/// The latest calls of one account.
#[derive(Debug, Default)]
pub struct Calls(VecDeque<Call>);

impl Calls {
    /// Remembers a call, forgetting the oldest.
    pub fn record(&mut self, call: Call) {
        if self.0.len() >= CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back(call);
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Call> {
        self.0.iter()
    }
}
