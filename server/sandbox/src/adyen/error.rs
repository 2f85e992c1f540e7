//! The provider's error body (Adyen, API error codes).

use serde_json::{Value, json};

use crate::{
    api::{Refusal, reply::Outgoing},
    idempotency::Reply,
};

/// An error reply of the API.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    code: &'static str,
    kind: &'static str,
    message: String,
    /// Whether the same request may succeed later under the same idempotency key.
    pub transient: bool,
}

impl ApiError {
    fn new(status: u16, code: &'static str, kind: &'static str, message: impl Into<String>) -> Self {
        ApiError { status, code, kind, message: message.into(), transient: false }
    }

    /// A field that does not fit: 422 `validation`.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(422, code, "validation", message)
    }

    /// A required field is absent.
    pub fn missing(field: &str) -> Self {
        let code = match field {
            "amount" => "100",
            "reference" => "130",
            "merchantAccount" => "901",
            _ => "702",
        };
        let message = match field {
            "merchantAccount" => "Invalid Merchant Account".to_owned(),
            _ => format!("Required field '{field}' is not provided."),
        };
        Self::invalid(code, message)
    }

    /// A field of another type than documented.
    pub fn kind_of(field: &str, expected: &str) -> Self {
        Self::invalid("702", format!("Invalid value for field '{field}': expected {expected}."))
    }

    /// A body that is no JSON object.
    pub fn malformed() -> Self {
        Self::new(400, "702", "validation", "Unexpected input: the body must be a JSON object.")
    }

    /// A body whose content type is not JSON.
    pub fn media_type() -> Self {
        Self::new(415, "702", "validation", "The Content-Type must be application/json.")
    }

    /// A key that is missing, or that is none of this sandbox's.
    pub fn unauthorized() -> Self {
        Self::new(401, "000", "security", "HTTP Status Response - Unauthorized")
    }

    /// A merchant account that the key has no rights on.
    pub fn merchant_account() -> Self {
        Self::new(403, "901", "security", "Invalid Merchant Account")
    }

    /// An unknown address or object.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "000", "validation", message)
    }

    /// A known address with an unsupported method.
    pub fn method() -> Self {
        Self::new(405, "000", "validation", "The request method is not supported here.")
    }

    /// A payment that does not exist.
    pub fn no_payment() -> Self {
        Self::invalid("167", "Original pspReference required for this operation")
    }

    /// The reply's body.
    pub fn body(&self, request_id: &str) -> Value {
        json!({
            "status": self.status,
            "errorCode": self.code,
            "message": self.message,
            "errorType": self.kind,
            "pspReference": request_id,
        })
    }
}

impl Refusal for ApiError {
    fn too_large() -> Self {
        Self::new(413, "702", "validation", "The request body is too large.")
    }

    fn rate_limited() -> Self {
        let mut error = Self::new(429, "000", "internal", "Too many requests");
        error.transient = true;
        error
    }

    fn in_progress() -> Self {
        let mut error = Self::new(409, "704", "validation", "request already processed or in progress");
        error.transient = true;
        error
    }

    fn internal() -> Self {
        Self::new(500, "905", "internal", "Internal error (sandbox fault)")
    }

    fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    fn refuse(&self, request_id: &str) -> Outgoing {
        let reply = Reply { status: self.status, body: self.body(request_id) };
        Outgoing { transient: self.transient, ..reply.into() }
    }
}
