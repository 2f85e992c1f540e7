//! Authentication: the `X-API-Key` header, or HTTP Basic with a web service user whose password is the key.

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::error::ApiError;

/// Whether a text is a key that this sandbox takes: 16–512 visible ASCII characters that begin like Adyen's keys (`AQE`) or with `test_`.
pub fn is_test_key(key: &str) -> bool {
    (key.starts_with("AQE") || key.starts_with("test_"))
        && (16..=512).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The key of a request.
pub fn key(headers: &HeaderMap) -> Result<String, ApiError> {
    let given = match headers.get("x-api-key") {
        Some(value) => value.to_str().ok().map(str::to_owned),
        None => headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(password),
    };
    given.filter(|key| is_test_key(key)).ok_or_else(ApiError::unauthorized)
}

fn password(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    (!user.is_empty()).then(|| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn keys_come_in_a_header_or_as_basic_password() {
        let api = header::HeaderName::from_static("x-api-key");
        assert_eq!(key(&headers(api, "AQEyhmfxK0Qc+iSS3W")).unwrap(), "AQEyhmfxK0Qc+iSS3W");
        let basic = format!("Basic {}", STANDARD.encode("ws@Company.Shop:test_0123456789a"));
        assert_eq!(key(&headers(header::AUTHORIZATION, &basic)).unwrap(), "test_0123456789a");
    }

    #[test]
    fn everything_else_is_401() {
        let api = || header::HeaderName::from_static("x-api-key");
        for bad in ["", "AQEshort", "live_0123456789abcdef", "test_with a space in it"] {
            assert_eq!(key(&headers(api(), bad)).unwrap_err().status, 401, "{bad}");
        }
        assert_eq!(key(&HeaderMap::new()).unwrap_err().status, 401);
        assert_eq!(key(&headers(header::AUTHORIZATION, "Bearer test_0123456789a")).unwrap_err().status, 401);
    }
}
