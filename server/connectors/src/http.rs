//! An HTTP exchange as data.

use bytes::Bytes;
use http::{HeaderMap, Method};
use secrecy::SecretString;

/// A request to be sent by the engine.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// The operation, as named in the exchange log and in metrics, such as `checkout.sessions.create`.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// Path and query, relative to the account's base address.
    pub path: String,
    /// The name of the header that carries the credentials, such as `authorization`.
    pub credential_header: &'static str,
    /// Its value; kept apart so that it is never logged. An empty one is not sent.
    pub credential: SecretString,
    /// The other headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// A reply that arrived whole.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}
