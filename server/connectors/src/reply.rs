//! The reading of replies that all providers share. Each connector decides which errors are definite.

use domain::{Millis, SECOND};
use serde::de::DeserializeOwned;

use crate::connector::Fail;
use crate::http::HttpResponse;

/// The most characters kept of a provider's message.
const MESSAGE_CHARS_MAX: usize = 300;
/// The wait after a 429 that names no time.
const RATE_LIMIT_WAIT: Millis = 2 * SECOND;
/// The longest wait we accept, in seconds.
const WAIT_MAX_SECONDS: i64 = 3600;

/// The body of a successful reply. If it cannot be read, the outcome is unknown.
pub(crate) fn body<T: DeserializeOwned>(reply: &HttpResponse) -> Result<T, Fail> {
    serde_json::from_slice(&reply.body)
        .map_err(|error| Fail::Unsure(format!("status {} with an unreadable body: {error}", reply.status)))
}

/// An error as one line for people.
pub(crate) fn describe(status: u16, code: Option<&str>, message: Option<&str>) -> String {
    let (code, message) = (code.unwrap_or("-"), message.unwrap_or("no explanation"));
    format!("status {status}, {code}: {message}").chars().take(MESSAGE_CHARS_MAX).collect()
}

/// The failure for a 429: the provider did nothing, and the failure says when to try again.
pub(crate) fn rate_limited(reply: &HttpResponse) -> Fail {
    let header = reply.headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let seconds = header.and_then(|value| value.parse::<i64>().ok());
    Fail::RateLimited(seconds.map_or(RATE_LIMIT_WAIT, |seconds| seconds.clamp(1, WAIT_MAX_SECONDS) * SECOND))
}

/// The failure for a 401 or 403. Providers check the key before they do anything, and their errors always have a body of their own form
/// (Stripe documentation, Errors; Adyen documentation, Errors). So a reply in the provider's words proves that nothing was done. A reply
/// with an empty or foreign body may come from a proxy: a firewall that inspects replies can replace one that says what was done.
pub(crate) fn not_accepted(text: String, in_own_words: bool) -> Fail {
    if in_own_words { Fail::Unauthorized(text) } else { Fail::TurnedAway(text) }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn the_wait_is_the_providers_within_bounds() {
        let wait = |text: Option<&'static str>| {
            let headers = text.map(|text| (http::header::RETRY_AFTER, HeaderValue::from_static(text)));
            let headers = HeaderMap::from_iter(headers);
            rate_limited(&HttpResponse { status: 429, headers, body: bytes::Bytes::new() })
        };
        assert_eq!((wait(None), wait(Some("soon"))), (Fail::RateLimited(2_000), Fail::RateLimited(2_000)));
        assert_eq!((wait(Some("7")), wait(Some("-1"))), (Fail::RateLimited(7_000), Fail::RateLimited(1_000)));
        assert_eq!(wait(Some("86400")), Fail::RateLimited(3_600_000));
    }

    #[test]
    fn long_messages_are_cut() {
        assert_eq!(describe(500, None, None), "status 500, -: no explanation");
        assert_eq!(describe(400, Some("c"), Some(&"é".repeat(999))).chars().count(), MESSAGE_CHARS_MAX);
    }
}
