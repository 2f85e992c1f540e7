//! Requests to Stripe's API, and the meaning of its errors.

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{API_VERSION, SECRET_KEY};
use crate::connector::{Account, Fail};
use crate::http::{HttpRequest, HttpResponse};
use crate::reply;

pub(super) fn post(
    account: &Account,
    name: &'static str,
    path: String,
    body: String,
    key: Option<&str>,
) -> Result<HttpRequest, Fail> {
    let mut request = request(account, name, Method::POST, path, body)?;
    request.headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".to_owned()));
    request.headers.extend(key.map(|key| ("Idempotency-Key".into(), key.to_owned())));
    Ok(request)
}

pub(super) fn request(
    account: &Account,
    name: &'static str,
    method: Method,
    path: String,
    body: String,
) -> Result<HttpRequest, Fail> {
    let secret = account.credentials.get(SECRET_KEY);
    let secret = secret.ok_or_else(|| Fail::Unauthorized("the account has no secret key".to_owned()))?;
    let credential = SecretString::from(format!("Bearer {}", secret.expose_secret()));
    let headers = vec![("Stripe-Version".into(), API_VERSION.to_owned())];
    Ok(HttpRequest { name, method, path, credential_header: "authorization", credential, headers, body })
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

pub(super) fn success<T: DeserializeOwned>(reply: &HttpResponse) -> Result<T, Fail> {
    succeeded(reply)?;
    reply::body(reply)
}

/// The failure of a reply without success.
pub(super) fn succeeded(reply: &HttpResponse) -> Result<(), Fail> {
    if (200..300).contains(&reply.status) {
        return Ok(());
    }
    let detail = serde_json::from_slice::<ErrorBody>(&reply.body).ok().map(|body| body.error);
    // A proxy in between may answer with JSON of its own. Only Stripe's errors have a type.
    let detail = detail.filter(|detail| detail.kind.is_some());
    let part = |part: fn(&ErrorDetail) -> &Option<String>| detail.as_ref().and_then(|detail| part(detail).as_deref());
    let text = reply::describe(reply.status, part(|detail| &detail.code), part(|detail| &detail.message));
    Err(match (reply.status, detail) {
        (401 | 403, detail) => reply::not_accepted(text, detail.is_some()),
        (429, _) => reply::rate_limited(reply),
        // With a 409 another request with our key is running. After a 5xx, or a reply that is not Stripe's, the outcome is unknown. An
        // `idempotency_error` means that another request used the key; its outcome is unknown as well.
        (400, Some(detail)) if detail.kind.as_deref() == Some("idempotency_error") => Fail::Unsure(text),
        (400 | 402 | 404, Some(_)) => Fail::Refused(text),
        _ => Fail::Unsure(text),
    })
}
