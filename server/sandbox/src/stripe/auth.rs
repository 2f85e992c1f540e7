//! Authentication: the secret key, as a bearer token or as the user of HTTP Basic.

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::error::ApiError;
use crate::provider::mask;

/// Whether a text is a key that this sandbox takes: `^(sk|rk)_test_[A-Za-z0-9]{8,}$`, with at most 200 characters after the prefix.
pub fn is_test_key(key: &str) -> bool {
    let tail = key.strip_prefix("sk_test_").or_else(|| key.strip_prefix("rk_test_"));
    tail.is_some_and(|tail| (8..=200).contains(&tail.len()) && tail.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The key of a request.
pub fn key(headers: &HeaderMap) -> Result<String, ApiError> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(credentials);
    let Some(key) = given.filter(|key| !key.is_empty()) else {
        return Err(ApiError::unauthenticated(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer \
             auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        ));
    };
    if is_test_key(&key) {
        return Ok(key);
    }
    if key.starts_with("sk_live_") || key.starts_with("rk_live_") {
        return Err(ApiError::unauthenticated(
            "This is a sandbox: it takes test keys only, and a live key must never be sent here.",
        ));
    }
    Err(ApiError::unauthenticated(format!("Invalid API Key provided: {}", mask(&key))))
}

fn credentials(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    Some(decoded.split(':').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
    }

    #[test]
    fn bearer_and_basic_are_taken() {
        assert_eq!(key(&header("Bearer sk_test_abcdefgh")).unwrap(), "sk_test_abcdefgh");
        let basic = format!("Basic {}", STANDARD.encode("rk_test_abcdefgh:"));
        assert_eq!(key(&header(&basic)).unwrap(), "rk_test_abcdefgh");
    }

    #[test]
    fn everything_else_is_401() {
        for bad in [
            "Bearer sk_live_abcdefghij",
            "Bearer sk_test_short",
            "Bearer pk_test_abcdefgh",
            "Token x",
            "Basic ???",
            "Bearer ",
        ] {
            assert_eq!(key(&header(bad)).unwrap_err().status, 401, "{bad}");
        }
        assert_eq!(key(&HeaderMap::new()).unwrap_err().status, 401);
    }
}
