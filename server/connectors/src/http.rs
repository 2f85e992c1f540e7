//! An HTTP exchange as data.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, Method};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// A request to be sent by the engine.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// The operation, as named in the exchange log and in metrics, such as `checkout.sessions.create`.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// The path and query, relative to the account's base address.
    pub path: String,
    /// The name of the header that carries the credentials, such as `authorization`.
    pub credential_header: &'static str,
    /// The value of that header. It is kept apart so that it is never logged. An empty value is not sent.
    pub credential: SecretString,
    /// The other headers.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: String,
}

/// A request as it was first sent, without the credentials. A repetition is built from it and not from the current values, so that both are
/// the same byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Path and query.
    pub path: String,
    /// The headers, without that of the credentials.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: String,
}

impl HttpRequest {
    /// The part of the request that is stored before sending.
    #[must_use]
    pub fn as_sent(&self) -> Sent {
        Sent { path: self.path.clone(), headers: self.headers.clone(), body: self.body.clone() }
    }

    /// The request as it was first sent, with the current credentials.
    #[must_use]
    pub fn repeated(self, sent: Sent) -> HttpRequest {
        HttpRequest { path: sent.path, headers: sent.headers, body: sent.body, ..self }
    }
}

/// A reply that arrived completely.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}
