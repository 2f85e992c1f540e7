//! The provider's error body, and the errors every resource shares (Stripe API reference, Errors).

use serde_json::{Map, Value, json};

use crate::{
    api::{Refusal, reply::Outgoing},
    idempotency::Reply,
};

/// An error reply of the API.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    message: String,
    param: Option<String>,
    extra: Map<String, Value>,
    /// Whether the operation began. Only the replies of operations that began are stored under their idempotency keys.
    pub executed: bool,
}

impl ApiError {
    /// A request that cannot be carried out: 400 `invalid_request_error`.
    pub fn invalid(message: impl Into<String>) -> Self {
        ApiError {
            status: 400,
            kind: "invalid_request_error",
            code: None,
            message: message.into(),
            param: None,
            extra: Map::new(),
            executed: false,
        }
    }

    /// A required parameter is absent.
    pub fn missing(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}.")).code("parameter_missing").param(param)
    }

    /// A parameter that the operation does not know.
    pub fn unknown(param: &str) -> Self {
        Self::invalid(format!("Received unknown parameter: {param}")).code("parameter_unknown").param(param)
    }

    /// A parameter that is not a whole number.
    pub fn integer(param: &str, raw: &str) -> Self {
        Self::invalid(format!("Invalid integer: {}", shorten(raw))).code("parameter_invalid_integer").param(param)
    }

    /// A parameter that was sent empty where a value is needed.
    pub fn empty(param: &str) -> Self {
        Self::invalid(format!(
            "You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; \
             however '{param}' cannot be unset. You should remove '{param}' from your request or supply a non-empty value."
        ))
        .code("parameter_invalid_empty")
        .param(param)
    }

    /// An object that does not exist in this account.
    pub fn no_such(object: &str, id: &str, param: &str) -> Self {
        Self::invalid(format!("No such {object}: '{}'", shorten(id))).status(404).code("resource_missing").param(param)
    }

    /// The key is missing, malformed or for live mode.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::invalid(message).status(401)
    }

    /// A use of an idempotency key that does not match its first use.
    pub fn idempotency(message: impl Into<String>, status: u16) -> Self {
        let mut error = Self::invalid(message).status(status);
        error.kind = "idempotency_error";
        error
    }

    /// Replaces the HTTP status.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds the machine-readable code.
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Names the parameter at fault.
    pub fn param(mut self, param: &str) -> Self {
        self.param = Some(param.to_owned());
        self
    }

    /// Adds a field, for example the payment intent of the error.
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.extra.insert(key.to_owned(), value);
        self
    }

    /// Marks that the operation had begun, so that a repetition gets the same reply.
    pub fn after_start(mut self) -> Self {
        self.executed = true;
        self
    }

    /// The reply's body.
    pub fn body(&self, request_id: &str) -> Value {
        let mut error = self.extra.clone();
        error.insert("type".into(), self.kind.into());
        error.insert("message".into(), self.message.clone().into());
        error.insert("request_log_url".into(), format!("/_control/calls?request={request_id}").into());
        if let Some(code) = self.code {
            error.insert("code".into(), code.into());
            error.insert(
                "doc_url".into(),
                format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")).into(),
            );
        }
        if let Some(param) = &self.param {
            error.insert("param".into(), param.clone().into());
        }
        json!({ "error": error })
    }
}

impl Refusal for ApiError {
    fn too_large() -> Self {
        Self::invalid("The request body is too large: at most 256 KB are taken.").status(413)
    }

    fn rate_limited() -> Self {
        let mut error =
            Self::invalid("Request rate limit exceeded. Learn more about rate limits in the documentation.");
        error.code = Some("rate_limit");
        error.status(429)
    }

    fn in_progress() -> Self {
        Self::idempotency(
            "There is currently another in-progress request using this Idempotent Key (sandbox fault). \
             Please try again later.",
            409,
        )
    }

    fn internal() -> Self {
        let mut error = Self::invalid("An unknown error occurred (sandbox fault).").status(500);
        error.kind = "api_error";
        error
    }

    fn insufficient_balance() -> Self {
        Self::invalid("Insufficient funds in your Stripe balance to refund this amount (sandbox fault).")
            .code("balance_insufficient")
    }

    fn status(self, status: u16) -> Self {
        self.status(status)
    }

    fn refuse(&self, request_id: &str) -> Outgoing {
        Reply { status: self.status, body: self.body(request_id) }.into()
    }
}

/// Text from the request, shortened for a message.
fn shorten(text: &str) -> String {
    text.chars().take(200).collect()
}
