//! Requests to Adyen's Checkout API, and the meaning of its errors.

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{API_KEY, MERCHANT_ACCOUNT};
use crate::connector::{Account, Fail};
use crate::http::{HttpRequest, HttpResponse};
use crate::reply;

/// The API version, which is part of every path. Live accounts have a longer path, whose beginning belongs to their base address.
pub(super) const VERSION: &str = "/v72";
/// The most characters of a reference in a path.
const REFERENCE_CHARS_MAX: usize = 64;
/// The error "Request already processed or in progress". It does not say what the first request did.
const IN_PROGRESS: &str = "704";

pub(super) fn post(
    account: &Account,
    name: &'static str,
    path: String,
    body: &Value,
    key: &str,
) -> Result<HttpRequest, Fail> {
    let mut request = request(account, name, Method::POST, path, Some(body))?;
    request.headers.push(("Idempotency-Key".into(), key.to_owned()));
    Ok(request)
}

/// A request without an idempotency key.
pub(super) fn request(
    account: &Account,
    name: &'static str,
    method: Method,
    path: String,
    body: Option<&Value>,
) -> Result<HttpRequest, Fail> {
    let credential = SecretString::from(credential(account, API_KEY)?.to_owned());
    let headers = body.map(|_| ("Content-Type".into(), "application/json".to_owned())).into_iter().collect();
    let body = body.map(Value::to_string).unwrap_or_default();
    let path = format!("{VERSION}{path}");
    Ok(HttpRequest { name, method, path, credential_header: "x-api-key", credential, headers, body })
}

pub(super) fn merchant_account(account: &Account) -> Result<&str, Fail> {
    credential(account, MERCHANT_ACCOUNT)
}

fn credential<'a>(account: &'a Account, name: &str) -> Result<&'a str, Fail> {
    let value = account.credentials.get(name).map(ExposeSecret::expose_secret).filter(|value| !value.is_empty());
    value.ok_or_else(|| Fail::Unauthorized(format!("the account has no {name}")))
}

/// A reference for use in a path.
pub(super) fn segment(reference: &str) -> Result<&str, Fail> {
    let plain = reference.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if plain && (1..=REFERENCE_CHARS_MAX).contains(&reference.len()) {
        return Ok(reference);
    }
    Err(Fail::Unsupported("the provider's reference has an unknown form".to_owned()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    error_type: Option<String>,
}

/// The body of a successful reply, or the reason why the request failed.
pub(super) fn success<T: DeserializeOwned>(reply: &HttpResponse) -> Result<T, Fail> {
    if (200..300).contains(&reply.status) {
        return reply::body(reply);
    }
    let error = serde_json::from_slice::<ErrorBody>(&reply.body).ok();
    // A proxy in between may answer with JSON of its own. Only Adyen's errors have a code.
    let error = error.filter(|error| error.error_code.is_some());
    let part = |part: fn(&ErrorBody) -> &Option<String>| error.as_ref().and_then(|error| part(error).as_deref());
    let text = reply::describe(reply.status, part(|error| &error.error_code), part(|error| &error.message));
    Err(match (reply.status, error) {
        (401 | 403, error) => reply::not_accepted(text, error.is_some()),
        (429, _) => reply::rate_limited(reply),
        (400 | 404 | 422, Some(error)) if is_definite(&error) && !is_transient(reply) => Fail::Refused(text),
        _ => Fail::Unsure(text),
    })
}

fn is_definite(error: &ErrorBody) -> bool {
    error.error_code.as_deref() != Some(IN_PROGRESS) && error.error_type.as_deref() != Some("internal")
}

/// Whether Adyen marks the error as transient: it then says nothing about the request itself (Adyen documentation, API idempotency).
fn is_transient(reply: &HttpResponse) -> bool {
    reply.headers.get("transient-error").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}
